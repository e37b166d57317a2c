"""One suite per port, run on everything that fills it."""
