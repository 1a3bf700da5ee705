"""Language identification of translations, by py3langid: a naive Bayes model over byte sequences, offline, 4.6 MB.

The question is whether a text is in the language that it should be in. It is answered yes if the model gives that
language more than half of the probability, no if it gives it less than 1 %, and otherwise, or for texts of a few
letters, not at all: an unanswered text is not counted either way. How often the answer is wrong is measured in
`benchmarks/language_id.py`, on test sets whose languages are known.

Candidates are the languages with a two-letter code, and those that are asked about. The model also knows varieties
such as Venetian and Nigerian Pidgin; as candidates they would only take probability from Italian and English.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Literal

from dragoman.corpora.language import base
from dragoman.prompts.languages import LONG_CODES

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

Found = Literal["target", "source", "other"]

SURE = 0.5  # of the probability, for a language that the text is in
RULED_OUT = 0.01  # for one that it is not in
LETTERS = 8  # below which a text is not judged
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_SYLLABLES = 3  # a character of Chinese, Japanese or Korean says as much as about three letters
_CALLED = {"nb": "no", "fil": "tl"}  # what the model calls them


def found_in(text: str, source_language: str, target_language: str) -> Found | None:
    """Whether a translation is in the target's language, in the source's, or in another one; None if it can't be told.

    It can't for two variants of one language, or if the model does not know the target's.
    """
    source, target = _code(source_language), _code(target_language)
    if source == target or target not in _known() or _letters(text) < LETTERS:
        return None
    shares = probabilities(text, frozenset({source, target} & _known()))
    if shares[target] > SURE:
        return "target"
    if shares[target] >= RULED_OUT:
        return None
    return "source" if max(shares, key=lambda code: shares[code]) == source else "other"


def identified(text: str, *languages: str) -> str | None:
    """Which of some languages a text is in; None if it is in another one, or it can't be told."""
    codes = {_code(language): language for language in languages}
    if not codes.keys() <= _known() or _letters(text) < LETTERS:
        return None
    shares = probabilities(text, frozenset(codes))
    return next((language for code, language in codes.items() if shares[code] > SURE), None)


def in_other_language(text: str, language: str) -> bool:
    """Whether a text is clearly in another language than this; false of a few letters, and where it can't be told."""
    code = _code(language)
    return code in _known() and _letters(text) >= LETTERS and probabilities(text, frozenset({code}))[code] < RULED_OUT


def probabilities(text: str, asked: frozenset[str] = frozenset()) -> dict[str, float]:
    """The model's probability of each language for a text; `asked` are candidates without a two-letter code."""
    identifier, _ = _model(frozenset(code for code in asked if len(code) != 2))
    return dict(identifier.rank(text))


def signature() -> str:
    """How languages were identified, for signatures."""
    from importlib.metadata import version

    return f"identifier:py3langid-{version('py3langid')}|in:>{SURE}|out:<{RULED_OUT}|letters:{LETTERS}"


def _code(language: str) -> str:
    short = re.split("[-_]", language)[0].lower()
    short = base(LONG_CODES.get(short, short))
    return _CALLED.get(short, short)


def _letters(text: str) -> int:
    return sum(_SYLLABLES if _DENSE.match(character) else 1 for character in text if character.isalpha())


def _known() -> frozenset[str]:
    return _model(frozenset())[1]


@cache
def _model(others: frozenset[str]) -> tuple["LanguageIdentifier", frozenset[str]]:
    """The model with its candidates, and all languages that it knows. Loading it takes a second, once per process."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = frozenset(identifier.labels)
    identifier.set_languages({code for code in known if len(code) == 2} | others)
    return identifier, known
