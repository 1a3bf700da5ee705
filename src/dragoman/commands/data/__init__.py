"""`dragoman data`: the catalogue, the user's own files, and data made for use elsewhere."""
