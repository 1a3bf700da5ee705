"""`dragoman models`: models that can be had without the hub, and backbones made of GGUF files."""
