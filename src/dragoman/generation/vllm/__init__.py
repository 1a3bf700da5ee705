"""The engine on vLLM, for accelerators."""
