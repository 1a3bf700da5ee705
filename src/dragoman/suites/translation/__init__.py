"""Translation of test sentences, the translation taken out of each answer, and rates of odd answers."""
