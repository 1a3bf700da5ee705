"""Pre-training of the lab's models: tokenizer, data, training, card."""
