"""Corpora in the `data` commands: the catalogue's entries, and a first look at the user's own files."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora import catalog
from dragoman.corpora.formats.parallel import ParallelText
from dragoman.corpora.load import Rules, select
from dragoman.corpora.records import Pair, draw
from dragoman.disk import in_bytes

PAIRS: tuple[catalog.Role, ...] = ("train", "valid", "test")
FOR: dict[catalog.Role, str] = {
    "dialogues": "data.lessons and data.instructions",
    "prompts": "data.replay",
    "questions": "the suite of that name",
}
SAMPLES = 3


def entries() -> Iterator[tuple[str, str]]:
    """The name of each corpus, and a description."""
    for name, entry in catalog.catalogue().items():
        parts = [f"{role}: {', '.join(found)}" for role in PAIRS if (found := entry.directions(role))]
        parts += [f"for {FOR[role]}" for role in FOR if role in {part.role for part in entry.parts}]
        size = "Size not stated" if entry.size is None else in_bytes(entry.size)
        size += ", no checksum known" if entry.unchecked else ""
        yield name, f"{entry.description} {'; '.join(parts)}. {size}. Licence: {entry.licence}. {entry.homepage}"


def get(name: str) -> list[Path]:
    """The files of a corpus, fetched, and verified if a checksum is known. DataError if they cannot be fetched."""
    entry = catalog.find(name)
    return [catalog.local(entry, path) for path in entry.files]


def unchecked(name: str) -> tuple[str, ...]:
    """The files of a corpus without a checksum in the catalogue."""
    return catalog.find(name).unchecked


@dataclass(frozen=True, slots=True)
class Inspection:
    """Statistics of some files. Lengths are in characters, of source and target: median, 99 %, longest."""

    pairs: int
    dropped: Counter[str]
    lengths: tuple[tuple[int, int, int], tuple[int, int, int]]
    copies: int
    lopsided: int
    samples: list[Pair]


def inspect(text: ParallelText) -> Inspection:
    """Counts what one should know of the files before spending hours on them. DataError if they are faulty."""
    loaded = select([text], text.directions, Rules(distinct=True))
    lengths: tuple[list[int], list[int]] = ([], [])
    copies = lopsided = 0
    samples: list[tuple[float, Pair]] = []
    for pair in loaded:
        source, target = len(pair.source), len(pair.target)
        lengths[0].append(source)
        lengths[1].append(target)
        copies += pair.source == pair.target
        lopsided += max(source, target) > 20 and max(source, target) > 3 * min(source, target)
        samples = sorted([*samples, (draw(pair.key, "sample"), pair)], key=lambda drawn: drawn[0])[:SAMPLES]
    measured = [_spread(sorted(side)) for side in lengths]
    return Inspection(
        len(loaded), loaded.dropped, (measured[0], measured[1]), copies, lopsided, [pair for _, pair in samples]
    )


def _spread(ordered: list[int]) -> tuple[int, int, int]:
    if not ordered:
        return (0, 0, 0)
    last = len(ordered) - 1
    return ordered[last // 2], ordered[math.ceil(0.99 * last)], ordered[last]
