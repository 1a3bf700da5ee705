"""Lots: cut from a plan of the prompts alone; each becomes a shard when it is complete."""

from collections.abc import Sequence
from pathlib import Path

from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.batches import Ended, Keeping, missing_lots, planned
from dragoman.generation.cache.group import Group


def test_the_plan_begins_with_the_longest() -> None:
    assert planned([(3,), (1, 9), (2,), (1, 2, 3), (1, 9), (1, 8)]) == [(1, 2, 3), (1, 8), (1, 9), (2,), (3,)]


def test_lots_of_which_nothing_is_known_stay_whole() -> None:
    plan = [(number,) for number in range(10)]
    assert missing_lots(plan, {}, 4) == [plan[:4], plan[4:8], plan[8:]]
    assert missing_lots(plan, {(5,)}, 4) == [plan[:4], plan[8:], [(4,), (6,), (7,)]]
    assert missing_lots(plan, {(0,), (5,), (9,)}, 4) == [[*plan[1:4], (4,)], [(6,), (7,), (8,)]]
    assert missing_lots(plan, set(plan), 4) == []


def test_a_resumed_plan_has_the_same_lots() -> None:
    plan = [(number,) for number in range(40)]
    known = {(number,) for number in (3, 4, 17, 22, 38)}
    lots = missing_lots(plan, known, 8)
    for done in range(len(lots)):  # killed after so many of them
        known_now = known.union(*lots[:done])
        assert missing_lots(plan, known_now, 8) == lots[done:]


class Recorder(Group):
    def __init__(self) -> None:
        super().__init__(Path("nowhere"), "", Sampling(1, ()), print)
        self.shards: list[list[Ids]] = []

    def put(self, done: Sequence[tuple[Ids, Completion]]) -> None:
        self.shards.append([prompt for prompt, _ in done])


def test_a_lot_becomes_a_shard_when_it_is_complete() -> None:
    group = Recorder()
    keeping = Keeping([[(1,), (2,)], [(3,), (4,), (5,)], [(6,), (7,)]], group)
    good, bad = Completion((1,), "a", "stop"), Completion((), "", "failed", why="no")
    seen = []
    for index, completion in [(1, good), (6, bad), (4, good), (2, good), (0, good), (3, bad), (5, bad)]:
        keeping.take(index, completion)
        seen.append(len(group.shards))
    assert seen == [0, 0, 0, 0, 1, 2, 2]
    keeping.rest()
    assert group.shards == [[(1,), (2,)], [(3,), (5,)]]


def test_the_rest_is_kept_in_the_planned_order() -> None:
    group = Recorder()
    keeping = Keeping([[(number, place) for place in range(3)] for number in range(4)], group)
    for index in (10, 0, 7, 1, 4):
        keeping.take(index, Completion((1,), "a", "stop"))
    keeping.rest()
    keeping.rest()
    assert group.shards == [[(0, 0), (0, 1), (1, 1)], [(2, 1), (3, 1)]]


def test_shares_of_what_has_ended() -> None:
    ended = Ended()
    for completion in [Completion((1,), "a", "length")] * 3 + [Completion((2,), " ", "stop")] * 97:
        ended.count(completion)
    assert str(ended) == "3% cut, 97% empty"
    ended.count(Completion((), "", "failed"))
    assert str(ended) == "3% cut, 96% empty, 1 failed"
