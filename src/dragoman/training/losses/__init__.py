"""The losses of tokens: hard and soft labels, and what of them counts."""
