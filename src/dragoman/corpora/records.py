"""Records: pairs, dialogues and questions, as plain data."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal, TypeVar

T = TypeVar("T")
Role = Literal["system", "user", "assistant"]


def content_key(*parts: str) -> str:
    """A short name for some text that is the same on every machine and in every order of the data."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def draw(key: str, purpose: str, seed: int = 0) -> float:
    """A number in [0, 1) that depends only on the record, the purpose and the seed."""
    digest = hashlib.sha256(f"{seed}\x1f{purpose}\x1f{key}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / (1 << 56)


def evenly(items: Sequence[T], group: Callable[[T], str], count: int | None) -> list[T]:
    """The first `count` items (all, if None), equally many of each group if it has them."""
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    rounds = zip_longest(*(groups[name] for name in sorted(groups)))
    return [item for some in rounds for item in some if item is not None][:count]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence (or passage) and its human translation."""

    source: str
    target: str
    source_language: str
    target_language: str
    document: str = ""

    @property
    def direction(self) -> str:
        return f"{self.source_language}-{self.target_language}"

    @property
    def key(self) -> str:
        return content_key(self.direction, self.source, self.target)

    def reversed(self) -> "Pair":
        return Pair(self.target, self.source, self.target_language, self.source_language, self.document)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation."""

    role: Role
    text: str
    input: str = ""
    """The input that an instruction is about, if it is kept separately, as in Alpaca's data."""

    @property
    def whole(self) -> str:
        """The text, followed by a blank line and its input if it has one."""
        return f"{self.text}\n\n{self.input}" if self.input else self.text


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation to learn from: it ends with the assistant's turn."""

    turns: tuple[Turn, ...]
    origin: str = ""
    language: str = "en"

    @property
    def key(self) -> str:
        return content_key(*(f"{turn.role}:{turn.whole}" for turn in self.turns))


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt without an answer: a conversation that ends with the user's turn."""

    turns: tuple[Turn, ...]
    kind: str = ""
    """What sort of request it is, such as `summary`; empty if that is not known."""
    origin: str = ""

    @property
    def key(self) -> str:
        """Equal for requests that differ in case and white space alone."""
        return content_key(*(f"{turn.role}:{' '.join(turn.whole.casefold().split())}" for turn in self.turns))


Record = Pair | Dialogue
"""A request and an answer to it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document, to be learnt as it stands."""

    text: str
    language: str
    origin: str = ""

    @property
    def key(self) -> str:
        return content_key(self.language, self.text)


@dataclass(frozen=True, slots=True)
class Preference:
    """Two translations of a source, of which the chosen one is better."""

    source: str
    chosen: str
    rejected: str
    source_language: str
    target_language: str
    origin: str = ""

    @property
    def direction(self) -> str:
        return f"{self.source_language}-{self.target_language}"

    @property
    def key(self) -> str:
        return content_key(self.direction, self.source, self.chosen, self.rejected)


@dataclass(frozen=True, slots=True)
class TranslationError:
    """An error that somebody marked in a translation: `start` to `end` of its text, or no place."""

    category: str
    severity: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class RatedTranslation:
    """A translation with its score (higher is better) and the errors that were marked in it."""

    text: str
    score: float
    errors: tuple[TranslationError, ...] = ()
    system: str = ""


@dataclass(frozen=True, slots=True)
class Rated:
    """A source with translations that were rated."""

    source: str
    translations: tuple[RatedTranslation, ...]
    source_language: str
    target_language: str
    origin: str = ""

    @property
    def direction(self) -> str:
        return f"{self.source_language}-{self.target_language}"

    @property
    def key(self) -> str:
        texts = (one.text for one in self.translations)
        return content_key(self.direction, self.source, *texts)


Learnt = Record | Text | Preference | Rated
"""What a method may learn from."""


def requests_of(record: Learnt) -> tuple[Record, ...]:
    """The requests with their answers that a record holds: itself, a pair for each translation, none for a text."""
    if isinstance(record, Pair | Dialogue):
        return (record,)
    if isinstance(record, Text):
        return ()
    if isinstance(record, Preference):
        targets = [record.chosen, record.rejected]
    else:
        targets = [one.text for one in record.translations]
    return tuple(Pair(record.source, target, record.source_language, record.target_language) for target in targets)


@dataclass(frozen=True, slots=True)
class Check:
    """How an answer is judged by rule: the name of a function in `suites.questions.checks`, and its arguments."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt whose answer can be checked. The turns end with the user's."""

    family: str
    turns: tuple[Turn, ...]
    check: Check
    language: str = "en"
    subject: str = ""
    """The part of its family that it belongs to, such as one of MMLU's subjects; parts get scores too."""
    texts: tuple[str, ...] = ()
    """The texts that came from the benchmark (a context, a question), without the words around them."""
    id: str = ""
    """The benchmark's own id; SUBJECT/NUMBER, counted from 1, if it has none."""

    @property
    def key(self) -> str:
        return content_key(self.family, *(f"{turn.role}:{turn.whole}" for turn in self.turns))
