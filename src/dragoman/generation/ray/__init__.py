"""The engine that distributes work over a Ray cluster."""
