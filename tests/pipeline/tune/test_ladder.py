"""Which rates a search tries, and which it takes, for losses that are known beforehand."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from dragoman.pipeline.tune import ladder
from dragoman.pipeline.tune.ladder import MOST, Tried

PAIRS = 200


def tried(loss: float, drift: float | None = None) -> Tried:
    """A rate whose losses on the pairs have this mean; those of different rates go up and down together."""
    noise = np.random.default_rng(0).normal(0, 0.3, PAIRS)
    own = np.random.default_rng(int(loss * 1e6)).normal(0, 0.02, PAIRS)
    return Tried(loss, np.stack([10 * (loss + noise + own), np.full(PAIRS, 10.0)], axis=1), drift)


ASTRAY = Tried(math.inf, np.empty((0, 2)))


def searched(world: Callable[[float], Tried], start: float) -> list[str]:
    """The rates that a search tries, in its order."""
    return [ladder.written(rung) for rung in outcome(world, start)]


def outcome(world: Callable[[float], Tried], start: float) -> dict[int, Tried]:
    found: dict[int, Tried] = {}
    while (rung := ladder.following(found, ladder.nearest(start))) is not None:
        found[rung] = world(ladder.rate(rung))
    return found


def bowl(best: float) -> Callable[[float], Tried]:
    """The loss rises with the distance from the best rate, and drift with the rate."""
    return lambda rate: tried(1 + abs(math.log10(rate / best)), rate)


@pytest.mark.parametrize(
    ("wanted", "written"),
    [(1e-4, "1e-4"), (5e-4, "3e-4"), (2e-4, "3e-4"), (9e-3, "1e-2"), (3e-3, "3e-3"), (0.5, "3e-1")],
)
def test_a_search_begins_at_a_rung_near_the_usual_rate(wanted: float, written: str) -> None:
    rung = ladder.nearest(wanted)
    assert ladder.written(rung) == written
    assert ladder.rate(rung) == float(written)


def test_it_refines_around_the_best_if_that_lies_within() -> None:
    assert searched(bowl(3e-4), 3e-4) == ["3e-4", "1e-4", "1e-3", "2e-4", "5e-4"]


def test_it_goes_on_while_the_best_is_at_an_edge() -> None:
    assert searched(bowl(1e-2), 3e-4) == ["3e-4", "1e-4", "1e-3", "3e-3", "1e-2", "3e-2", "5e-3", "2e-2"]
    assert searched(bowl(1e-5), 1e-4) == ["1e-4", "3e-5", "3e-4", "1e-5", "3e-6", "5e-6", "2e-5"]


def test_it_goes_down_while_the_lowest_is_as_good_as_the_best_and_takes_what_drifts_least() -> None:
    def flat(rate: float) -> Tried:
        return tried(1.0 if rate > 2e-5 else 1.5, rate)

    found = outcome(flat, 3e-4)
    written = [ladder.written(rung) for rung in found]
    assert written[:5] == ["3e-4", "1e-4", "1e-3", "3e-5", "1e-5"]
    assert "2e-5" in written
    assert ladder.written(ladder.chosen(found, ladder.as_good(found))) == "3e-5"


def test_what_led_astray_is_not_gone_beyond() -> None:
    def world(rate: float) -> Tried:
        return ASTRAY if rate > 5e-4 else tried(1 + abs(math.log10(rate / 3e-4)), rate)

    assert searched(world, 1e-4) == ["1e-4", "3e-5", "3e-4", "1e-3", "2e-4", "5e-4"]
    assert searched(world, 1e-2) == ["1e-2", "3e-3", "1e-3", "3e-4", "1e-4", "2e-4", "5e-4"]
    assert len(searched(lambda _: ASTRAY, 1e-2)) == MOST


def test_rates_that_cannot_be_told_apart_are_as_good_and_drift_decides() -> None:
    best = ladder.nearest(1e-3)
    rungs = {best - 4: tried(1.3, 0.01), best - 2: tried(1.001, 0.09), best: tried(1.0, 0.3), best + 2: tried(1.2, 0.9)}
    assert ladder.best(rungs) == best
    good = ladder.as_good(rungs)
    assert good == [best - 2, best]
    assert ladder.chosen(rungs, good) == best - 2
    rungs[best - 2] = Tried(1.001, rungs[best - 2].texts, 0.4)  # the lower rate may drift more
    assert ladder.chosen(rungs, good) == best
    without = {rung: Tried(one.loss, one.texts) for rung, one in rungs.items()}
    assert ladder.chosen(without, good) == best - 2
