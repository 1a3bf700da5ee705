"""A model that answers, for a conversation."""

from collections.abc import Sequence
from pathlib import Path

from dragoman.corpora.records import Turn
from dragoman.generation.ask import Engine, Sampling
from dragoman.pipeline.models.cast import find_folder
from dragoman.prompts.render import Renderer


class Talker:
    """A model that answers."""

    def __init__(self, renderer: Renderer, engine: Engine, max_tokens: int = 512):
        self.renderer = renderer
        self.engine = engine
        self.max_tokens = max_tokens

    @classmethod
    def load(
        cls, model: str, *, adapter: Path | None = None, system: str | None = None, max_tokens: int = 512
    ) -> "Talker":
        """The model in a directory, on the hub, or `lab`, perhaps with an adapter.

        EngineError or TemplateError if it cannot talk, or the adapter is for another model.
        """
        from transformers.utils.logging import disable_progress_bar

        from dragoman.generation.hf.engine import HfEngine

        disable_progress_bar()
        folder = find_folder(model)
        renderer = Renderer.load(folder, system=system)
        renderer.require_chat()
        return cls(renderer, HfEngine(folder, decode=renderer.decode, adapter=adapter), max_tokens)

    def answer(self, turns: Sequence[Turn], temperature: float = 0.0) -> str:
        """What the assistant says next."""
        sampling = Sampling(self.max_tokens, self.renderer.stop, temperature)
        (_, completion), *_ = self.engine.complete([self.renderer.prompt(turns)], sampling)
        return completion.text.strip()
