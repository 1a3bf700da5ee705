"""Question answering over a text: SQuAD's form, in any language (XQuAD, MLQA)."""
