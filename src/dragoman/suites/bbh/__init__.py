"""BIG-Bench Hard in any language."""
