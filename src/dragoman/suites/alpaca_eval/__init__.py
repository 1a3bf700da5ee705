"""AlpacaEval 1 and 2: a judge compares answers with a baseline's."""
