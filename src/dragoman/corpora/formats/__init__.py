"""Readers of file formats, with limits on what files from outside may cost."""
