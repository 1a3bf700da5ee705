"""Tells whether a record to learn from has something of the texts that models are judged on.

Texts are compared sentence by sentence, and 13 words at a time:

    exact        a sentence of the record is a sentence of a test set
    normalised   it is, but for case, punctuation, white space and the form of its characters (NFKC)
    13-gram      13 words in a row are the same, or 20 characters in scripts that put no spaces between words
    whole        the request of a conversation is one that is asked, or a side of a pair is a side of a test pair

A sentence says enough to be compared with at least 5 words and 20 letters, or 12 characters in
scripts without spaces: "Translate the following sentence." does not. What says less counts as a
whole alone. Words are told apart by white space and punctuation, so that `don't` counts as two.

The words around a question ("Answer with a letter.") are no content: of a question only its `texts`
are cut into sentences, and a question that has none is compared as a whole. So are texts that come
from one small grammar, as the lab's do, where two sentences may be alike by chance.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Literal

from dragoman.corpora.records import Pair, Question, Record, Turn

Kind = Literal["exact", "normalised", "13-gram", "whole"]

WORDS, CHARACTERS = 13, 20  # in a row
RUN = WORDS * CHARACTERS  # what a run must come to, where a word counts CHARACTERS and a character WORDS
FEWEST_WORDS, FEWEST_LETTERS, FEWEST_CHARACTERS = 5, 20, 12  # of a sentence that says enough
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"  # Thai, Lao, Burmese, Khmer, kana, Chinese characters
)
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…؟।])(?<![\s.]\w\.)\s+|(?<=[。！？])|\n+")  # but not after a letter: `W. Bush`


class _Plain(dict[int, str]):
    """A table for `str.translate`: punctuation and symbols become spaces, and signs that are not seen go."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        self[code] = "" if category == "Cf" else " " if category[0] in "PSZC" else chr(code)
        return self[code]


_PLAIN = _Plain()


@dataclass(frozen=True, slots=True)
class Shared:
    """What a record has in common with a test set: how it was found, and the words (those of a run in plain form)."""

    kind: Kind
    text: str
    test_set: str


@dataclass(frozen=True, slots=True)
class Index:
    """The texts that models are judged on, as hashes; each leads to the number of the test set that it is from."""

    names: list[str] = field(default_factory=list)
    sentences: dict[int, int] = field(default_factory=dict)
    plain: dict[int, int] = field(default_factory=dict)
    runs: dict[int, int] = field(default_factory=dict)
    sides: dict[int, int] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)
    talks: dict[int, int] = field(default_factory=dict)

    def find(self, record: Record) -> Shared | None:
        """What the record shares with a test set; None where that is nothing."""
        texts = (record.source, record.target) if isinstance(record, Pair) else _texts(record.turns)
        if self.plain or self.runs:
            for text in texts:
                if found := self._within(text):
                    return found
        if isinstance(record, Pair):
            return self._whole((text, self.sides.get(_hash_of(text))) for text in texts)
        asked = [turn for turn in record.turns[:-1] if turn.role != "system"]
        last = asked[-1].whole
        key = _hash_of(last)
        return self._whole((last, number) for number in (self.requests.get(key), self.talks.get(_talk(asked))))

    def _whole(self, found: Iterable[tuple[str, int | None]]) -> Shared | None:
        return next((Shared("whole", text, self.names[at]) for text, at in found if at is not None), None)

    def _within(self, text: str) -> Shared | None:
        units: list[str] = []
        for sentence in _SENTENCE_ENDS.split(text):
            words = _units(sentence)
            at = self.plain.get(hash(" ".join(words))) if words else None
            if at is not None:
                exact = self.sentences.get(hash(sentence.strip()))
                return Shared("normalised" if exact is None else "exact", sentence.strip(), self.names[at])
            units += words
        for run in _runs(units):
            at = self.runs.get(hash(run))
            if at is not None and _letters(run) >= FEWEST_LETTERS:
                return Shared("13-gram", run, self.names[at])
        return None


def index(questions: Iterable[Question], pairs: Iterable[Pair], one_grammar: bool = False) -> Index:
    """What the records to learn from are compared with: the pairs and questions of all test sets.

    With `one_grammar` pairs are compared as wholes alone: their sentences were made, and may be alike by chance.
    """
    made = Index()
    numbers: dict[str, int] = {}
    seen: set[int] = set()

    def number(name: str) -> int:
        if name not in numbers:
            numbers[name] = len(made.names)
            made.names.append(name)
        return numbers[name]

    def add(text: str, at: int) -> None:
        if (key := hash(text)) not in seen:
            seen.add(key)
            _add(made, text, at)

    for pair in pairs:
        at = number(f"translation {pair.direction}")
        for side in (pair.source, pair.target):
            made.sides.setdefault(_hash_of(side), at)
            made.requests.setdefault(_hash_of(side), at)
            if not one_grammar:
                add(side, at)
    for question in questions:
        at = number(question.family)
        asked = [turn for turn in question.turns if turn.role != "system"]
        if sum(turn.role == "user" for turn in asked) == 1:
            made.requests.setdefault(_hash_of(asked[-1].whole), at)
        else:
            made.talks.setdefault(_talk(asked), at)
        for text in question.texts:
            add(text, at)
    return made


def _add(made: Index, text: str, at: int) -> None:
    units: list[str] = []
    for sentence in _SENTENCE_ENDS.split(text):
        words = _units(sentence)
        units += words
        if _says_enough(words):
            made.sentences.setdefault(hash(sentence.strip()), at)
            made.plain.setdefault(hash(" ".join(words)), at)
    for run in _runs(units):
        made.runs.setdefault(hash(run), at)


def _units(text: str) -> list[str]:
    """The words of a text without case and punctuation; in scripts without spaces, its characters."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN)
    return _UNSPACED.sub(r" \g<0> ", plain).split() if _UNSPACED.search(plain) else plain.split()


def _says_enough(units: Sequence[str]) -> bool:
    characters = sum(1 for unit in units if len(unit) == 1 and _is_character(unit))
    return characters >= FEWEST_CHARACTERS or (len(units) >= FEWEST_WORDS and _letters(units) >= FEWEST_LETTERS)


@cache
def _is_character(unit: str) -> bool:
    return _UNSPACED.match(unit) is not None


def _letters(units: Iterable[str]) -> int:
    return sum(map(str.isalpha, "".join(units)))


def _runs(units: Sequence[str]) -> Iterator[str]:
    """All runs that are just long enough. How long one is follows from where it begins: the same text has the same."""
    if not any(len(unit) == 1 and _is_character(unit) for unit in units):
        for start in range(len(units) - WORDS + 1):
            yield " ".join(units[start : start + WORDS])
        return
    lengths = (WORDS if len(unit) == 1 and _is_character(unit) else CHARACTERS for unit in units)
    sums = [0, *accumulate(lengths)]
    for start, before in enumerate(sums):
        end = bisect_left(sums, before + RUN)
        if end == len(sums):
            return
        yield " ".join(units[start:end])


def _texts(turns: Iterable[Turn]) -> list[str]:
    return [text for turn in turns if turn.role != "system" for text in (turn.text, turn.input) if text]


def _hash_of(text: str) -> int:
    return hash(" ".join(text.split()).casefold())


def _talk(turns: Iterable[Turn]) -> int:
    return hash(tuple(_hash_of(turn.whole) for turn in turns))
