"""Scorecards for people: the comparison in the terminal, on a page, in the papers' tables and figures."""
