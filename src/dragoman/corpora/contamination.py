"""Contamination: whether a training record has something in common with the texts that models are judged on.

Texts are compared sentence by sentence, and 13 words at a time:

    exact        a sentence of the record is a sentence of a test set
    normalised   it is, but for case, punctuation, white space and the form of its characters (NFKC)
    13-gram      13 words in a row are the same, or 20 characters in scripts that put no spaces between words
    whole        the request of a conversation is one that is asked, or a side of a pair is a side of a test pair

A sentence is long enough to be compared if it has at least 5 words and 20 letters, or 12 characters in scripts
without spaces: "Translate the following sentence." is too short. Shorter texts are compared only as wholes. Words are
separated by white space and punctuation, so `don't` counts as two.

For each test set, the items (pairs, questions, prompts) that training data holds are counted too: those of which a
record has a whole or a sentence, ignoring case. A run of words is not enough for that.

The words around a question ("Answer with a letter.") are not content: only a question's `texts` are cut into
sentences, and a question without any is compared as a whole. So are texts from one small grammar, such as the lab's,
in which two sentences may be alike by chance.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Literal

from dragoman.corpora.records import Pair, Question, Record, Request, Text, Turn

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
    """A table for `str.translate`: punctuation and symbols become spaces, and invisible signs are removed."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        self[code] = "" if category == "Cf" else " " if category[0] in "PSZC" else chr(code)
        return self[code]


_PLAIN = _Plain()


@dataclass(frozen=True, slots=True)
class Shared:
    """What a record has in common with a test set: how it was found, and the words (for a 13-gram in plain form)."""

    kind: Kind
    text: str
    test_set: str


@dataclass(frozen=True, slots=True)
class Index:
    """The texts that models are judged on, as hashes; each maps to the number of a text.

    `texts` has the items that each text belongs to, such as all questions about one passage; `items` has the number
    of each item's test set.
    """

    names: list[str] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    texts: list[list[int]] = field(default_factory=list)
    sentences: dict[int, int] = field(default_factory=dict)
    plain: dict[int, int] = field(default_factory=dict)
    runs: dict[int, int] = field(default_factory=dict)
    sides: dict[int, int] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)
    talks: dict[int, int] = field(default_factory=dict)

    def find(self, record: Record | Request | Text) -> Shared | None:
        """What the record shares with a test set; None if nothing."""
        if self.plain or self.runs:
            for text in _texts(record):
                if found := self._within(text):
                    return found
        return next((Shared("whole", text, self._named(at)) for text, at in self._wholes(record)), None)

    def held(self, record: Record | Request | Text) -> set[int]:
        """The items of which the record holds a whole or a sentence.

        A pair's side that is short ("Thank you.") counts only together with the other side.
        """
        wholes = list(self._wholes(record))
        texts = {at for text, at in wholes if not isinstance(record, Pair) or _says_enough(_units(text))}
        both = set.intersection(*(set(self.texts[at]) for _, at in wholes)) if len(wholes) == 2 else set[int]()
        for sentence in (part for text in _texts(record) for part in _SENTENCE_ENDS.split(text)):
            words = _units(sentence)
            at = self.plain.get(hash(" ".join(words))) if words else None
            texts |= set() if at is None else {at}
        return both | {item for at in texts for item in self.texts[at]}

    def sizes(self) -> Counter[int]:
        """The number of items in each test set, by its number."""
        return Counter(self.items)

    def _named(self, at: int) -> str:
        return self.names[self.items[self.texts[at][0]]]

    def _wholes(self, record: Record | Request | Text) -> Iterator[tuple[str, int]]:
        found: list[tuple[str, int | None]]
        if isinstance(record, Pair):
            found = [(text, self.sides.get(_hash_of(text))) for text in (record.source, record.target)]
        elif isinstance(record, Text):
            found = [(record.text, self.requests.get(_hash_of(record.text)))]
        else:
            request = record.turns if isinstance(record, Request) else record.turns[:-1]
            asked = [turn for turn in request if turn.role != "system"]
            last = asked[-1].whole
            found = [(last, self.requests.get(_hash_of(last))), (last, self.talks.get(_talk(asked)))]
        return ((text, at) for text, at in found if at is not None)

    def _within(self, text: str) -> Shared | None:
        units: list[str] = []
        for sentence in _SENTENCE_ENDS.split(text):
            words = _units(sentence)
            at = self.plain.get(hash(" ".join(words))) if words else None
            if at is not None:
                exact = self.sentences.get(hash(sentence.strip()))
                return Shared("normalised" if exact is None else "exact", sentence.strip(), self._named(at))
            units += words
        for run in _runs(units):
            at = self.runs.get(hash(run))
            if at is not None and _letters(run) >= FEWEST_LETTERS:
                return Shared("13-gram", run, self._named(at))
        return None


def index(
    questions: Iterable[Question],
    pairs: Iterable[Pair],
    one_grammar: bool = False,
    prompts: Mapping[str, Iterable[str]] | None = None,
    named: str = "translation",
) -> Index:
    """The index that training records are compared with: the pairs and questions of all test sets, and other prompts.

    The pairs' test sets are called as `named`, with their direction.

    With `one_grammar`, pairs are compared only as wholes: their sentences were generated, and may be alike by chance.
    `prompts` are plain texts by the name of their suite.
    """
    made = Index()
    sets: dict[str, int] = {}
    known: dict[tuple[str, int], int] = {}

    def new_item(name: str) -> int:
        if name not in sets:
            sets[name] = len(made.names)
            made.names.append(name)
        made.items.append(sets[name])
        return len(made.items) - 1

    def place(form: str, key: int, item: int) -> int:
        """The number of a text, to which this item is added."""
        at = known.setdefault((form, key), len(made.texts))
        if at == len(made.texts):
            made.texts.append([])
        made.texts[at].append(item)
        return at

    def add(text: str, item: int) -> None:
        before = len(made.texts)
        if (at := place("text", hash(text), item)) == before:
            _add(made, text, at)

    def request(text: str, item: int) -> None:
        made.requests.setdefault(_hash_of(text), place("whole", _hash_of(text), item))

    for pair in pairs:
        item = new_item(f"{named} {pair.direction}")
        for side in (pair.source, pair.target):
            request(side, item)
            made.sides.setdefault(_hash_of(side), made.requests[_hash_of(side)])
            if not one_grammar:
                add(side, item)
    for question in questions:
        item = new_item(question.family)
        asked = [turn for turn in question.turns if turn.role != "system"]
        if sum(turn.role == "user" for turn in asked) == 1:
            request(asked[-1].whole, item)
        else:
            made.talks.setdefault(_talk(asked), place("talk", _talk(asked), item))
        for text in question.texts:
            add(text, item)
    for name, text in ((name, text) for name, texts in (prompts or {}).items() for text in texts):
        item = new_item(name)
        request(text, item)
        add(text, item)
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
    """All runs that are just long enough. Where a run begins determines how long it is, so equal texts have equal
    runs.
    """
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


def _texts(record: Record | Request | Text) -> list[str]:
    if isinstance(record, Pair):
        return [record.source, record.target]
    if isinstance(record, Text):
        return [record.text]
    return [text for turn in record.turns if turn.role != "system" for text in (turn.text, turn.input) if text]


def _hash_of(text: str) -> int:
    return hash(" ".join(text.split()).casefold())


def _talk(turns: Iterable[Turn]) -> int:
    return hash(tuple(_hash_of(turn.whole) for turn in turns))
