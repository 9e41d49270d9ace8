"""Data generation: sample raw files, so that a clone runs before it has data of its own."""
