"""What methods and suites speak through: records in, token ids and training examples out."""

from collections.abc import Mapping, Sequence
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
class Adopted:
    """What another model wrote, in this backbone's ids; a `Written` like a completion of its own."""

    body: Ids
    end: Ids


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
    """Speaks to one backbone; `seed` decides which instruction each pair gets.

    `others` are the speakers of further models that the recipe names, each with its own vocabulary.
    """

    def __init__(self, renderer: Renderer, seed: int = 0, others: Mapping[str, "Speaker"] | None = None):
        self.renderer = renderer
        self.seed = seed
        self.others = others or {}
        self.stop: Ids = renderer.stop

    def of(self, model: str) -> "Speaker":
        """Who speaks to a model: the speaker of another one by its name; this one to all else."""
        return self.others.get(model, self)

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

    def example(
        self,
        prefix: Prefix,
        rationale: Written | None = None,
        *,
        healed: bool = False,
        weight: float = 1.0,
        sample: int = 0,
    ) -> Example:
        """Prompt, reference, what the model wrote after it, and the end of the turn.

        The rationale's tokens are those that the engine returned, and so is the token that ends it:
        one that was cut off at the limit carries no end. Without a rationale the turn ends after the
        reference, as the chat template ends it.

        `healed` says that the rationale begins with the token in place of the reference's last one
        (`Sampling.heal`); it then stands in the reference. `weight` is that of the rationale's
        tokens, its end apart. Further samples of one pair are told apart by `sample`: 1, 2, …
        """
        written, end = (rationale.body, rationale.end) if rationale else ((), self.renderer.end)
        reference = prefix.reference
        if healed and written:
            reference, written = reference[:-1] + written[:1], written[1:]
        return _example(
            f"{prefix.key}#{sample}" if sample else prefix.key,
            Segment("prompt", prefix.prompt, 0.0),
            Segment("reference", reference),
            Segment("rationale", written, weight),
            Segment("end", end),
        )

    def adopt(self, prefix: Prefix, text: str, finished: bool, *, healed: bool = False) -> Written:
        """A rationale from a model with another vocabulary: its text in this one's ids, as they follow the prefix.

        Its turn ends as the chat template ends it, if it was `finished`. With `healed` the ids begin
        with the token in place of the reference's last, which may have merged with what follows.
        """
        body = self.renderer.following(prefix.ids, text, heal=healed)
        return Adopted(body, self.renderer.end if finished else ())

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
