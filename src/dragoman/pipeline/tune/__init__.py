"""`dragoman tune`: a short search of the learning rate, whose trainings are rows of the recipe."""
