"""Judgements of translations that a recipe names: gathered, checked and written to files."""
