"""Whether the lines of one side are shifted against the other's, by the lengths of neighbours.

A long sentence has a long translation: over the published corpora that this was tried on, the logarithms of both
lengths correlate with 0.76 to 0.99, and those of neighbours with at most 0.26. Where a line is missing on one side,
it is the other way round from there on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora.records import Pair

FURTHEST = 3  # lines
FEWEST = 25  # pairs, to say anything
PARTS = 4  # of a sample, each looked at alone as well: a shift may begin in the middle
LIKELY, CERTAIN = 4.0, 7.0  # standard errors between the two correlations (of their Fisher transforms)
ALIKE = 0.45  # the least that lengths of a shifted file must correlate with


@dataclass(frozen=True, slots=True)
class Shift:
    """By how many lines the target side is too far down, since which pair (from 0), and the two correlations.

    An example is a source, the target beside it, and the target that would fit.
    """

    by: int
    first: int
    own: float
    shifted: float
    certain: bool
    examples: tuple[tuple[str, str, str], ...]


def shift(runs: Mapping[int, Sequence[Pair]]) -> Shift | None:
    """The shift that some runs of neighbours show, by the number of their first pair; None if there is none."""
    starts = sorted(runs)
    found = _shift(runs, starts)
    if found is not None and found.certain:
        return found
    size = math.ceil(len(starts) / PARTS)
    parts = [starts[begin : begin + size] for begin in range(0, len(starts), size)]
    return max(
        (one for one in (found, *(_shift(runs, part) for part in parts)) if one is not None),
        key=lambda one: one.certain,
        default=None,
    )


def _shift(runs: Mapping[int, Sequence[Pair]], starts: Sequence[int]) -> Shift | None:
    own, count = _correlation(runs, starts, 0)
    others = {by: _correlation(runs, starts, by)[0] for by in range(-FURTHEST, FURTHEST + 1) if by}
    by = max(others, key=lambda one: others[one])
    best = others[by]
    if count < FEWEST or best < ALIKE:
        return None
    errors = (math.atanh(best) - math.atanh(own)) * math.sqrt((count - 3) / 2)
    if errors < LIKELY:
        return None
    return Shift(by, starts[0], own, best, errors >= CERTAIN, _examples(runs, starts, by))


def _correlation(runs: Mapping[int, Sequence[Pair]], starts: Sequence[int], by: int) -> tuple[float, int]:
    """Of the log lengths of sources and of the targets so many lines below them, and of how many pairs."""
    beside = [both for start in starts for both in _beside(runs[start], by)]
    sides: NDArray[np.float64] = np.log1p([[len(source.source), len(target.target)] for source, target in beside])
    if len(beside) < FEWEST or not sides.std(axis=0).all():
        return 0.0, len(beside)
    return float(np.clip(np.corrcoef(sides.T)[0, 1], -0.999, 0.999)), len(beside)


def _beside(run: Sequence[Pair], by: int) -> list[tuple[Pair, Pair]]:
    return list(zip(run, run[by:], strict=False)) if by >= 0 else list(zip(run[-by:], run, strict=False))


def _examples(runs: Mapping[int, Sequence[Pair]], starts: Sequence[int], by: int) -> tuple[tuple[str, str, str], ...]:
    """The three pairs whose own lengths disagree most."""
    beside = [both for start in starts for both in _beside(runs[start], by)]
    beside.sort(key=lambda both: -abs(math.log1p(len(both[0].source)) - math.log1p(len(both[0].target))))
    return tuple((pair.source, pair.target, other.target) for pair, other in beside[:3])
