"""The index: every place of a key is found, whatever order it came in, in 16 bytes a key."""

import numpy as np
import pytest

from dragoman.generation.cache.index import Index


def found(index: Index, keys: np.ndarray) -> list[list[int]]:
    numbers, places = index.find(keys)
    return [sorted(places[numbers == number].tolist()) for number in range(len(keys))]


@pytest.mark.parametrize("step", [1, 7, 512, 4000])
def test_all_are_found_and_nothing_else(step: int) -> None:
    keys = np.random.default_rng(0).integers(0, 256, (4000, 16), dtype=np.uint8)
    index = Index()
    for start in range(0, 3000, step):
        some = keys[start : min(start + step, 3000)]
        index.add(some, np.arange(start, start + len(some)))
    assert len(index) == 3000
    assert found(index, keys) == [[number] for number in range(3000)] + [[]] * 1000
    assert len(index._runs) <= 12


def test_keys_that_begin_alike_are_all_candidates() -> None:
    keys = np.zeros((6, 16), dtype=np.uint8)
    keys[:, 15] = range(6)
    keys[5, 0] = 1
    index = Index()
    index.add(keys[:3], np.arange(3) << 40)
    index.add(keys[3:4], np.array([7]))
    assert found(index, keys) == [[0, 7, 1 << 40, 2 << 40]] * 5 + [[]]


def test_nothing_is_found_in_nothing() -> None:
    index = Index()
    keys = np.zeros((2, 16), dtype=np.uint8)
    assert found(index, keys) == [[], []]
    index.add(keys[:0], np.arange(0))
    assert found(index, keys) == [[], []]
    index.add(keys[:1], np.arange(1))
    assert found(index, keys[:0]) == []


def test_sixteen_bytes_a_key() -> None:
    index = Index()
    rng = np.random.default_rng(1)
    for start in range(0, 100_000, 1000):
        index.add(rng.integers(0, 256, (1000, 16), dtype=np.uint8), np.arange(start, start + 1000))
    assert sum(array.nbytes for run in index._runs for array in run) == 1_600_000
