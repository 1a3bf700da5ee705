"""SHIP or DON'T SHIP: whether a tuned row may replace its backbone, with reasons and evidence."""
