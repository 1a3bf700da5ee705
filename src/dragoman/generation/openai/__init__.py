"""The engine that asks a server by the OpenAI protocol."""
