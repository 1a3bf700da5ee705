"""lm-evaluation-harness as it is, in a process of its own."""
