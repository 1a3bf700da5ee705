"""Model files: finding them, checking that they are whole, loading them. Light except for `load_model`."""
