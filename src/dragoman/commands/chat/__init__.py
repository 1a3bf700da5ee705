"""`dragoman chat`: a conversation with a model, and translations by it."""
