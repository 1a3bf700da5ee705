"""Rated translations of the lab, all fakes: human-like ones made worse by rule, each error marked where it is.

Nobody wrote or rated them; systems are named after what is wrong with their translations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from dragoman.corpora.records import Pair, Rated, RatedTranslation, TranslationError
from dragoman.errors import DataError
from dragoman.lab import world

ORIGIN = "lab-ratings"
MAJOR, MINOR = 5.0, 1.0  # what an error costs, as in MQM


@dataclass(frozen=True, slots=True)
class _Spoilt:
    words: list[str]
    error: TranslationError


def ratings(direction: str, count: int, seed: int) -> list[Rated]:
    """`count` sources, each with its translation and three that have an error; the same ones for the same seed."""
    if unknown := sorted({*direction.split("-")} - {*world.LANGUAGES}):
        raise DataError(f"{ORIGIN} has no {unknown[0]!r}; it has {', '.join(world.LANGUAGES)}")
    pairs = world.pairs("train", [direction], count + 1, f"{ORIGIN} {seed}")
    rng = Random(f"{ORIGIN} {direction} {seed}")
    return [_rated(pair, other.target, rng) for pair, other in pairwise(pairs)]


def _rated(pair: Pair, other: str, rng: Random) -> Rated:
    words = pair.target.split(" ")
    spoilt = {
        "fake-good": RatedTranslation(pair.target, 0.0, (), "fake-good"),
        "fake-twice": _made("fake-twice", _twice(words, rng), MINOR),
        "fake-swapped": _made("fake-swapped", _swapped(words, rng), MINOR),
        "fake-other-word": _made("fake-other-word", _other_word(words, other.split(" "), rng), MAJOR),
    }
    return Rated(pair.source, tuple(spoilt.values()), pair.source_language, pair.target_language, ORIGIN)


def _made(system: str, spoilt: _Spoilt, cost: float) -> RatedTranslation:
    return RatedTranslation(" ".join(spoilt.words), -cost, (spoilt.error,), system)


def _twice(words: Sequence[str], rng: Random) -> _Spoilt:
    """A word said twice."""
    at = rng.randrange(len(words) - 1)
    return _spoilt([*words[: at + 1], *words[at:]], at + 1, 1, "Fluency/Grammar", "Minor")


def _swapped(words: Sequence[str], rng: Random) -> _Spoilt:
    """Two neighbours in the wrong order."""
    places = [at for at in range(len(words) - 1) if words[at] != words[at + 1]]
    at = rng.choice(places)
    return _spoilt([*words[:at], words[at + 1], words[at], *words[at + 2 :]], at, 2, "Fluency/Word order", "Minor")


def _other_word(words: Sequence[str], others: Sequence[str], rng: Random) -> _Spoilt:
    """A word of another sentence in the place of one."""
    at = rng.randrange(len(words) - 1)
    strange = [word for word in others[:-1] if word not in words] or ["fake"]
    return _spoilt([*words[:at], rng.choice(strange), *words[at + 1 :]], at, 1, "Accuracy/Mistranslation", "Major")


def _spoilt(words: list[str], at: int, length: int, category: str, severity: str) -> _Spoilt:
    start = len(" ".join([*words[:at], ""]))
    return _Spoilt(words, TranslationError(category, severity, start, start + len(" ".join(words[at : at + length]))))
