"""Dragoman teaches an instruct LLM to translate and lets it stay the assistant it was."""

__version__ = "0.1.0"
