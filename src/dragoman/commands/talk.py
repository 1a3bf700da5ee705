"""Trying a model out: translating some lines, or a conversation."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dragoman.commands.files import languages
from dragoman.corpora.records import Pair, Turn
from dragoman.generation.ask import Engine, Sampling
from dragoman.pipeline.models.cast import find_folder
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.suites.translation.extraction import extract


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

    def translate(self, lines: Sequence[str], direction: str) -> Iterator[str]:
        """The translation of each line, in order; an empty line stays empty."""
        source, target = languages(direction)
        speak = Speaker(self.renderer)
        asked = [index for index, line in enumerate(lines) if line.strip()]
        prompts = [speak.translate(Pair(lines[index].strip(), "", source, target)) for index in asked]
        answers = dict(self.engine.complete(prompts, Sampling(self.max_tokens, self.renderer.stop)))
        texts = {index: answers[place].text for place, index in enumerate(asked)}
        for index, line in enumerate(lines):
            found = extract(texts[index], line, source, target).text if index in texts else ""
            yield " ".join(found.split("\n"))

    def answer(self, turns: Sequence[Turn], temperature: float = 0.0) -> str:
        """What the assistant says next."""
        sampling = Sampling(self.max_tokens, self.renderer.stop, temperature)
        (_, completion), *_ = self.engine.complete([self.renderer.prompt(turns)], sampling)
        return completion.text.strip()
