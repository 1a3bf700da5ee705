"""A sample of neighbours, collected in passing."""

import pytest

from dragoman.corpora.pair_sample import MOST_RUNS, RUN, PairSample
from dragoman.corpora.records import Pair


def pairs(count: int) -> list[Pair]:
    return [Pair(f"Satz {number}", f"sentence {number}", "de", "en") for number in range(count)]


def sampled(given: list[Pair]) -> PairSample:
    sample = PairSample("de-en")
    assert list(sample.watch(given)) == given
    return sample


@pytest.mark.parametrize("count", [0, 1, RUN, RUN + 1, MOST_RUNS * RUN])
def test_few_pairs_are_there_as_a_whole(count: int) -> None:
    assert list(sampled(pairs(count))) == pairs(count)


def test_many_are_thinned_to_runs_from_everywhere() -> None:
    given = pairs(20_000)
    sample = sampled(given)
    assert sample.count == 20_000
    assert list(sample.runs) == list(range(0, 20_000, 32 * RUN))
    assert all(run == given[start : start + RUN] for start, run in sample.runs.items())


def test_the_other_direction_is_looked_past() -> None:
    given = [side for pair in pairs(50) for side in (pair, pair.reversed())]
    assert list(sampled(given)) == pairs(50)
