"""COMET, read from published checkpoints without the official package."""
