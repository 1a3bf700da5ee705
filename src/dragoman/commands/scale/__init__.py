"""`dragoman scale`: a row at several strengths."""
