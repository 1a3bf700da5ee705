"""The tiny model that tests of generation use too."""

from tests.generation.conftest import one_thread, prompts, spell, tiny

__all__ = ["one_thread", "prompts", "spell", "tiny"]
