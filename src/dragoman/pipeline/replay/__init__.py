"""Replay: general prompts that the backbone answers, to be learnt beside the task."""
