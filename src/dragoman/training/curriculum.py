"""A curriculum over directions: those with many examples first, those with few once as many of the others are left.

After BigTrans, which gives no code for it: just when an interval joins is not certain, nor how wide intervals are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import TrainingError
from dragoman.recipe.training import Curriculum


class Joined(TypedDict):
    """An interval of directions, in a training's manifest."""

    directions: dict[str, int]
    """Each with its number of examples."""
    step: int | None
    """The first step that may have its examples; None if the training ended before."""


class Interval(NamedTuple):
    """Directions that join together."""

    directions: Mapping[str, int]
    first: int
    """How many examples of the pass are learnt before it joins."""


@dataclass(frozen=True, slots=True)
class Course:
    """The order of a curriculum's first pass, and when its intervals join."""

    order: NDArray[np.int64]
    intervals: tuple[Interval, ...]

    def starts(self, batch_size: int) -> list[int]:
        """The first step, from 1 on, that may have examples of each interval."""
        return [1 + one.first // batch_size for one in self.intervals]

    def joined(self, batch_size: int, steps: int) -> list[Joined]:
        """When each interval joined in so many steps."""
        both = zip(self.intervals, self.starts(batch_size), strict=True)
        return [Joined(directions=dict(one.directions), step=at if at <= steps else None) for one, at in both]


def parted(counts: Mapping[str, int], said: Curriculum) -> list[dict[str, int]]:
    """Directions with their numbers of examples in intervals, that with the most examples first."""
    parts: dict[int, dict[str, int]] = {}
    for direction, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        parts.setdefault(sum(bound <= count for bound in said.bounds), {})[direction] = count
    return list(parts.values())


def course(directions: Sequence[str], said: Curriculum, seed: int) -> Course:
    """The order in which examples of these directions are learnt; those of none (`""`) are spread over all of it.

    Of the directions in play examples are drawn at random. Once the mean number of those that are left of each has
    fallen to the next interval's mean number, that interval joins. TrainingError if no example has a direction.
    """
    draw = np.random.default_rng((seed, 3))
    each = np.array(directions)
    counts = Counter(directions)
    spread = np.flatnonzero(each == "")
    del counts[""]
    if not counts:
        raise TrainingError(
            "training.curriculum is set, and no example is a pair in some direction. Take it out, or learn from pairs."
        )
    left, playing, done = np.zeros(0, dtype=np.int64), 0, 0
    taken: list[NDArray[np.int64]] = []
    intervals = []
    for part in parted(counts, said):
        most = sum(part.values()) * playing // len(part)  # that may be left of the directions in play
        first = max(0, len(left) - most)
        taken.append(left[:first])
        done += first
        intervals.append(Interval(part, done))
        left = draw.permutation(np.concatenate([left[first:], np.flatnonzero(np.isin(each, list(part)))]))
        playing += len(part)
    order = np.concatenate([*taken, left])
    whole = np.empty(len(each), dtype=np.int64)
    places = draw.permutation(len(each))[: len(spread)]
    rest = np.ones(len(each), dtype=bool)
    rest[places] = False
    whole[places], whole[rest] = spread, order
    shifts = np.flatnonzero(rest)  # the place of each example that has a direction
    moved = (Interval(one.directions, int(shifts[one.first]) if one.first else 0) for one in intervals)
    return Course(whole, tuple(moved))


def sentence(joined: Sequence[Joined]) -> str:
    """When each interval joined, in words."""
    return "; ".join(f"{_named(one['directions'])} {_when(one['step'])}" for one in joined)


def _named(directions: Mapping[str, int]) -> str:
    mean = sum(directions.values()) / len(directions)
    return f"{', '.join(directions)} ({mean:,.0f} examples{' on average' * (len(directions) > 1)})"


def _when(step: int | None) -> str:
    if step is None:
        return "not before the end"
    return "from the start" if step == 1 else f"from step {step:,}"
