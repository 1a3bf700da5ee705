"""Forecasts for `--dry-run`: how much there is to do, and what it costs."""
