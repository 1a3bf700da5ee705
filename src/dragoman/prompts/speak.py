"""What methods and suites speak through: records in, token ids and training examples out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dragoman.corpora.records import Dialogue, Pair, Question, Turn
from dragoman.errors import DataError
from dragoman.prompts.examples import Example, Ids, Segment
from dragoman.prompts.render import Renderer
from dragoman.prompts.translation import instruction


class Written(Protocol):
    """What a model wrote, as ids: a `Completion` is one, whichever engine it came from."""

    @property
    def body(self) -> Ids:
        """The generated ids without the token that ended them."""

    @property
    def end(self) -> Ids:
        """The token that ended the answer; empty where it was cut off."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A translation request and its reference, as ids: what a rationale continues."""

    key: str
    prompt: Ids
    reference: Ids

    @property
    def ids(self) -> Ids:
        return self.prompt + self.reference


class Speaker:
    """Speaks to one backbone; `seed` decides which instruction each pair gets."""

    def __init__(self, renderer: Renderer, seed: int = 0):
        self.renderer = renderer
        self.seed = seed
        self.stop: Ids = renderer.stop

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, without special tokens."""
        return self.renderer.decode(ids)

    def prefix(self, pair: Pair) -> Prefix:
        """Instruction and reference. `DataError` where the reference is empty."""
        prompt, reference = self.renderer.answer(self._request(pair), pair.target)
        if not reference:
            raise DataError(f"the {pair.direction} pair with the source {pair.source[:80]!r} has an empty translation")
        return Prefix(pair.key, prompt, reference)

    def translate(self, pair: Pair) -> Ids:
        """The request alone, with the instruction that `prefix` would take."""
        return self.renderer.prompt(self._request(pair))

    def example(self, prefix: Prefix, rationale: Written | None = None) -> Example:
        """Prompt, reference, what the model wrote after it, and the end of the turn.

        The rationale's tokens are those that the engine returned, and so is the token that ends it:
        one that was cut off at the limit carries no end. Without a rationale the turn ends after the
        reference, as the chat template ends it.
        """
        written, end = (rationale.body, rationale.end) if rationale else ((), self.renderer.end)
        return _example(
            prefix.key,
            Segment("prompt", prefix.prompt, 0.0),
            Segment("reference", prefix.reference),
            Segment("rationale", written),
            Segment("end", end),
        )

    def question(self, question: Question) -> Ids:
        """A question, ready to be answered."""
        return self.renderer.prompt(question.turns)

    def dialogue(self, dialogue: Dialogue) -> Example:
        """A whole conversation of which every turn of the assistant is trained, its end included."""
        runs = self.renderer.conversation(dialogue.turns)
        return _example(dialogue.key, *(Segment(run.part, run.ids, float(run.part != "prompt")) for run in runs))

    def _request(self, pair: Pair) -> tuple[Turn]:
        return (Turn("user", instruction(pair, self.seed)),)


def _example(key: str, *segments: Segment) -> Example:
    kept = tuple(segment for segment in segments if segment.ids)
    if not any(segment.weight and segment.name != "end" for segment in kept):
        raise DataError(f"example {key} has no token to learn from: its answer is empty")
    return Example(kept, key)
