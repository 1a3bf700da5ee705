"""Questions whose answers are checked by rule: the lab's, translated benchmarks', and the user's own."""
