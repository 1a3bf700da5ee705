"""A recipe's models: which there are, how each is spoken to, and which engine answers for it."""
