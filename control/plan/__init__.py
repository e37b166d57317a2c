"""Timing design: from flows to cycles, splits and offsets that a controller can hold."""
