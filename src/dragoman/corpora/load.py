"""Loading pairs as a recipe says: finds files, drops duplicates, applies limits, and counts everything.

Two passes over the files. The first notes some eight bytes per pair, enough to decide which to keep; the second
yields the pairs. So every fault of a file shows before any work begins, and the pairs never have to fit into memory.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora import catalog
from dragoman.corpora.disjoint import Sentences
from dragoman.corpora.formats.parallel import FilesChoice, ParallelText, located, read
from dragoman.corpora.pair_sample import PairSample
from dragoman.corpora.records import Pair, draw
from dragoman.errors import DataError

LIMITED = "over the limit"  # as a reason why a pair is left out: the recipe's own


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
    @property
    def disjoint(self) -> bool: ...
    @property
    def max_characters(self) -> int | None: ...
    @property
    def drop_copies(self) -> bool: ...


@dataclass(frozen=True)
class Loaded:
    """Pairs that can be iterated as often as needed, read from their files each time.

    `dropped` counts what was left out, by reason; `counts` what is there, by direction.
    """

    texts: tuple[ParallelText, ...]
    directions: tuple[str, ...]
    dropped: Counter[str]
    counts: Counter[str]
    kept: NDArray[np.bool_]  # [pairs of the directions, in the order of the files]
    samples: tuple[PairSample, ...]  # of each text, as it is in its files

    def __iter__(self) -> Iterator[Pair]:
        return compress(_read_all(self.texts, self.directions, Counter()), self.kept)

    def __len__(self) -> int:
        return sum(self.counts.values())

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that the pairs are read from."""
        return tuple(path for text in self.texts for path in text.paths)


@dataclass(frozen=True, slots=True)
class Rules:
    """Which pairs are kept. A field that is None or False has no effect.

    The limit keeps, in each direction, the pairs with the smallest draws; so the choice depends neither on their
    order nor, among those that fit, on what else there is. `disjoint` is explained in `corpora.disjoint`.
    """

    limit: int | None = None
    seed: int = 0
    distinct: bool = False
    disjoint: bool = False
    max_characters: int | None = None
    drop_copies: bool = False

    @classmethod
    def of(cls, corpus: CorpusChoice, role: catalog.Role) -> "Rules":
        """The rules in a recipe's choice of a corpus; test sets stay as they were published, including duplicates."""
        distinct = role != "test"
        return cls(corpus.limit, corpus.seed, distinct, corpus.disjoint, corpus.max_characters, corpus.drop_copies)

    def unfit(self, pair: Pair) -> str:
        """Why a pair is left out regardless of other pairs; empty if it may stay."""
        if self.max_characters is not None and max(len(pair.source), len(pair.target)) > self.max_characters:
            return "too long"
        if self.drop_copies and _plain(pair.source) == _plain(pair.target):
            return "the same on both sides"
        return ""


def load(corpus: CorpusChoice, role: catalog.Role, base: Path) -> Loaded:
    """The pairs of a corpus of the catalogue, or of the user's own files (relative to `base`).

    Of equal training pairs only the first is kept. Test sets stay as they were published.
    """
    texts, directions = locate(corpus, role, base)
    rules = Rules(corpus.limit, corpus.seed, role != "test", corpus.disjoint, corpus.max_characters, corpus.drop_copies)
    return select(texts, directions, rules)


def locate(corpus: CorpusChoice, role: catalog.Role, base: Path) -> tuple[tuple[ParallelText, ...], tuple[str, ...]]:
    """The files behind a choice and the directions to take from them; catalogue files are fetched first."""
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


def select(texts: Sequence[ParallelText], directions: Sequence[str], rules: Rules) -> Loaded:
    """Reads through some files and decides which pairs to keep."""
    dropped: Counter[str] = Counter()
    samples = tuple(PairSample(text.direction) for text in texts)
    kept, counts = _decided(_read_all(texts, directions, dropped, samples), directions, rules, dropped)
    return Loaded(tuple(texts), tuple(directions), +dropped, counts, kept, samples)


def choose(pairs: Sequence[Pair], directions: Sequence[str], rules: Rules, dropped: Counter[str]) -> list[Pair]:
    """The pairs in a list that the rules keep, as `select` does with files; `dropped` counts the others."""
    kept, _ = _decided(pairs, directions, rules, dropped)
    return list(compress(pairs, kept))


def _decided(
    pairs: Iterable[Pair], directions: Sequence[str], rules: Rules, dropped: Counter[str]
) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Which pairs are kept, [pairs], and how many in each direction."""
    keys, draws, places, fit = array("Q"), array("d"), array("H"), array("B")
    sentences = Sentences(directions, rules.seed) if rules.disjoint else None
    for pair in pairs:
        reason = rules.unfit(pair)
        if reason:
            dropped[reason] += 1
        fit.append(not reason)
        key = pair.key
        keys.append(int(key, 16))
        places.append(directions.index(pair.direction))
        if rules.limit is not None:
            draws.append(draw(key, "limit", rules.seed))
        if sentences is not None:
            sentences.add(pair)
    direction = np.array(places, dtype=np.uint16)
    kept = np.array(fit, dtype=bool)
    if rules.distinct:
        candidates = np.flatnonzero(kept)
        first = np.unique(np.array(keys, dtype=np.uint64)[candidates], return_index=True)[1]
        kept[:] = False
        kept[candidates[first]] = True
        dropped["duplicate"] += len(candidates) - len(first)
    if sentences is not None:
        served = sentences.served(direction, kept)
        dropped["serves the other direction"] += int((kept & ~served).sum())
        kept &= served
    if rules.limit is not None:
        for place in range(len(directions)):
            candidates = np.flatnonzero(kept & (direction == place))
            order = np.argsort(np.array(draws)[candidates], kind="stable")
            kept[candidates[order[rules.limit :]]] = False
            dropped[LIMITED] += max(0, len(candidates) - rules.limit)
    return kept, Counter({name: int((kept & (direction == place)).sum()) for place, name in enumerate(directions)})


def _read_all(
    texts: Sequence[ParallelText],
    directions: Sequence[str],
    dropped: Counter[str],
    samples: Sequence[PairSample] = (),
) -> Iterator[Pair]:
    wanted = set(directions)
    for number, text in enumerate(texts):
        pairs = read(text, dropped)
        for pair in samples[number].watch(pairs) if samples else pairs:
            if pair.direction in wanted:
                yield pair


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
