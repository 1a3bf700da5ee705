"""The cache's index: where the rows of keys are, in 16 bytes a key (a hundred million fit into 1.6 GB).

It holds only the first 8 bytes of each key, so what it finds are candidates: whoever reads the row compares the whole
key.
"""

import numpy as np
from numpy.typing import NDArray

Run = tuple[NDArray[np.uint64], NDArray[np.int64]]


class Index:
    """Maps the first bytes of keys to places: a few sorted runs, each more than twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def __len__(self) -> int:
        return sum(len(places) for _, places in self._runs)

    def add(self, keys: NDArray[np.uint8], places: NDArray[np.int64]) -> None:
        """Notes where the rows of these keys are.  # [keys, bytes], [keys]"""
        if not len(places):
            return
        begins = _begins(keys)
        order = np.argsort(begins, kind="stable")
        run = begins[order], places[order]
        while self._runs and len(self._runs[-1][1]) <= 2 * len(run[1]):
            run = _merged(self._runs.pop(), run)
        self._runs.append(run)

    def find(self, keys: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All candidate places, each with the position in `keys` of the key that it may belong to."""
        wanted = _begins(keys)
        numbers: list[NDArray[np.int64]] = []
        found: list[NDArray[np.int64]] = []
        for begins, places in self._runs:
            first = np.searchsorted(begins, wanted)
            hits = np.flatnonzero(begins[np.minimum(first, len(begins) - 1)] == wanted)
            first = first[hits]
            counts = np.searchsorted(begins, wanted[hits], side="right") - first
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            numbers.append(np.repeat(hits, counts))
            found.append(places[np.repeat(first, counts) + within])
        if not numbers:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(numbers), np.concatenate(found)


def _begins(keys: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The first 8 bytes of each key as a number."""
    return np.ascontiguousarray(keys[:, :8]).view("<u8").reshape(-1)


def _merged(one: Run, other: Run) -> Run:
    """Merges two sorted runs; needs no more memory than both and the result."""
    at = np.searchsorted(one[0], other[0], side="right") + np.arange(len(other[0]))
    begins = np.empty(len(one[0]) + len(other[0]), np.uint64)
    places = np.empty(len(begins), np.int64)
    old = np.ones(len(begins), dtype=bool)
    old[at] = False
    begins[at], begins[old] = other[0], one[0]
    places[at], places[old] = other[1], one[1]
    return begins, places
