"""Probes: questions of our own in nine families, in two halves that share none, checked by rule."""
