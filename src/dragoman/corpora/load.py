"""From what a recipe says to pairs: files found, duplicates out, limits kept, and everything counted.

Two passes over the files. The first notes eight bytes a pair, enough to tell which to keep; the
second gives the pairs. So every fault of a file shows before any work begins, and the pairs
themselves never have to fit into memory.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora import catalog
from dragoman.corpora.parallel import FilesChoice, ParallelText, located, read
from dragoman.corpora.records import Pair, draw
from dragoman.errors import DataError


class CorpusChoice(Protocol):
    """Where pairs come from, as a recipe says it (`recipe.schema.Corpus`)."""

    @property
    def corpus(self) -> str | None: ...
    @property
    def files(self) -> Sequence[FilesChoice]: ...
    @property
    def directions(self) -> Sequence[str]: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def seed(self) -> int: ...


@dataclass(frozen=True)
class Loaded:
    """Pairs to go through as often as needed, read from their files each time.

    `dropped` counts what was left out by reason, `counts` what is there by direction.
    """

    texts: tuple[ParallelText, ...]
    directions: tuple[str, ...]
    dropped: Counter[str]
    counts: Counter[str]
    kept: NDArray[np.bool_]  # [pairs of the directions, in the order of the files]

    def __iter__(self) -> Iterator[Pair]:
        return compress(_read_all(self.texts, self.directions, Counter()), self.kept)

    def __len__(self) -> int:
        return sum(self.counts.values())

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that the pairs are read from."""
        return tuple(path for text in self.texts for path in text.paths)


def load(corpus: CorpusChoice, role: catalog.Role, base: Path) -> Loaded:
    """The pairs of a corpus of the catalogue, or of one's own files (relative to `base`).

    Training data is made distinct: of equal pairs only the first is kept. Test sets stay as they
    were published.
    """
    texts, directions = locate(corpus, role, base)
    return select(texts, directions, corpus.limit, corpus.seed, distinct=role != "test")


def locate(corpus: CorpusChoice, role: catalog.Role, base: Path) -> tuple[tuple[ParallelText, ...], tuple[str, ...]]:
    """The files behind a choice and the directions it takes from them; files of the catalogue are fetched first."""
    directions = tuple(corpus.directions)
    if corpus.corpus is not None:
        texts = catalog.parallel_text(corpus.corpus, role, directions)
        name = f"corpus {corpus.corpus!r}"
        offered = catalog.find(corpus.corpus).directions(role)
    else:
        texts = tuple(located(files, base) for files in corpus.files)
        name = "what `files` names"
        offered = tuple(dict.fromkeys(direction for text in texts for direction in text.directions))
    unknown = [direction for direction in directions if direction not in offered]
    if unknown:
        raise DataError(f"{name} has no {', '.join(unknown)} for {role}; it has {', '.join(offered) or 'nothing'}")
    return texts, directions or offered


def select(
    texts: Sequence[ParallelText], directions: Sequence[str], limit: int | None, seed: int, distinct: bool
) -> Loaded:
    """Reads through some files and decides which pairs to keep.

    A limit keeps, in each direction, the pairs with the smallest draws; so which ones are kept
    depends neither on their order nor, among those that fit, on what else there is.
    """
    dropped: Counter[str] = Counter()
    keys, draws, places = array("Q"), array("d"), array("H")
    for pair in _read_all(texts, directions, dropped):
        key = pair.key
        keys.append(int(key, 16))
        places.append(directions.index(pair.direction))
        if limit is not None:
            draws.append(draw(key, "limit", seed))
    kept = np.ones(len(keys), dtype=bool)
    if distinct:
        kept[:] = False
        kept[np.unique(np.array(keys, dtype=np.uint64), return_index=True)[1]] = True
        dropped["duplicate"] += len(keys) - int(kept.sum())
    direction = np.array(places, dtype=np.uint16)
    if limit is not None:
        for place in range(len(directions)):
            candidates = np.flatnonzero(kept & (direction == place))
            order = np.argsort(np.array(draws)[candidates], kind="stable")
            kept[candidates[order[limit:]]] = False
            dropped["over the limit"] += max(0, len(candidates) - limit)
    counts = Counter({name: int((kept & (direction == place)).sum()) for place, name in enumerate(directions)})
    return Loaded(tuple(texts), tuple(directions), +dropped, counts, kept)


def _read_all(texts: Sequence[ParallelText], directions: Sequence[str], dropped: Counter[str]) -> Iterator[Pair]:
    wanted = set(directions)
    return (pair for text in texts for pair in read(text, dropped) if pair.direction in wanted)
