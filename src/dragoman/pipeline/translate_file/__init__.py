"""`dragoman data translate`: a data file into another language."""
