"""Data: files become records (pairs, dialogues, questions); the catalogue; overlaps with test sets."""
