"""`dragoman tune`: the learning rate, found by a short search."""
