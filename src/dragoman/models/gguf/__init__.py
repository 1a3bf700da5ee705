"""GGUF files: reading what they say of a model, and making its tokenizer and weights of them."""
