"""Drift: how far a row has moved from the backbone, measured of the models themselves."""
