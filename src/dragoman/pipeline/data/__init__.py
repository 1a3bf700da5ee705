"""The data stage: what a recipe trains and tests on, gathered, checked for overlaps, and written to files."""
