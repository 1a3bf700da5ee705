"""Families of the lab's abilities and skills: each draws tasks with an answer and a check."""
