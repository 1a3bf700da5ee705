"""Extractive answers: exact match and F1 as in SQuAD, normalised for each language as in MLQA.

An answer is compared in lower case, without punctuation (Unicode's categories P, and ASCII's marks), without articles
and with single blanks. Words are separated by blanks; in Chinese each character is one. The definitions are those of
MLQA's evaluation (Lewis et al., 2020) for its seven languages:

    en, de, es, vi     articles taken out where they stand as words (in Vietnamese: classifiers and the like)
    ar                 every alif-lam is taken out, wherever it stands: that is what the published definition does
    hi, zh             no articles

MLQA has no other languages. In Italian the articles are taken out likewise, the elided ones (l', un') before the
apostrophe goes with the punctuation; in all others, such as Turkish, Russian, Greek, Romanian and Thai, only
punctuation is taken out. A score's signature distinguishes them: `mlqa-de`, `own-it`, `plain-tr`.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from dragoman.corpora.language import base

MLQA = ("ar", "de", "en", "es", "hi", "vi", "zh")

_ARTICLES = {
    "en": "a an the",
    "de": "ein eine einen einem eines einer der die das den dem des",
    "es": "un una unos unas el la los las",
    "vi": "của là cái chiếc những",
    "it": "il lo la i gli le un uno una",
}
_AS_WORDS = {language: re.compile(rf"\b(?:{'|'.join(words.split())})\b") for language, words in _ARTICLES.items()} | {
    "ar": re.compile("ال")
}
_ELIDED = re.compile(r"\b(?:l|un)['’](?=\w)")
_CHINESE = re.compile(r"([\u4e00-\u9fa5])")


def normalisation(language: str) -> str:
    """The name of the normalisation for a language, as in signatures."""
    code = base(language)
    return f"{'mlqa' if code in MLQA else 'own' if code in _AS_WORDS else 'plain'}-{code}"


@lru_cache(maxsize=4096)  # the right answers are normalised for every model
def normalised(text: str, language: str) -> str:
    """An answer as it is compared; its words are separated by blanks."""
    code = base(language)
    text = text.lower()
    if code == "it":
        text = _ELIDED.sub(" ", text)
    text = "".join(letter for letter in text if not _is_mark(letter))
    if code in _AS_WORDS:
        text = _AS_WORDS[code].sub(" ", text)
    if code == "zh":
        text = _CHINESE.sub(r" \1 ", text)
    return " ".join(text.split())


def exact(answer: str, values: Sequence[str], language: str) -> bool:
    """Whether an answer is one of the right ones."""
    given = normalised(answer, language)
    return any(given == normalised(value, language) for value in values)


def f1(answer: str, values: Sequence[str], language: str) -> float:
    """The F1 of an answer's words with the nearest of the right answers, from 0 to 1."""
    given = Counter(normalised(answer, language).split())
    return max((_overlap(given, Counter(normalised(value, language).split())) for value in values), default=0.0)


def extracted(answer: str, extract: str) -> str:
    """The part of what a model said that counts as its answer: the first line with something on it, or all of it."""
    if extract == "whole":
        return answer.strip()
    return next((line.strip() for line in answer.splitlines() if line.strip()), "")


def _overlap(given: Counter[str], right: Counter[str]) -> float:
    common = (given & right).total()
    return 2 * common / (given.total() + right.total()) if common else 0.0


def _is_mark(letter: str) -> bool:
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")
