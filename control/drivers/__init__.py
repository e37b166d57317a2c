"""The way to controllers in the field: one protocol per file, and the virtual controller beside them."""
