"""Requests without answers: the lab's stand-in for a list of prompts that people would write.

The kinds are the families of the abilities, and one that no suite asks: copying, which the backbone has practised.
Prompts that evaluation may ask are not among them.
"""

from collections.abc import Callable
from random import Random

from dragoman.corpora.records import Request, Turn
from dragoman.errors import DataError
from dragoman.lab import abilities
from dragoman.lab.pretraining.mixture import copying

ORIGIN = "lab-requests"
COPYING = "copying"
KINDS = (*abilities.FAMILIES, COPYING)


def requests(kind: str, count: int, seed: int) -> list[Request]:
    """`count` different requests of a kind, or as many as there are; the same ones for the same seed.

    Raises `DataError` for a kind that the lab does not have.
    """
    drawn = _maker(kind)
    rng = Random(f"requests {kind} {seed}".encode(errors="backslashreplace"))
    found: dict[str, Request] = {}
    in_vain = 0
    while len(found) < count and in_vain < abilities.PATIENCE:
        turns = drawn(rng)
        request = Request(turns, kind, ORIGIN) if turns else None
        if request is None or request.key in found:
            in_vain += 1
        else:
            in_vain = 0
            found[request.key] = request
    return list(found.values())


def _maker(kind: str) -> Callable[[Random], tuple[Turn, ...] | None]:
    """Draws the turns of a request; None where the drawn one is reserved for evaluation."""
    if kind == COPYING:
        return lambda rng: copying(rng)[:-1]
    known = (*KINDS, *abilities.SKILLS, *abilities.LANGUAGE_FAMILIES)
    if kind not in known:
        raise DataError(f"{ORIGIN} has no prompts of the kind {kind!r}; it has {', '.join(known)}")

    def drawn(rng: Random) -> tuple[Turn, ...] | None:
        task = abilities.taught(kind, rng)
        return task.question.turns if task else None

    return drawn
