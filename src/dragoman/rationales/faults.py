"""Faults of a rationale, each found by a simple rule. Works on texts and ids; needs no model.

Rules can be wrong, so what they find is counted and shown, and taken out only if the recipe says so.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from dragoman.corpora.language import base, dominant, in_wrong_language, known, labels
from dragoman.corpora.records import Pair, Record
from dragoman.generation.ask import Completion, Finish, Ids
from dragoman.generation.door import loops

Fault = Literal[
    "failed",
    "empty",
    "cut",
    "repeating",
    "wrong_language",
    "repeats_reference",
    "contradicts_reference",
    "duplicate",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_RUN, _TIMES = 16, 3  # tokens in a row, and how often they may not occur
_ALIKE = 0.6  # likeness from which on a passage is another wording of the reference
# ... where it is announced as one: explanations are in English too, and two English sentences share a fifth
_ALIKE_IN_ENGLISH, _ALIKE_ELSEWHERE = 0.35, 0.1
_SHORTEST, _LONGEST = 2 / 3, 5 / 3  # of a second translation, in lengths of the reference

_QUOTED = re.compile(r"“([^”\n]+)”|„([^“”\n]+)[“”]|«([^»\n]+)»|「([^」\n]+)」|『([^』\n]+)』|\"([^\"\n]+)\"")
_SENTENCE_END = re.compile(r"(?<=[.!?])[)\"”»]*\s+|(?<=[。！？])|[.!?]$")
_MARKUP = re.compile(r"^[\s>#*•·–—\-]*(?:\d+[.)]\s+)?[\s*_]*|[\s*_]+$")
_ANNOUNCES = re.compile(
    r"translat|überset|tradu[czç]|překlad|перев[ое]д|翻译|译文"
    r"|\b(?:another|other|different) (?:way|wording|version)|\balternativ|\balso be\b|\balso say\b|\bother words\b"
    r"|\b(?:sentence|text|passage|question) (?:means|says|is, in)\b|\bmeaning of the (?:sentence|text|passage)\b"
    r"|\bin simple\b|\banders gesagt\b|\bin altre parole\b|\bjinými slovy\b|другими словами|换句话说|也可以"
    r"|^\W*(?:or|oder|oppure|o|nebo|či|или|或|或者)\W*$",
    re.IGNORECASE,
)
_WORD_FOR_WORD = re.compile(
    r"\bliteral|\blit\.|word[- ](?:for|by)[- ]word|wörtlich|wort für wort|letteral|parola per parola"
    r"|doslov|дословн|буквальн|直译|逐字|字面",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Rationale:
    """What a model wrote after a reference, without the token that ended it; no ids if it is only white space."""

    ids: Ids
    text: str
    finish: Finish

    @staticmethod
    def of(completion: Completion, healed: str | None = None) -> "Rationale":
        """The part of a completion that follows the reference.

        `healed` is the text of the reference's last token if that was generated again (`Sampling.heal`): the
        completion then begins with a token that belongs to the reference.
        """
        ids, text = completion.body, completion.text
        if healed is not None:
            ids, text = ids[1:], text.removeprefix(healed)
        return Rationale(() if is_empty(text) else ids, text, completion.finish)


def judge(records: Sequence[Record], rationales: Sequence[Rationale]) -> list[frozenset[Fault]]:
    """The faults of each rationale of a chunk; `records` are what they are about.

    Rules about languages and translations apply only to pairs. A duplicate is a repetition of an earlier rationale in
    the same chunk; other chunks are not compared.
    """
    first: dict[str, str] = {}
    found = []
    for record, rationale in zip(records, rationales, strict=True):
        faults = _faults(record, rationale)
        text, reference = " ".join(rationale.text.split()), _reference(record)
        if text and first.setdefault(text, reference) != reference:
            faults.add("duplicate")
        found.append(frozenset(faults))
    return found


def _faults(record: Record, rationale: Rationale) -> set[Fault]:
    if rationale.finish == "failed":
        return {"failed"}
    checks: dict[Fault, bool] = {
        "empty": is_empty(rationale.text),
        "cut": rationale.finish == "length",
        "repeating": repeats_itself(rationale.ids),
        "repeats_reference": repeats_reference(rationale.text, _reference(record)),
    }
    if isinstance(record, Pair):
        checks["wrong_language"] = wrong_language(rationale.text, record)
        checks["contradicts_reference"] = contradicts_reference(rationale.text, record)
    return {fault for fault, holds in checks.items() if holds}


def _reference(record: Record) -> str:
    return record.target if isinstance(record, Pair) else record.turns[-1].text


def is_empty(text: str) -> bool:
    """Nothing but white space."""
    return not text.strip()


def ends_at_once(rationale: Rationale) -> bool:
    """The model ended its answer right after the reference, perhaps with white space."""
    return rationale.finish == "stop" and is_empty(rationale.text)


def repeats_itself(ids: Ids) -> bool:
    """The text goes round in circles: its last four tokens occur five times, or some sixteen in a row three times."""
    runs = Counter(ids[start : start + _RUN] for start in range(len(ids) - _RUN + 1))
    return loops(ids) or max(runs.values(), default=0) >= _TIMES


def wrong_language(text: str, pair: Pair) -> bool:
    """Most of the text is in a language that is neither English (the instruction's) nor one of the pair's.

    False if the rule does not know both languages of the pair, or cannot tell the text's.
    """
    if not (known(pair.source_language) and known(pair.target_language)):
        return False
    return not _is_in(text, {"en", pair.source_language, pair.target_language})


def repeats_reference(text: str, reference: str) -> bool:
    """The reference again and nothing else, perhaps announced ("Translation: …") or in quotation marks.

    Case, punctuation and spaces are ignored, and it may be said several times. In a reference of several lines, such
    as a program, only spaces and code fences are ignored.
    """
    if "\n" in reference.strip():
        return _repeats_lines(text, reference)
    letters = _letters(reference)
    said = 0
    for line in _lines(text):
        before, colon, rest = line.replace("：", ":").partition(":")
        body = rest if colon and _letters(rest) and letters not in _letters(before) else line
        if not letters or _letters(body).replace(letters, ""):
            if _announces(line):
                continue  # it announces what follows
            return False
        said += 1
    return said > 0


def _repeats_lines(text: str, reference: str) -> bool:
    whole = "".join(_unfenced(reference))
    said = _unfenced(text)
    if said and _announces(_MARKUP.sub("", said[0])) and whole in "".join(said[1:]):
        said = said[1:]
    again = "".join(said)
    return whole in again and not again.replace(whole, "")


def _unfenced(text: str) -> list[str]:
    """The lines without spaces; empty lines and code fences are left out."""
    lines = ("".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("```")]


def _announces(line: str) -> bool:
    return line.endswith((":", "：")) or bool(_ANNOUNCES.fullmatch(line))


def contradicts_reference(text: str, pair: Pair) -> bool:
    """A second translation that differs from the reference.

    Candidates are lines, sentences, quotations, and what follows a colon. One counts as a second translation if it
    has about the reference's length (two thirds to five thirds), is not the reference itself or part of it or of the
    source, and resembles the reference: six in ten of their pairs of neighbouring letters are the same. If it is
    announced as a translation ("Another way to say it: …", "or", "German: …") and is in the target's language, three
    and a half in ten are enough, or one in ten if the target is not English. What is announced as word for word does
    not count.
    """
    reference, source = _letters(pair.target), _letters(pair.source)
    named = re.compile("|".join(map(re.escape, labels(pair.target_language))) or r"(?!)", re.IGNORECASE)
    enough = _ALIKE_IN_ENGLISH if base(pair.target_language) == "en" else _ALIKE_ELSEWHERE
    for announcement, passage in _passages(text):
        said = _letters(passage)
        if not _SHORTEST * len(reference) <= len(said) <= _LONGEST * len(reference):
            continue
        announced = bool(_ANNOUNCES.search(announcement) or named.fullmatch(announcement.strip(" *_:：()")))
        if said == source or _WORD_FOR_WORD.search(announcement + passage) or reference in said:
            continue
        if not announced and said in reference:
            continue  # quoted words of the reference
        alike = likeness(said, reference)
        if likeness(said, source) >= max(alike, _ALIKE_IN_ENGLISH):
            continue  # the source, or nearly
        if alike >= _ALIKE or (announced and alike >= enough and _in_target_language(passage, pair)):
            return True
    return False


def likeness(text: str, other: str) -> float:
    """The share of pairs of neighbouring letters that two texts have in common, from 0 to 1 (Dice's coefficient)."""
    ours, theirs = (Counter(pairwise(said)) for said in (text, other))
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else float(text == other)


def _is_in(text: str, languages: set[str], least: float = 3) -> bool:
    """Whether a text may be in one of these languages: it is not clearly in another."""
    found = dominant(text, least)
    return found is None or found in {base(language) for language in languages}


def _in_target_language(passage: str, pair: Pair) -> bool:
    wrong = in_wrong_language(passage, pair.source_language, pair.target_language)
    return not wrong and _is_in(passage, {pair.target_language}, least=1)


def _letters(text: str) -> str:
    """Only letters and digits, in lower case: what different spellings of one text have in common."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _lines(text: str) -> list[str]:
    """Non-empty lines, without the marks of lists and headings."""
    return [_MARKUP.sub("", line) for line in text.splitlines() if _letters(line)]


def _passages(text: str) -> Iterator[tuple[str, str]]:
    """Everything that could be a translation, with the words that announce it: quotations, text after a colon, lines,
    sentences.
    """
    before = ""
    for line in _lines(text):
        for quoted in _QUOTED.finditer(line):
            introduced = _SENTENCE_END.split(line[: quoted.start()])[-1]
            yield introduced or before, next(filter(None, quoted.groups()))
        label, colon, rest = line.replace("：", ":").partition(":")
        if colon and rest.strip() and not _QUOTED.search(label):
            yield label, rest
        if not _QUOTED.search(line):
            yield before, line
            yield from (("", sentence) for sentence in _SENTENCE_END.split(line))
        announces = line.endswith((":", "：")) or (len(line.split()) <= 5 and not _SENTENCE_END.search(line))
        before = line if announces else ""
