"""MT-Bench: a judge rates conversations of two turns."""
