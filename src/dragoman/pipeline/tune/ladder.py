"""Which learning rates are tried, one after the other, and which of them is taken.

A rung is a rate of 1, 2, 3 or 5 times a power of ten, by its number. The search tries every other rung (1 and 3), from
the model's usual rate on; goes on upwards while the highest is the best, and downwards while the lowest is as good as
the best; then tries the rungs left out around the best and around the one that would be taken.

Taken is, of the rates whose validation loss cannot be told from the best one's, the one that drifts least from the
backbone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dragoman.scoring.statistics import Floats, interval, resample

MANTISSAS = (1, 2, 3, 5)
COARSE = 2  # rungs from one that is tried first to the next
MOST = 12  # rates that are tried
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a rate."""

    loss: float
    """The validation loss after training; infinite if the training went astray."""
    texts: Floats
    """For each held-out pair the sum of its tokens' losses, and how many there are: [pairs, 2]; empty if astray."""
    drift: float | None = None
    """Nats a token on general prompts; None if there are none."""

    @property
    def astray(self) -> bool:
        return math.isinf(self.loss)


def rate(rung: int) -> float:
    """The rate of a rung, as the number that its text means."""
    return float(written(rung))


def written(rung: int) -> str:
    """The rate as a recipe writes it, such as `3e-4`."""
    return f"{MANTISSAS[rung % len(MANTISSAS)]}e{rung // len(MANTISSAS)}"


def nearest(wanted: float) -> int:
    """The rung, of those that are tried first, that is nearest to a rate."""
    decade = math.floor(math.log10(wanted)) * len(MANTISSAS)
    return min(range(decade, decade + len(MANTISSAS) + 1, COARSE), key=lambda rung: abs(math.log(rate(rung) / wanted)))


def following(tried: Mapping[int, Tried], start: int) -> int | None:
    """The next rung to try; None if the search is over."""
    if len(tried) >= MOST:
        return None
    for rung in (start, start - COARSE, start + COARSE):
        if rung not in tried and not (rung > start and tried[start].astray):
            return rung
    low, high = min(tried), max(tried)
    top = best(tried)
    if top is None or low in as_good(tried):
        return low - COARSE
    if top == high and not tried[high].astray:
        return high + COARSE
    around = (top - 1, top + 1, chosen(tried, as_good(tried)) - 1)
    return next((rung for rung in around if low < rung < high and rung not in tried), None)


def best(tried: Mapping[int, Tried]) -> int | None:
    """The rung with the lowest validation loss; None if every training went astray."""
    sound = {rung: one.loss for rung, one in tried.items() if not one.astray}
    return min(sound, key=lambda rung: (sound[rung], rung), default=None)


def as_good(tried: Mapping[int, Tried]) -> list[int]:
    """The rungs whose loss cannot be told from the best one's: the 95 % interval of the difference, from resamples of
    the held-out pairs, includes 0.
    """
    top = best(tried)
    if top is None:
        return []
    return [rung for rung, one in sorted(tried.items()) if not one.astray and _alike(one, tried[top])]


def chosen(tried: Mapping[int, Tried], good: list[int]) -> int:
    """Of the rungs that are as good as the best the one that drifts least; the lowest, if drift is not known."""
    return min(good, key=lambda rung: (drift if (drift := tried[rung].drift) is not None else 0.0, rung))


def _alike(one: Tried, top: Tried) -> bool:
    if one is top:
        return True
    difference = np.stack([one.texts[:, 0] - top.texts[:, 0], top.texts[:, 1]], axis=1)
    sums = resample(difference, RESAMPLES)
    return interval(sums[:, 0] / sums[:, 1])[0] <= 0
