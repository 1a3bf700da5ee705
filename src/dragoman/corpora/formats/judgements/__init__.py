"""Judgements of translations: which of two is better, and what is wrong with one."""
