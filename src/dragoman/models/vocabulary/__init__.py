"""A larger vocabulary: pieces learnt from text, put into a model's tokenizer, and given rows in its embeddings."""
