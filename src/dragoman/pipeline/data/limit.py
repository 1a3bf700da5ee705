"""A row's limit: which records a method learns from, where a row of the table is to learn from fewer than there are."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path

from dragoman.corpora.amounts import Kind
from dragoman.corpora.records import Record, draw
from dragoman.pipeline.data.record_files import read_records

LEARNT, MIXED_IN = "train.jsonl", "instructions.jsonl"


@dataclass(frozen=True, slots=True)
class Kept:
    """Which records are learnt: of each kind those whose draw is at most so high, and of what is mixed in a share."""

    highest: dict[Kind, float]
    share: float = 1.0
    left_out: int = 0

    def records(self, path: Path) -> Iterator[Record]:
        """Those of a file's records that are learnt, in their order."""
        for record in read_records(path):
            drawn = _drawn(record)
            if drawn < self.share if path.name == MIXED_IN else drawn <= self.highest.get(Kind.of(record), 1):
                yield record


def kept(data: Path, limit: int | None, mixes: bool) -> Kept:
    """What a row with this limit learns of a data stage's records.

    The limit counts the pairs of each direction and the conversations of each language; as the data's own limits do,
    it takes the smallest draws, so that a smaller limit keeps a part of what a larger one keeps. General instruction
    data shrinks in the same proportion.
    """
    if limit is None:
        return Kept({})
    draws: defaultdict[Kind, list[float]] = defaultdict(list)
    for record in read_records(data / LEARNT):
        draws[Kind.of(record)].append(_drawn(record))
    highest = {kind: nsmallest(limit, some)[-1] for kind, some in draws.items()}
    there = sum(map(len, draws.values()))
    left_out = sum(drawn > highest[kind] for kind, some in draws.items() for drawn in some)
    share = (there - left_out) / there if there else 1.0
    mixed = sum(_drawn(record) >= share for record in read_records(data / MIXED_IN)) if mixes else 0
    return Kept(highest, share, left_out + mixed)


def _drawn(record: Record) -> float:
    return draw(record.key, "limit")
