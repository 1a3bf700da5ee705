"""Which records a row learns from: from some alone (`learn`), or from fewer than there are (`limit`)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path

from dragoman.corpora.amounts import Kind
from dragoman.corpora.records import Learnt, Pair, Preference, Rated, Text, draw
from dragoman.methods import Learn
from dragoman.pipeline.data.record_files import read_learnt

LEARNT = "train.jsonl"
"""The pairs and conversations that every method learns from."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Which records are learnt: of each kind those whose draw is at most so high, and of all else a share."""

    learn: Learn | None
    highest: dict[Kind, float]
    share: float = 1.0
    left_out: int = 0
    counted: tuple[str, ...] = (LEARNT,)
    """The files of which the limit counts the records."""

    def records(self, path: Path) -> Iterator[Learnt]:
        """Those of a file's records that are learnt, in their order."""
        for record in read_learnt(path):
            if (path.name == LEARNT or isinstance(record, Rated | Preference)) and not is_chosen(record, self.learn):
                continue
            drawn = _drawn(record)
            if drawn <= self.highest.get(Kind.of(record), 1) if path.name in self.counted else drawn < self.share:
                yield record


def beside(name: str) -> str:
    """The file of other data that a method sees, by the name of its field in a recipe's `data`."""
    return f"{name}.jsonl"


def is_chosen(record: Learnt, learn: Learn | None) -> bool:
    """Whether a pair, a judged translation or a conversation is among those that a row learns from."""
    if learn is None:
        return True
    if isinstance(record, Pair | Rated | Preference):
        return record.direction in learn.directions
    return getattr(record, "origin", "") in learn.lessons


def kept(
    data: Path, limit: int | None, sees: Sequence[str] = (), learn: Learn | None = None, *, only: bool = False
) -> Kept:
    """What a row with this limit learns of a data stage's records, or of those that it is to `learn` from.

    The limit counts the pairs of each direction and the conversations of each language; as the data's own limits do,
    it takes the smallest draws, so that a smaller limit keeps a part of what a larger one keeps. Other data that the
    row's method `sees` shrinks in the same proportion; where the method learns from that `only`, the limit counts it
    instead, and what is there several times once.
    """
    if limit is None:
        return Kept(learn, {})
    others = tuple(map(beside, sees))
    counted, shrunk = (others, ()) if only else ((LEARNT,), others)
    draws: defaultdict[Kind, list[float]] = defaultdict(list)
    for name in counted:
        for record in read_learnt(data / name):
            if isinstance(record, Text) or is_chosen(record, learn):
                draws[Kind.of(record)].append(_drawn(record))
    highest = {kind: nsmallest(limit, set(some))[-1] for kind, some in draws.items()}
    there = sum(map(len, draws.values()))
    left_out = sum(drawn > highest[kind] for kind, some in draws.items() for drawn in some)
    share = (there - left_out) / there if there else 1.0
    rest = (record for name in shrunk for record in read_learnt(data / name))
    rest = (record for record in rest if not isinstance(record, Rated | Preference) or is_chosen(record, learn))
    return Kept(learn, highest, share, left_out + sum(_drawn(record) >= share for record in rest), counted)


def _drawn(record: Learnt) -> float:
    return draw(record.key, "limit")
