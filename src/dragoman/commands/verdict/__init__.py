"""`dragoman verdict`: whether a tuned row may be shipped."""
