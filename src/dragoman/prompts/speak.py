"""Speakers: what methods and suites use to turn records into prompts and training examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dragoman.corpora.records import Dialogue, Pair, Preference, Question, Record, Turn, requests_of
from dragoman.errors import DataError
from dragoman.prompts.examples import AnsweredPrompt, Example, Ids, Logprobs, Segment
from dragoman.prompts.languages import language_name
from dragoman.prompts.render import Renderer
from dragoman.prompts.systems import System
from dragoman.prompts.translation import instruction


class Keyed(Protocol):
    """A record of any kind."""

    @property
    def key(self) -> str: ...


class Written(Protocol):
    """What a model wrote, as ids: a `Completion` is one, whichever engine it came from."""

    @property
    def body(self) -> Ids:
        """The generated ids without the token that ended them."""

    @property
    def end(self) -> Ids:
        """The token that ended the answer, as a tuple; empty if the answer was cut off."""

    @property
    def logprobs(self) -> Logprobs | None:
        """What was likely at each of these ids, from the first on, if that was kept."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What another model wrote, in this backbone's ids; used like one of its own completions."""

    body: Ids
    end: Ids
    logprobs: None = None  # those of another vocabulary say nothing here


@dataclass(frozen=True, slots=True)
class Prefix:
    """A request and its reference, as ids: what a rationale continues."""

    key: str
    prompt: Ids
    reference: Ids
    end: Ids
    """What ends the answer where nothing follows the reference."""

    @property
    def ids(self) -> Ids:
        return self.prompt + self.reference


class Speaker:
    """Turns pairs and dialogues into ids for one backbone; `seed` decides which instruction each pair gets.

    A dialogue's last turn, which must be the assistant's, is the reference, and all turns before it are the request.
    `others` are the speakers of the recipe's further models, each with its own vocabulary. `context` is how many
    tokens the backbone can see at once, where known. `format` is how a published system is asked for a translation, or
    how a row is taught to be; everything else is asked in the chat format. With `alone`, translations are asked for in
    words that want nothing else, except in such a format. `rows` are the numbers of pairs in their file by their keys,
    for a format that picks its instruction by them.
    """

    def __init__(
        self,
        renderer: Renderer,
        seed: int = 0,
        others: Mapping[str, "Speaker"] | None = None,
        context: int | None = None,
        format: System | None = None,
        alone: bool = False,
        rows: Mapping[str, int] | None = None,
    ):
        self.renderer = renderer
        self.rows = rows or {}
        self.format = format
        self.alone = alone and format is None
        self.seed = seed
        self.others = others or {}
        self.context = context
        self.stop: Ids = renderer.stop
        if format:  # a system's own end, where its vocabulary has it and its chat template another
            known = renderer.tokenizer.get_vocab()
            self.stop = tuple(dict.fromkeys([*self.stop, *(known[end] for end in format.stops if end in known)]))

    def of(self, model: str) -> "Speaker":
        """The speaker of another model by its name; this one for every other name."""
        return self.others.get(model, self)

    def but(self, others: Mapping[str, "Speaker"]) -> "Speaker":
        """A copy of this speaker in which some names stand for other speakers."""
        known = {**self.others, **others}
        return Speaker(self.renderer, self.seed, known, self.context, self.format, self.alone, self.rows)

    def counting(self, records: Iterable[Keyed], first: int) -> "Speaker":
        """A copy of this speaker that knows the rows of these records, the first of which is number `first`."""
        if self.format is None or self.format.pick != "row":
            return self
        rows = {record.key: number for number, record in enumerate(records, start=first)}
        return Speaker(self.renderer, self.seed, self.others, self.context, self.format, self.alone, rows)

    def without_hints(self) -> "Speaker":
        """A copy of this speaker that leaves the hints of its format out."""
        if self.format is None or not any(one.hint for one in self.format.instructions):
            return self
        said = tuple(replace(one, hint="") for one in self.format.instructions)
        format = replace(self.format, instructions=said)
        return Speaker(self.renderer, self.seed, self.others, self.context, format, self.alone, self.rows)

    def called(self, language: str) -> str:
        """A language's name in requests."""
        return self.format.called(language) if self.format else language_name(language)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, without special tokens."""
        return self.renderer.decode(ids)

    def length(self, text: str) -> int:
        """How many tokens a text takes that an assistant wrote."""
        return len(self.renderer.encode(text))

    def prefix(self, record: Record, *, alone: bool = False) -> Prefix:
        """Request and reference as ids. `DataError` if there is no reference, or no request before it.

        With `alone`, the request for a pair's translation wants nothing else.
        """
        return self._prefix(record, *self._parted(record, alone))

    def _prefix(self, record: Record, asked: str | tuple[Turn, ...], reference: str) -> Prefix:
        if isinstance(asked, str):
            (prompt, ids), end = self.renderer.written_answer(asked, reference), self.renderer.end_of_text
        else:
            (prompt, ids), end = self.renderer.answer(asked, reference), self.renderer.end
        if isinstance(record, Pair) and self.format and not self.format.ends:
            end = ()
        if not ids and isinstance(record, Pair):
            raise DataError(
                f"the {record.direction} pair with the source {record.source[:80]!r} has an empty translation"
            )
        return Prefix(record.key, prompt, ids, end)

    def preferred(self, preference: Preference) -> Example:
        """One request with its chosen answer, and again with the rejected one; each answer's end belongs to it."""
        both = [pair for pair in requests_of(preference) if isinstance(pair, Pair)]
        first = self.counting(both[:1], self.rows.get(preference.key, 0))
        asked, _ = first._parted(both[0])
        segments: list[Segment] = []
        for name, pair in zip(("chosen", "rejected"), both, strict=True):
            prefix = self._prefix(pair, asked, pair.target)
            segments += [Segment("prompt", prefix.prompt, 0.0), Segment(name, prefix.reference + prefix.end)]
        return _example(preference.key, *segments)

    def instructed(self, key: str, instruction: str, input: str, answer: str) -> Prefix:
        """An instruction, its input (apart from it where the chat format has a place for that), and the answer."""
        prompt, ids = self.renderer.answer((Turn("user", instruction, input),), answer)
        return Prefix(key, prompt, ids, self.renderer.end)

    def referenced(self, record: Record) -> AnsweredPrompt:
        """The request, and the reference as its answer, with the end of the turn."""
        prefix = self.prefix(record)
        return AnsweredPrompt(prefix.prompt, prefix.reference + prefix.end)

    def request(self, record: Record) -> Ids:
        """The request alone: the prompt of `prefix`, with the same instruction."""
        return self._ready(self._parted(record)[0])

    def texts(self, record: Record) -> tuple[str, str]:
        """Request and reference as text, without a chat format.

        In a conversation of several turns, each is preceded by who speaks: `User: …`.
        """
        asked, reference = self._parted(record)
        if isinstance(asked, str):
            return asked, reference.strip()
        if len(asked) == 1:
            return asked[0].whole, reference.strip()
        return "\n\n".join(f"{turn.role.capitalize()}: {turn.whole}" for turn in asked), reference.strip()

    def translate(self, pair: Pair) -> Ids:
        """The request to translate a pair's source.

        Its wording depends only on the source, so a sentence is asked for in the same words whether or not its
        translation is known; of a format's instructions it is the first.
        """
        unknown = replace(pair, target="")
        return self._ready(self.format.asked(unknown) if self.format else self._parted(unknown, self.alone)[0])

    def after(self, answer: str, pair: Pair) -> str:
        """The translation in an answer to `translate`, taken out as the published system's script does; otherwise the
        answer.
        """
        return self.format.after(answer, pair) if self.format else answer

    def chat(self, text: str) -> Ids:
        """A text as the user's turn, ready to be answered."""
        return self.renderer.prompt((Turn("user", text),))

    def turns(self, turns: Sequence[Turn]) -> Ids:
        """A conversation that ends with the user's turn, ready to be answered."""
        return self.renderer.prompt(turns)

    def written(self, text: str) -> Ids:
        """A prompt that is already written out in full: special tokens in it count as tokens."""
        return self.renderer.written(text)

    def plain(self, text: str) -> Ids:
        """A text without a chat format, for the model to continue."""
        return self.renderer.plain(text)

    def document(self, text: str) -> tuple[Ids, Ids]:
        """A whole text without a chat format, with what begins one; and the token that ends it."""
        return self.renderer.document(text)

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

        The rationale's tokens are those that the engine returned, including the one that ends it: a rationale that
        was cut off at the limit has no end. Without a rationale the turn ends after the reference, as the chat
        template ends it.

        `healed` says that the rationale begins with a replacement for the reference's last token (`Sampling.heal`);
        it is then moved into the reference. `weight` applies to the rationale's tokens except its end,
        `prompt_weight` to the request's. `sample` (1, 2, …) distinguishes further samples of the same pair.
        """
        written, end = (rationale.body, rationale.end) if rationale else ((), prefix.end)
        logprobs = (rationale.logprobs if rationale else None) or ()
        reference = prefix.reference
        if healed and written:
            reference, written, logprobs = reference[:-1] + written[:1], written[1:], logprobs[1:]
        return _example(
            f"{prefix.key}#{sample}" if sample else prefix.key,
            Segment("prompt", prefix.prompt, prompt_weight),
            Segment("reference", reference),
            Segment("rationale", written, weight, logprobs[: len(written)]),
            Segment("end", end),
        )

    def own(self, key: str, prompt: Ids, written: Written, segment: str = "own") -> Example:
        """Prompt, the model's own answer as a segment of that name, and the end of the turn.

        The ids are those that the engine returned, the end included: an answer that was cut off has none. `DataError`
        if the answer has no token.
        """
        logprobs, length = written.logprobs or (), len(written.body)
        answer = Segment(segment, written.body, logprobs=logprobs[:length])
        end = Segment("end", written.end, logprobs=logprobs[length : length + len(written.end)])
        return _example(key, Segment("prompt", prompt, 0.0), answer, end)

    def adopt(self, prefix: Prefix, text: str, finished: bool, *, healed: bool = False) -> Written:
        """A rationale from a model with another vocabulary: its text in this backbone's ids, as they follow the
        prefix.

        Its turn ends as the chat template ends it, if the rationale was `finished`. With `healed`, the ids begin with
        a replacement for the reference's last token, which may have merged with what follows.
        """
        body = self.renderer.following(prefix.ids, text, heal=healed)
        return Adopted(body, self.renderer.end if finished else ())

    def question(self, question: Question) -> Ids:
        """A question, ready to be answered."""
        return self.renderer.prompt(question.turns)

    def dialogue(self, dialogue: Dialogue, *, prompt_weight: float = 0.0) -> Example:
        """A whole conversation in which every turn of the assistant is trained, its end included.

        `prompt_weight` is the weight of what stands before and between these turns.
        """
        runs = self.renderer.conversation(dialogue.turns)
        weights = {"prompt": prompt_weight}
        return _example(dialogue.key, *(Segment(run.part, run.ids, weights.get(run.part, 1.0)) for run in runs))

    def _ready(self, asked: str | tuple[Turn, ...]) -> Ids:
        return self.written(asked.rstrip(" ")) if isinstance(asked, str) else self.renderer.prompt(asked)

    def _parted(self, record: Record, alone: bool = False) -> tuple[str | tuple[Turn, ...], str]:
        """The request, as turns or written out, and the reference."""
        if isinstance(record, Pair) and self.format:
            place = self.format.place(record, self.seed, self.rows.get(record.key, 0))
            return self.format.asked(record, place), record.target
        if isinstance(record, Pair):
            return (Turn("user", instruction(record, self.seed, alone)),), record.target
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
