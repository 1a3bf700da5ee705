"""Batches: which prompts are generated together (a lot), and when finished completions become a shard.

The plan depends only on the set of prompts, not on their order or on where an earlier run was interrupted. So an
engine that gets one lot at a time makes the same batches after a kill as without one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dragoman.generation.ask import Completion, Ids
from dragoman.generation.cache.group import Group

T = TypeVar("T")
Lot = Sequence[Ids]


def planned(prompts: Iterable[Ids]) -> list[Ids]:
    """The distinct prompts, longest first; those of equal length are ordered by their ids."""
    return sorted(set(prompts), key=lambda prompt: (-len(prompt), prompt))


def missing_lots(plan: Sequence[Ids], known: Collection[Ids], size: int) -> list[Lot]:
    """The plan cut into lots of `size`, without the prompts in `known`.

    Lots with no known prompt stay whole; what remains of the others is regrouped.
    """
    whole: list[Lot] = []
    rest: list[Ids] = []
    for lot in _cut(plan, size):
        missing = [prompt for prompt in lot if prompt not in known]
        if len(missing) == len(lot):
            whole.append(lot)
        else:
            rest += missing
    return whole + _cut(rest, size)


def _cut(whole: Sequence[T], size: int) -> list[Sequence[T]]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]


class Keeping:
    """Collects completions, in any order, and writes each lot to `group` as a shard once it is complete."""

    def __init__(self, lots: Sequence[Lot], group: Group):
        self.prompts = [prompt for lot in lots for prompt in lot]
        self._group = group
        self._size = max(map(len, lots), default=1)
        self._lot_of = [number for number, lot in enumerate(lots) for _ in lot]
        self._left = [len(lot) for lot in lots]
        self._done: dict[int, dict[int, Completion]] = {}  # lots in progress

    def take(self, index: int, completion: Completion) -> None:
        """Notes that a prompt is done; a failed completion is not stored."""
        lot = self._lot_of[index]
        self._left[lot] -= 1
        done = self._done.setdefault(lot, {})
        if completion.finish != "failed":
            done[index] = completion
        if not self._left[lot]:
            self._put(done)
            del self._done[lot]

    def rest(self) -> None:
        """Writes the finished completions of incomplete lots."""
        done = {index: completion for lot in self._done.values() for index, completion in lot.items()}
        self._done = {}
        for some in _cut(sorted(done), self._size):
            self._put({index: done[index] for index in some})

    def _put(self, done: dict[int, Completion]) -> None:
        if done:
            self._group.put([(self.prompts[index], done[index]) for index in sorted(done)])


@dataclass(slots=True)
class Ended:
    """Counts how completions have ended so far. The first token of a `healed` one replaces a token of its prompt."""

    healed: bool = False
    total: int = 0
    cut: int = 0
    empty: int = 0
    failed: int = 0

    def count(self, completion: Completion) -> None:
        self.total += 1
        self.cut += completion.finish == "length"
        self.failed += completion.finish == "failed"
        nothing = len(completion.body) <= 1 if self.healed else not completion.text.strip()
        self.empty += completion.finish != "failed" and nothing

    def __str__(self) -> str:
        """For the progress line, such as `3% cut, 0% empty`."""
        shares = f"{self.cut / self.total:.0%} cut, {self.empty / self.total:.0%} empty"
        return f"{shares}, {self.failed:,} failed" if self.failed else shares
