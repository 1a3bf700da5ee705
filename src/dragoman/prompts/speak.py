"""What methods and suites speak through: records in, token ids and training examples out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dragoman.corpora.records import Dialogue, Pair, Question, Record, Turn
from dragoman.errors import DataError
from dragoman.prompts.examples import Example, Ids, Segment
from dragoman.prompts.render import Renderer
from dragoman.prompts.systems import System
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
    """A request and its reference, as ids: what a rationale continues."""

    key: str
    prompt: Ids
    reference: Ids

    @property
    def ids(self) -> Ids:
        return self.prompt + self.reference


class Speaker:
    """Speaks to one backbone, of pairs and of dialogues alike; `seed` decides which instruction each pair gets.

    Of a dialogue the last turn, which must be the assistant's, is the reference, and all turns before
    it are the request. `others` are the speakers of further models that the recipe names, each with
    its own vocabulary. `context` is how many tokens the backbone can see at once, where that is known.
    `format` is how a published system wants to be asked for a translation; all else it is asked in its chat format.
    """

    def __init__(
        self,
        renderer: Renderer,
        seed: int = 0,
        others: Mapping[str, "Speaker"] | None = None,
        context: int | None = None,
        format: System | None = None,
    ):
        self.renderer = renderer
        self.format = format
        self.seed = seed
        self.others = others or {}
        self.context = context
        self.stop: Ids = renderer.stop
        if format:  # a system's own end, where its vocabulary has it and its chat template another
            known = renderer.tokenizer.get_vocab()
            self.stop = tuple(dict.fromkeys([*self.stop, *(known[end] for end in format.stops if end in known)]))

    def of(self, model: str) -> "Speaker":
        """Who speaks to a model: the speaker of another one by its name; this one to all else."""
        return self.others.get(model, self)

    def but(self, others: Mapping[str, "Speaker"]) -> "Speaker":
        """This one, to whom some names stand for others."""
        return Speaker(self.renderer, self.seed, {**self.others, **others}, self.context, self.format)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, without special tokens."""
        return self.renderer.decode(ids)

    def prefix(self, record: Record) -> Prefix:
        """Request and reference. `DataError` where there is no reference, or no request before it."""
        turns, reference = self._parted(record)
        prompt, ids = self.renderer.answer(turns, reference)
        if not ids and isinstance(record, Pair):
            raise DataError(
                f"the {record.direction} pair with the source {record.source[:80]!r} has an empty translation"
            )
        return Prefix(record.key, prompt, ids)

    def request(self, record: Record) -> Ids:
        """The request alone: the prompt of `prefix`, with the same instruction."""
        return self.renderer.prompt(self._parted(record)[0])

    def texts(self, record: Record) -> tuple[str, str]:
        """Request and reference as text, with no chat format around them.

        The turns of a conversation of several are told apart by who speaks: `User: …`.
        """
        turns, reference = self._parted(record)
        if len(turns) == 1:
            return turns[0].whole, reference.strip()
        return "\n\n".join(f"{turn.role.capitalize()}: {turn.whole}" for turn in turns), reference.strip()

    def translate(self, pair: Pair) -> Ids:
        """The request to translate a pair's source.

        Its wording depends on the source alone, so that a sentence is asked for alike whether its translation is
        known, as in a test, or not.
        """
        unknown = replace(pair, target="")
        return self.written(self.format.ask(unknown)) if self.format else self.request(unknown)

    def after(self, answer: str, pair: Pair) -> str:
        """The answer to `translate` as a published system's own script would take it; else as it is."""
        return self.format.after(answer, pair) if self.format else answer

    def chat(self, text: str) -> Ids:
        """A text as the user's turn, ready to be answered."""
        return self.renderer.prompt((Turn("user", text),))

    def turns(self, turns: Sequence[Turn]) -> Ids:
        """A conversation that ends with the user's turn, ready to be answered."""
        return self.renderer.prompt(turns)

    def written(self, text: str) -> Ids:
        """A prompt that is written out, in which special tokens are tokens."""
        return self.renderer.written(text)

    def plain(self, text: str) -> Ids:
        """A text with no chat format around it, for the model to go on with."""
        return self.renderer.plain(text)

    def example(
        self,
        prefix: Prefix,
        rationale: Written | None = None,
        *,
        healed: bool = False,
        weight: float = 1.0,
        sample: int = 0,
        prompt_weight: float = 0.0,
    ) -> Example:
        """Prompt, reference, what the model wrote after it, and the end of the turn.

        The rationale's tokens are those that the engine returned, and so is the token that ends it:
        one that was cut off at the limit carries no end. Without a rationale the turn ends after the
        reference, as the chat template ends it.

        `healed` says that the rationale begins with the token in place of the reference's last one
        (`Sampling.heal`); it then stands in the reference. `weight` is that of the rationale's
        tokens, its end apart, and `prompt_weight` that of the request's. Further samples of one pair are
        told apart by `sample`: 1, 2, …
        """
        written, end = (rationale.body, rationale.end) if rationale else ((), self.renderer.end)
        reference = prefix.reference
        if healed and written:
            reference, written = reference[:-1] + written[:1], written[1:]
        return _example(
            f"{prefix.key}#{sample}" if sample else prefix.key,
            Segment("prompt", prefix.prompt, prompt_weight),
            Segment("reference", reference),
            Segment("rationale", written, weight),
            Segment("end", end),
        )

    def own(self, key: str, prompt: Ids, written: Written) -> Example:
        """Prompt, what the model itself wrote in answer, and the end of the turn.

        The ids are those that the engine returned, the end included: an answer that was cut off
        carries none. `DataError` where the answer has no token.
        """
        return _example(key, Segment("prompt", prompt, 0.0), Segment("own", written.body), Segment("end", written.end))

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

    def dialogue(self, dialogue: Dialogue, *, prompt_weight: float = 0.0) -> Example:
        """A whole conversation of which every turn of the assistant is trained, its end included.

        `prompt_weight` is the weight of what stands before and between these turns.
        """
        runs = self.renderer.conversation(dialogue.turns)
        weights = {"prompt": prompt_weight}
        return _example(dialogue.key, *(Segment(run.part, run.ids, weights.get(run.part, 1.0)) for run in runs))

    def _parted(self, record: Record) -> tuple[tuple[Turn, ...], str]:
        """The turns of the request, and the reference."""
        if isinstance(record, Pair):
            return (Turn("user", instruction(record, self.seed)),), record.target
        before, last = record.turns[:-1], record.turns[-1:]
        if not last or last[0].role != "assistant" or not last[0].text.strip():
            raise DataError(
                f"{_named(record)} does not end with an answer of the assistant, so there is nothing to learn"
            )
        if not before or before[-1].role != "user":
            raise DataError(f"{_named(record)} ends with an answer that no turn of the user asks for")
        return before, last[0].text


def _named(dialogue: Dialogue) -> str:
    first = f" that begins {dialogue.turns[0].whole[:80]!r}" if dialogue.turns else " without turns"
    origin = f" from {dialogue.origin}" if dialogue.origin else ""
    return f"a conversation{origin}{first}"


def _example(key: str, *segments: Segment) -> Example:
    kept = tuple(segment for segment in segments if segment.ids)
    if not any(segment.weight and segment.name not in ("prompt", "end") for segment in kept):
        raise DataError(f"example {key} has no token to learn from: its answer is empty")
    return Example(kept, key)
