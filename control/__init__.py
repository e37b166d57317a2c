"""Decides what the signals do: plans, controllers, the guard, the drivers to the field."""
