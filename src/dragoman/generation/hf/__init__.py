"""The engine on torch and transformers, for any machine."""
