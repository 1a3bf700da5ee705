"""A sample of pairs as they stand in their files: runs of neighbours, spread evenly, collected in passing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dragoman.corpora.records import Pair

RUN = 40  # neighbours; whether lines are shifted shows in neighbours alone
MOST_RUNS = 24  # when there are so many, every second is let go


@dataclass(slots=True)
class PairSample:
    """Up to 960 pairs of one text in one direction: `runs` of neighbours, by the number of their first pair (from 0).

    It depends on nothing but the pairs and their order. Texts of up to 960 pairs are there as a whole.
    """

    direction: str
    count: int = 0
    runs: dict[int, list[Pair]] = field(default_factory=dict)
    _distance: int = RUN

    def watch(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The same pairs; those of the sample's direction are counted, and some are kept."""
        for pair in pairs:
            if pair.direction == self.direction:
                self._add(pair)
            yield pair

    def __iter__(self) -> Iterator[Pair]:
        return (pair for run in self.runs.values() for pair in run)

    def _add(self, pair: Pair) -> None:
        if len(self.runs) == MOST_RUNS and self.count % self._distance == 0:
            self._distance *= 2
            self.runs = {start: run for start, run in self.runs.items() if start % self._distance == 0}
        place = self.count % self._distance
        if place < RUN:
            self.runs.setdefault(self.count - place, []).append(pair)
        self.count += 1
