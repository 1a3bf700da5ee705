"""MMLU in any language."""
