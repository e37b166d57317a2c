"""The synthetic camera: draws the street of a scenario as a camera on a pole would see it, with the truth beside it."""
