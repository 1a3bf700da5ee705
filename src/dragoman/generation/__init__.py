"""Generation: asks in, completions out. One door, one cache, and the engines behind them."""
