"""A recipe as stages: plans them, and runs what is not done, in processes of their own where a model is held."""
