"""Disjoint directions: divides pairs between the two directions of a language pair, so that no sentence serves both.

A sentence can be in several pairs, with several translations, and these in further pairs. All pairs that are
connected in this way form a group and go one way, decided by a draw that depends only on their texts and the seed.
Pairs that stand alone, which are most, are sorted by their draws: the first of them serve one direction, as many as
it takes to make both shares equal, and the rest the other. So a limit for each direction is reached if there are
enough pairs, and a few pairs more or less move few others.

Pairs that are offered in only one direction keep it, and count towards its share. Each language pair is divided on
its own: an English sentence may be translated into German in one pair and from Italian in another.
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora.records import Pair, content_key, draw

HALF = 0.5


class Sentences:
    """Both sentences of each added pair, as numbers: sixteen bytes per pair."""

    def __init__(self, directions: Sequence[str], seed: int) -> None:
        self._seed = seed
        self._directions = list(directions)
        self._sides = (array("Q"), array("Q"))

    def add(self, pair: Pair) -> None:
        """Notes a pair; its two directions give the same two numbers in opposite order."""
        languages = "-".join(sorted((pair.source_language, pair.target_language)))
        ends = ((pair.source_language, pair.source), (pair.target_language, pair.target))
        for side, end in zip(self._sides, ends, strict=True):
            side.append(int(content_key(languages, *end), 16))

    def served(self, direction: NDArray[np.uint16], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the pairs serve their direction, [pairs]. Only those in `kept` count.

        `direction` has, for each pair, the index of its direction.
        """
        found = np.zeros(len(kept), dtype=bool)
        for name in self._directions:
            other = "-".join(reversed(name.split("-")))
            if name < other or other not in self._directions:
                there = self._directions.index(other) if other in self._directions else -1
                forth, back = kept & (direction == self._directions.index(name)), kept & (direction == there)
                self._share_out(np.flatnonzero(forth | back), forth, found)
        return found

    def _share_out(self, pairs: NDArray[np.intp], forth: NDArray[np.bool_], found: NDArray[np.bool_]) -> None:
        """Marks in `found` the pairs of two opposite directions that serve; `forth` marks those of the first
        direction.
        """
        if not len(pairs):
            return
        sides = [np.array(side, dtype=np.uint64)[pairs] for side in self._sides]
        texts, numbers = np.unique(np.concatenate(sides), return_inverse=True)
        groups = _groups(len(texts), numbers[: len(pairs)], numbers[len(pairs) :])
        names, group = np.unique(groups[numbers[: len(pairs)]], return_inverse=True)
        way = forth[pairs]
        sizes = [np.bincount(group[way == going], minlength=len(names)) for going in (True, False)]
        # A group is named after the smallest number in it, which neither order nor the other groups change.
        draws = np.array([draw(f"{texts[name]:016x}", "direction", self._seed) for name in names])
        free = (sizes[0] > 0) & (sizes[1] > 0)
        alone = free & (sizes[0] + sizes[1] == 2)
        goes_forth = np.where(free, draws < HALF, sizes[0] > 0) & ~alone
        order = np.flatnonzero(alone)[np.argsort(draws[alone], kind="stable")]
        missing = int(sizes[1][~goes_forth].sum() - sizes[0][goes_forth].sum())  # if all that stand alone went back
        goes_forth[order[: max(0, missing // 2)]] = True
        found[pairs] = way == goes_forth[group]


def _groups(count: int, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.intp]:
    """Connected components of `count` things that `left` and `right` join: for each, its component's
    smallest member.
    """
    names = np.arange(count)
    while True:
        least = np.minimum(names[left], names[right])
        better = names.copy()
        np.minimum.at(better, left, least)
        np.minimum.at(better, right, least)
        better = better[better]
        if np.array_equal(better, names):
            return names
        names = better
