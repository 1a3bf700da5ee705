"""HumanEval: programs, judged by executing them."""
