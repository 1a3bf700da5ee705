"""Instructions with short answers in English, German or Italian: the lab's stand-in for Alpaca and its translations.

About a third each of question answering, choices and small reasoning tasks. Request `n` is the same task in every
language where the grammar allows. Nothing that is reserved for evaluation is among them; in German and Italian only
one half of the facts is used (see `choice`).
"""

from random import Random

from dragoman.corpora.records import Dialogue, Turn
from dragoman.errors import DataError
from dragoman.lab import abilities
from dragoman.lab.grammar.entries import Language

KINDS = ("qa", "choice", "reasoning")
LANGUAGES: tuple[Language, ...] = ("en", "de", "it")


def alpaca(language: str, count: int, seed: int) -> list[Dialogue]:
    """`count` different requests in a language with their answers; the same ones for the same seed.

    A larger `count` begins with the same ones. Raises `DataError` for a language that the lab does not have, and if
    there are not that many.
    """
    if language not in LANGUAGES:
        raise DataError(f"The lab has no instructions in {language!r}; it has them in {', '.join(LANGUAGES)}.")
    found: dict[str, Dialogue] = {}
    number = in_vain = 0
    while len(found) < count:
        drawn = abilities.taught(f"{KINDS[number % len(KINDS)]}-{language}", Random(f"alpaca {seed} {number}"))
        number += 1
        if drawn is None or drawn.question.key in found:
            in_vain += 1
        else:
            in_vain = 0
            turns = (*drawn.question.turns, Turn("assistant", drawn.answer))
            found[drawn.question.key] = Dialogue(turns, f"lab-alpaca-{language}", language)
        if in_vain >= abilities.PATIENCE:
            raise DataError(
                f"lab-alpaca has only about {len(found)} requests in {language}; ask for fewer than {count}."
            )
    return list(found.values())
