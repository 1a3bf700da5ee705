"""`dragoman score`: scores of outputs that were saved elsewhere."""
