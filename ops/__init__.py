"""Puts things together: the command line, the demo, the report; the only code that joins sibling packages."""
