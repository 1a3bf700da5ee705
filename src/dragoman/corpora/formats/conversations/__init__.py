"""Conversations as they lie on disk, and prompts without answers."""
