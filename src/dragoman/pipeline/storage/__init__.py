"""What is kept in a store: which recipe needs it, how much room it takes, and what can go."""
