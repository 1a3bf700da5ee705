"""Trying a model: translations of some lines, or a conversation."""

from collections.abc import Iterator, Sequence

from dragoman.corpora.records import Pair, Turn
from dragoman.evaluation.extraction import extract
from dragoman.generation.ask import Sampling
from dragoman.generation.hf import HfEngine
from dragoman.lab import BACKBONE
from dragoman.prompts.languages import language_name
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker

INSTRUCTION_SEED = 0


class Talker:
    """A loaded model that answers. `model` is a directory, a name on the hub, or `lab`."""

    def __init__(self, model: str, *, system: str | None = None, max_tokens: int = 512):
        where = str(BACKBONE) if model == "lab" else model
        self.renderer = Renderer.load(where, system=system)
        self.engine = HfEngine(where, decode=self.renderer.decode)
        self.max_tokens = max_tokens

    def translate(self, lines: Sequence[str], direction: str) -> Iterator[str]:
        """The translation of each line, in order; an empty line stays empty."""
        source, target = direction.split("-")
        speak = Speaker(self.renderer, INSTRUCTION_SEED)
        asked = {index: speak.translate(Pair(line, "", source, target)) for index, line in enumerate(lines) if line}
        sampling = Sampling(self.max_tokens, self.renderer.stop)
        answers = dict(self.engine.complete(list(asked.values()), sampling))
        texts = {index: answers[at].text for at, index in enumerate(asked)}
        for index, line in enumerate(lines):
            found = extract(texts[index], line, (language_name(target),)).text if line else ""
            yield " ".join(found.split("\n"))

    def answer(self, turns: Sequence[Turn], temperature: float = 0.0) -> str:
        """What the assistant says next."""
        sampling = Sampling(self.max_tokens, self.renderer.stop, temperature)
        (_, completion), *_ = self.engine.complete([self.renderer.prompt(turns)], sampling)
        return completion.text.strip()
