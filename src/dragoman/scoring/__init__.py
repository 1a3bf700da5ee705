"""Scores with signature, n and interval; the scorecard that compares rows."""
