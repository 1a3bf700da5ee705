"""The right answer in a row of BBH: from its file or, if the translation is damaged, from the same row in English.

Repaired by position are: the right option's letter ("(UND)" for "(E)"), the letters of the options, the two words of
an answer (the file's own, those of the option lines, and those of the language's table are all accepted), numbers (a
service spelled "-33" with an Arabic letter), brackets. Sorted words can't be taken from another language: the words
of the translated list are sorted again, if its script has an alphabet.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dragoman.suites._answers import WORDS, latin, meaning, other, plain, words
from dragoman.suites.bbh.option_lines import Options, letter, parse, restore

REPAIRED = "rows repaired"
GOLD, MARKS = "gold labels by position", "option letters by position"
TAKEN, ANEW = "options in English, their letter was part of a word", "words sorted anew"
MERGED = "left out: options that ran into each other"
DAMAGED = "left out: the right answer is not among the options (name the English originals under `originals`)"
NO_ORDER = "left out: no list of words, or none that has an alphabet, to be sorted"
UNSORTABLE = ("zh", "ja", "th", "km", "lo", "my")
SORTING = "word_sorting"

_LETTER = re.compile(r"[(（]\s*([^()（）]{1,6}?)\s*[)）]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_BETWEEN = re.compile(r"\s*[,،、，;；]\s*")


@dataclass(frozen=True, slots=True)
class BbhRow:
    """A question and its right answer as they stand in a file."""

    place: str
    file: str
    task: str
    input: str
    target: str


@dataclass(frozen=True, slots=True)
class Gold:
    """A question with its options, the right answers, and the wrong ones if there are only a few possible answers."""

    options: Options
    kind: Literal["letter", "words", "text"]
    values: tuple[str, ...]
    others: tuple[str, ...] = ()


def learnt(rows: Sequence[BbhRow], english: Sequence[BbhRow], notes: Counter[str]) -> Mapping[str, tuple[str, ...]]:
    """What a task's file calls each of the two answers, learnt from the English rows at the same places.

    A word that stands for both is ambiguous and left out.
    """
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, one in zip(rows, english, strict=True):
        if (label := meaning(one.target, "en")) and row.target:
            found[plain(row.target)][label] += 1
    both = {word for word, labels in found.items() if len(labels) > 1}
    if both:
        notes["rows whose label stands for both answers"] += sum(plain(row.target) in both for row in rows)
    called: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row, one in zip(rows, english, strict=True):
        if (label := meaning(one.target, "en")) and row.target and plain(row.target) not in both:
            called[label][row.target] = None
    return {label: tuple(spelt) for label, spelt in called.items()}


def by_position(
    row: BbhRow, english: BbhRow, called: Mapping[str, tuple[str, ...]], language: str, notes: Counter[str]
) -> Gold | None:
    """The right answer in a translated row, with repairs counted in `notes`; None if the row had to be left out."""
    original = parse(english.input)
    restored = restore(row.input, original)
    if restored is None:
        notes[MERGED] += 1
        return None
    options, marks, taken = restored
    done = Counter({MARKS: int(marks), TAKEN: int(taken)})
    mark = _letter(english.target)
    label = meaning(english.target, "en")
    if original.lettered and mark is not None:
        gold: Gold | None = Gold(options, "letter", (mark,))
        done[GOLD] += _letter(row.target) != mark
    elif label is not None:
        gold = _words(options, original, label, called, language)
        spelt = (*words(label, language), *_at(options, original, label))
        done[GOLD] += plain(row.target) not in map(plain, spelt)
    elif row.task == SORTING:
        gold = _sorted(row, options, language, done)
        if gold is None:
            notes[NO_ORDER] += 1
            return None
    elif _number(english.target) is not None:
        gold = Gold(options, "text", (english.target,))
        done[GOLD] += _number(row.target) != _number(english.target)
    elif not re.search(r"\w", english.target):  # brackets
        gold = Gold(options, "text", (english.target,))
        done[GOLD] += "".join(row.target.split()) != "".join(english.target.split())
    else:
        gold = Gold(options, "text", tuple(dict.fromkeys(filter(None, (row.target, english.target)))))
    notes.update(done)
    notes[REPAIRED] += done.total() > 0
    return gold


def as_published(rows: Sequence[BbhRow], language: str, notes: Counter[str]) -> list[Gold | None]:
    """The right answers in a task's rows by themselves; None for damaged rows, which `notes` counts."""
    marks = {found[1] for row in rows if (found := _LETTER.fullmatch(row.target))}
    numbers = sum(_number(row.target) is not None for row in rows) * 2 > len(rows)
    called: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        if label := meaning(row.target, language):
            called[label][row.target] = None
    spelt = {label: tuple(words) for label, words in called.items()}
    golds = [_published(row, language, spelt, numbers, frozenset(marks), rows) for row in rows]
    notes[DAMAGED] += sum(gold is None for gold in golds)
    return golds


def _published(
    row: BbhRow,
    language: str,
    called: Mapping[str, tuple[str, ...]],
    numbers: bool,
    marks: frozenset[str],
    rows: Sequence[BbhRow],
) -> Gold | None:
    options = parse(row.input)
    found = _LETTER.fullmatch(row.target)
    if found and (options.lettered or marks):
        mark = latin(found[1])
        swapped = found[1] == "و" and not {"ه", "هـ"} & marks  # "and": what a service made of the English letter E
        right = mark in options.letters and letter(options.letters.index(str(mark))) == mark and not swapped
        return Gold(options, "letter", (str(mark),)) if right else None
    label = meaning(row.target, language)
    if label is not None and not options.lettered:
        return _words(options, None, label, called, language)
    if options.texts and not options.lettered:
        others = tuple(text for text in options.texts if plain(text) != plain(row.target))
        return Gold(options, "words", (row.target,), others) if len(others) < len(options.texts) else None
    if row.task == SORTING and language != "en":
        listed = sorted(_listed(row.input))
        return Gold(options, "text", (row.target,)) if sorted(_items(row.target, listed)) == listed else None
    if numbers:
        return None if _number(row.target) is None else Gold(options, "text", (row.target,))
    others = tuple(dict.fromkeys(one.target for one in rows if plain(one.target) != plain(row.target)))
    if 0 < len(others) <= 2 and not options.texts:  # an answer of a few words, which no table knows
        return Gold(options, "words", (row.target,), others)
    return Gold(options, "text", (row.target,))


def _words(
    options: Options, original: Options | None, label: str, called: Mapping[str, tuple[str, ...]], language: str
) -> Gold:
    """One of two answers: all known ways to say it, and all ways to say the other."""

    def spelt(one: str) -> tuple[str, ...]:
        table = WORDS[one].get(language.split("_")[0], ())
        rest = (*_at(options, original, one, language), *called.get(one, ()), *WORDS[one]["en"])
        first: dict[str, str] = {}
        for word in (*table, *rest):
            first.setdefault(plain(word), word)
        return tuple(first.values())

    right, wrong = spelt(label), spelt(other(label))
    both = {plain(word) for word in right} & {plain(word) for word in wrong}
    return Gold(
        options,
        "words",
        tuple(word for word in right if plain(word) not in both),
        tuple(word for word in wrong if plain(word) not in both),
    )


def _at(options: Options, original: Options | None, label: str, language: str = "en") -> tuple[str, ...]:
    """The option at the place where the original's has this meaning; without an original, the option with this
    meaning.
    """
    texts = options.texts if original is None else original.texts
    meant = language if original is None else "en"
    return tuple(
        options.texts[at]
        for at, text in enumerate(texts)
        if not options.lettered and at < len(options.texts) and meaning(text, meant) == label
    )


def _sorted(row: BbhRow, options: Options, language: str, done: Counter[str]) -> Gold | None:
    listed = _listed(row.input)
    if language.split("_")[0] in UNSORTABLE or not listed:
        return None
    orders = (sorted(listed, key=_bare), sorted(listed, key=str.casefold))
    joint = ", " if any(" " in item for item in listed) else " "
    done[ANEW] += _items(row.target, listed) not in [[plain(item) for item in order] for order in orders]
    return Gold(options, "text", tuple(dict.fromkeys(joint.join(order) for order in orders)))


def _listed(text: str) -> list[str]:
    """The words to sort: those after the last colon."""
    return _parts(re.split("[:：]", text)[-1].strip(" ."))


def _items(target: str, listed: Sequence[str]) -> list[str]:
    """The words of an answer, split like those of the list."""
    parts = _parts(target) if any(" " in item for item in listed) else re.split(r"[\s,،、，]+", target.strip())
    return [plain(part) for part in parts]


def _parts(text: str) -> list[str]:
    return [part for part in (_BETWEEN.split(text) if _BETWEEN.search(text) else text.split()) if part]


def _bare(text: str) -> str:
    """The text without case and accents, as most dictionaries sort."""
    return "".join(one for one in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(one))


def _letter(target: str) -> str | None:
    found = _LETTER.fullmatch(target)
    return latin(found[1]) if found else None


def _number(text: str) -> float | None:
    """A number in digits of any script."""
    plainer = "".join(str(unicodedata.digit(one)) if one.isdigit() else one for one in text.replace("−", "-").strip())
    return float(plainer) if _NUMBER.fullmatch(plainer) else None
