"""Translatable content: the texts to be translated in instruction sets, question files and plain lines.

A file consists of entries, records that are kept or set aside as a whole, and each entry lists its texts with their
place in it. The translated file has the same form, order and keys. Published benchmarks are in `exams.py`.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from dragoman.errors import DataError
from dragoman.json_values import Json, JsonObject, as_object, as_text, held

Place = tuple[str | int, ...]
Value = TypeVar("Value", bound=Json)
MARK = "translated_by"
_LANGUAGE = ("lang", "language")  # keys that may name the language of a record


@dataclass(frozen=True, slots=True)
class Text:
    """A text with its place in its entry. `lines` must stay where they are a whole line, `words` wherever
    they occur.
    """

    at: Place
    text: str
    lines: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that is kept or set aside as a whole: its place in the file, for messages, and its texts."""

    place: str
    value: Json
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file was translated by, and between which languages."""

    by: str
    source: str
    target: str


class Content(Protocol):
    """A file whose format is known."""

    @property
    def format(self) -> str: ...

    @property
    def entries(self) -> Sequence[Entry]: ...

    @property
    def marked(self) -> str:
        """Where the file itself says that it is machine-translated; empty if its format has no room for that."""

    def settle(self, entry: Entry, texts: Mapping[Place, str]) -> tuple[Json, str]:
        """The entry with its translations; or why they don't make up a valid entry (otherwise empty)."""
        ...

    def written(self, done: Mapping[int, Json], mark: Mark) -> str:
        """The file again, with the settled entries, by number, and without all others."""
        ...


def patched(value: Value, texts: Mapping[Place, str]) -> Value:
    """A copy with other texts at some places."""
    value = copy.deepcopy(value)
    for (*above, last), text in texts.items():
        match held(value, above), last:
            case dict() as record, str():
                record[last] = text
            case list() as listed, int():
                listed[last] = text
            case holder, _:
                raise TypeError(f"{holder!r:.60} has no place {last!r}")
    return value


def only_text(value: Json, place: str, field: str) -> str:
    """A field that must be text; DataError with its place if it is not."""
    if not isinstance(value, str):
        shown = repr(value)
        raise DataError(f"{place}: {field!r} must be text, not {shown[:40]}{'…' * (len(shown) > 40)}")
    return value


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of record: the keys it is recognised by, where its texts are, and whether it may have keys of others."""

    name: str
    keys: frozenset[str]
    places: Callable[[JsonObject], list[Place]]
    open: bool = True


def _plain(*keys: str) -> Callable[[JsonObject], list[Place]]:
    return lambda record: [(key,) for key in keys if record.get(key) is not None]


def _turns(key: str, text: str) -> Callable[[JsonObject], list[Place]]:
    def places(record: JsonObject) -> list[Place]:
        listed = record[key]
        turns = [turn for turn in listed if isinstance(turn, dict) and text in turn] if isinstance(listed, list) else []
        if not isinstance(listed, list) or len(turns) < len(listed):
            raise DataError(f"{key!r} must be a list of turns, each with {text!r}")
        return [(key, number, text) for number, turn in enumerate(turns) if turn[text] is not None]

    return places


FORMS = (
    Form("questions of Dragoman's", frozenset({"prompt", "check"}), _plain("prompt"), open=False),
    Form("questions of Dragoman's", frozenset({"turns", "check"}), _turns("turns", "text"), open=False),
    Form("conversations (messages)", frozenset({"messages"}), _turns("messages", "content")),
    Form("conversations (ShareGPT)", frozenset({"conversations"}), _turns("conversations", "value")),
    Form("Alpaca's records", frozenset({"instruction", "output"}), _plain("instruction", "input", "output")),
    Form("Dolly's records", frozenset({"instruction", "response"}), _plain("instruction", "context", "response")),
    Form("problems with solutions", frozenset({"problem", "solution"}), _plain("problem", "solution")),
)


def form_of(record: Json) -> Form | None:
    """The form of a record, if it is a known one."""
    if not isinstance(record, dict):
        return None
    return next((form for form in FORMS if form.keys <= record.keys()), None)


class Records:
    """JSON objects, one per line or in one array."""

    def __init__(self, records: Sequence[Json], places: Sequence[str], lines: bool):
        self._lines = lines
        self.entries = [_entry(record, place) for record, place in zip(records, places, strict=True)]
        first = form_of(records[0]) or FORMS[0]
        self.format = f"{first.name}, {'one a line' if lines else 'a JSON array'}"
        self.marked = f'"{MARK}" in each record' if first.open else ""

    def settle(self, entry: Entry, texts: Mapping[Place, str]) -> tuple[Json, str]:
        return patched(entry.value, texts), ""

    def written(self, done: Mapping[int, Json], mark: Mark) -> str:
        records = [_marked(as_object(done[number]), mark) for number in sorted(done)]
        if self._lines:
            return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
        return json.dumps(records, ensure_ascii=False, indent=1) + "\n"


def _entry(record: Json, place: str) -> Entry:
    form = form_of(record)
    if form is None or not isinstance(record, dict):
        what = f"the keys {', '.join(map(repr, record))}" if isinstance(record, dict) else f"{record!r:.60}"
        raise DataError(f"{place}: no record of a form that is known, but {what}. {KNOWN}")
    texts = []
    try:
        places = form.places(record)
    except DataError as error:
        raise DataError(f"{place}: {error}") from error
    for at in places:
        texts.append(Text(at, only_text(held(record, at), place, ".".join(map(str, at)))))
    return Entry(place, record, tuple(texts))


def _marked(record: JsonObject, mark: Mark) -> JsonObject:
    """A record with the language that it is now in, and the mark if there is room for it."""
    same = {key: mark.target if key in _LANGUAGE and value == mark.source else value for key, value in record.items()}
    form = form_of(record)
    if form is not None and not form.open:
        return same | {"language": mark.target}
    return same | {MARK: mark.by}


class Lines:
    """Plain text; empty lines stay where they are."""

    format = "plain lines"
    marked = ""

    def __init__(self, lines: Sequence[str]):
        self.entries = [
            Entry(f"line {number}", line, (Text((), line),) if line.strip() else ())
            for number, line in enumerate(lines, start=1)
        ]

    def settle(self, entry: Entry, texts: Mapping[Place, str]) -> tuple[Json, str]:
        return " ".join(texts.get((), as_text(entry.value)).split("\n")), ""

    def written(self, done: Mapping[int, Json], mark: Mark) -> str:
        return "".join(f"{done[number]}\n" for number in sorted(done))


KNOWN = (
    "Known are Alpaca's records (instruction, input, output), Dolly's (instruction, context, response), problem and "
    "solution, messages, ShareGPT's conversations, questions with a prompt and a check, SQuAD's JSON, BBH's JSON, "
    "MMLU's CSV without a header, and plain lines of text in a file that ends in .txt."
)
