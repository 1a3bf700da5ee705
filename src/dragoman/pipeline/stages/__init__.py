"""Kinds of stages, one file each: typed jobs whose fields are what the work needs."""
