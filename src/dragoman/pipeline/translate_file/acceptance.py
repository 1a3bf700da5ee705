"""Accepting a translation or not: simple rules, each with a name under which failures are counted."""

import re
from dataclasses import dataclass

from dragoman.corpora.language import FUNCTION_WORDS, SCRIPTS, base, dominant, in_wrong_language
from dragoman.corpora.translatable.protect import damage, without_items
from dragoman.generation.ask import Completion
from dragoman.suites.translation.extraction import extract

_ENDS = (".", "!", "?", ":", ";", "…", "。", "！", "？", "।", "؟")
_FEW = 4  # words of which a copy may well be a name
_SURE = 3  # function words that tell a language
_SCRIPTED = 12  # letters from which on the script of a text tells its language


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece of text to be translated; `words` must stay, in addition to what always must."""

    text: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """The result for a piece: its translation, or what is wrong with it (`detail` says more), and the whole answer."""

    text: str
    fault: str = ""
    detail: str = ""
    answer: str = ""


def judged(piece: Wanted, completion: Completion, source: str, target: str) -> Said:
    """The translation in an answer, or the first thing that is wrong with it."""
    answer = completion.text
    found = extract(answer, piece.text, source, target)
    text = found.text
    before, after = _lines(piece.text), _lines(text)
    faults = {
        "no answer": (completion.finish == "failed", completion.why),
        "empty": (not answer.strip(), ""),
        "cut off": (completion.finish == "length", f"after {len(completion.ids):,} tokens"),
        "no translation in the answer": (not found.found, ""),
        "copied": (_copied(piece.text, text, source, target), ""),
        "wrong language": (_wrong_language(text, source, target), ""),
        **{f"{one.kind} changed": (True, str(one)) for one in damage(piece.text, text, piece.words)},
        "lines lost": (after < before, f"{before} in the source, {after} in the translation"),
    }
    fault, detail = next(((name, detail) for name, (holds, detail) in faults.items() if holds), ("", ""))
    return Said(text, fault, detail, answer)


def foreign(text: str, source: str) -> bool:
    """Whether a text is certainly not in the source language.

    That is not an error in the file: a task may be about another language.
    """
    bare, own = without_items(text), base(source)
    language = dominant(bare) if own in SCRIPTS.keys() | FUNCTION_WORDS.keys() else None
    return language not in (None, own) and _rather(bare, str(language), own, _SURE, most=0)


def _lines(text: str) -> int:
    return sum(bool(line.strip()) for line in text.split("\n"))


def _copied(text: str, translation: str, source: str, target: str) -> bool:
    """Whether the source was repeated, if it is a sentence and not names or a formula."""
    if _letters(text) != _letters(translation):
        return False
    words = _words(text)
    rather_the_source_s = in_wrong_language(translation, source, target)
    if rather_the_source_s is None and len(words) >= _FEW:
        return True
    small = sum(not word[0].isupper() for word in words)
    sentence = text.rstrip().endswith(_ENDS) and len(words) >= _FEW - 1 and 2 * small >= len(words)
    return bool(rather_the_source_s) or sentence


def _wrong_language(translation: str, source: str, target: str) -> bool:
    """Whether it is certainly in the wrong language: by script, or by the function words of a long enough text."""
    bare, ours, theirs = without_items(translation), base(target), base(source)
    if SCRIPTS.get(theirs) != SCRIPTS.get(ours):
        return len(_letters(bare)) >= _SCRIPTED and bool(in_wrong_language(bare, source, target))
    language = dominant(bare)
    if ours not in SCRIPTS.keys() | FUNCTION_WORDS.keys():
        return language == theirs
    if theirs in FUNCTION_WORDS and _rather(bare, theirs, ours, _SURE - 1):
        return True
    return language not in (None, ours) and _rather(bare, str(language), ours, _SURE)


def _rather(text: str, other: str, own: str, least: int, most: int | None = None) -> bool:
    """Whether a text is clearly in another language than its own: it has `least` of the other's function words.

    It may have `most` function words of its own language; by default half as many as of the other's.
    """
    if other not in FUNCTION_WORDS or own not in FUNCTION_WORDS:
        return True  # the script has told
    words = _words(text.lower())
    theirs = sum(word in FUNCTION_WORDS[other] - FUNCTION_WORDS[own] for word in words)
    ours = sum(word in FUNCTION_WORDS[own] - FUNCTION_WORDS[other] for word in words)
    return theirs >= least and (2 * ours < theirs if most is None else ours <= most)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)
