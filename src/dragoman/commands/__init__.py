"""The commands behind `cli.py`: parse, call, print."""
