"""The same three families of tasks in English, German and Italian, as benchmarks have them that were translated."""
