"""What the completions of a lesson cost."""

import pytest

from dragoman.generation.ask import Ask, Completion, Sampling
from dragoman.methods import Lesson, Making
from dragoman.pipeline.models.metered import Metered

GREEDY, ONE = Sampling(8, (0,)), Sampling(1, (0,))


def asking() -> Making:
    yield Ask("backbone", [(1,), (2,), (1,)], GREEDY, "first")
    yield Ask("backbone", [(1,)], ONE, "one token of the same")
    yield Ask("backbone", [(2,)], GREEDY, "once more")
    return Lesson([])


def test_an_answer_counts_once_with_its_tokens_and_its_seconds() -> None:
    long, short = Completion((5, 6, 0), "long", "stop", seconds=0.5), Completion((7, 0), "short", "stop", seconds=0.25)
    metered = Metered(asking())
    asked = next(metered)
    assert asked.purpose == "first"
    assert metered.spent == {"answers": 0, "tokens": 0, "seconds": 0.0}
    assert metered.send([long, short, long]).sampling == ONE
    assert metered.spent == {"answers": 2, "tokens": 5, "seconds": 0.75}
    metered.send([Completion((5,), "l", "length", seconds=0.125)])
    assert metered.spent == {"answers": 3, "tokens": 6, "seconds": 0.875}
    with pytest.raises(StopIteration) as end:
        metered.send([short])
    assert end.value.value == Lesson([])
    assert metered.spent["tokens"] == 6
