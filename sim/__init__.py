"""SUMO digital twin; the only package that knows traci and libsumo."""
