"""Choosing documents: no duplicates, nothing unwanted, limits respected, some held out; and drawing the others.

Two passes, as with pairs. The first notes a few bytes of each document, which suffice to decide which ones to take;
the second reads the files again. So the documents never have to fit into memory.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora.records import Pair, Text, draw
from dragoman.errors import DataError
from dragoman.pipeline.data.texts.shares import drawn, shares
from dragoman.pipeline.data.texts.sources import ReadPairs, Source
from dragoman.recipe.data.texts import Mixture

Unwanted = Callable[[Source, Text | Pair], str | None]
Measured = NDArray[np.float64]
"""Of each document of a source, in the order of its files, its tokens and its perplexity; [documents, 2]."""
TOKENS, PERPLEXITY = 0, 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which documents of a source are taken: those that are learnt and those that are held out, [documents]."""

    source: Source
    learnt: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    tokens: float
    """Of those that are learnt; 0 if they were not counted, as where data is only looked at."""

    @property
    def count(self) -> int:
        return int(self.learnt.sum())


@dataclass(frozen=True)
class TakenTexts:
    """The chosen documents of all sources; `counts`, `again` and `dropped` are complete once they have been drawn."""

    chosen: Sequence[Chosen]
    mixture: Mixture
    pairs: ReadPairs
    dropped: Counter[str]
    counts: Counter[str] = field(default_factory=Counter)
    """How many were drawn, by origin and language."""
    again: Counter[str] = field(default_factory=Counter)
    """How many of these were drawn before, by origin and language."""

    def drawn(self) -> Iterator[Text]:
        """The documents to learn, in the order in which they are drawn."""
        learnt = {one.source.number: one for one in self.chosen if one.count}
        counts = {number: one.count for number, one in learnt.items()}
        counted = self.mixture.by == "tokens" and all(one.tokens for one in learnt.values())
        sizes = [one.tokens if counted else one.count for one in learnt.values()]
        wanted = shares([one.source.said for one in learnt.values()], sizes, self.mixture.temperature)
        by_size = zip(learnt, wanted, sizes, strict=True)
        chances = {number: share * counts[number] / size for number, share, size in by_size}
        begin = {number: _reader(one.source, one.learnt, self.pairs) for number, one in learnt.items()}
        came: Counter[int] = Counter()
        for number, text in drawn(begin, counts, chances, self.mixture):
            came[number] += 1
            name = f"{text.origin} {text.language}"
            self.counts[name] += 1
            self.again[name] += came[number] > counts[number]
            yield text
        self.dropped["documents that the mixture did not come to"] += sum((Counter(counts) - came).values())

    def held_out(self) -> Iterator[Text]:
        """The documents to validate on."""
        for one in self.chosen:
            yield from _reader(one.source, one.held_out, self.pairs)()


def take(
    sources: Sequence[Source],
    mixture: Mixture | None,
    pairs: ReadPairs,
    unwanted: Unwanted,
    measured: Callable[[Source], Measured | None],
) -> TakenTexts:
    """Reads through all sources and decides which documents to take.

    `DataError` for one of which nothing is left.
    """
    dropped: Counter[str] = Counter()
    seen = np.zeros(0, dtype=np.uint64)
    chosen = []
    for source in sources:
        left_out: Counter[str] = Counter()
        one, keys = _choose(source, pairs, unwanted, measured(source), seen, left_out)
        if not (one.count or one.held_out.any()) or (source.said.dev != 1 and not one.count):
            language = f" in {source.said.language}" if source.said.language else ""
            raise DataError(
                f"{source.place} ({source.origin}): not one document{language} is left to learn; left out: "
                + (", ".join(f"{count:,} {reason}" for reason, count in (+left_out).items()) or "nothing")
            )
        seen = np.union1d(seen, keys)
        dropped.update(left_out)
        chosen.append(one)
    return TakenTexts(chosen, mixture or Mixture(), pairs, dropped)


def _choose(
    source: Source,
    pairs: ReadPairs,
    unwanted: Unwanted,
    measured: Measured | None,
    seen: NDArray[np.uint64],
    dropped: Counter[str],
) -> tuple[Chosen, NDArray[np.uint64]]:
    """Which documents of a source are taken, and their keys."""
    said = source.said
    names, draws, dev, reasons = array("Q"), array("d"), array("d"), array("H")
    known: dict[str, int] = {"": 0}
    for text, compared in source.read(pairs, dropped):
        key = text.key
        names.append(int(key, 16))
        draws.append(draw(key, "limit", said.seed))
        dev.append(draw(key, "dev", said.seed))
        reasons.append(known.setdefault(unwanted(source, compared) or "", len(known)))
    keys, why = np.array(names, dtype=np.uint64), np.array(reasons, dtype=np.uint16)
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    first &= ~np.isin(keys, seen)
    dropped["duplicate"] += len(keys) - int(first.sum())
    for reason, number in known.items():
        if number:
            dropped[reason] += int((first & (why == number)).sum())
    kept = first & (why == 0)
    if measured is not None and said.max_perplexity is not None:
        over = kept & (measured[:, PERPLEXITY] > said.max_perplexity)
        dropped[f"over a perplexity of {said.max_perplexity:g}"] += int(over.sum())
        kept &= ~over
    if said.limit is not None:
        candidates = np.flatnonzero(kept)
        order = np.argsort(np.array(draws)[candidates], kind="stable")
        kept[candidates[order[said.limit :]]] = False
        dropped["over the limit"] += max(0, len(candidates) - said.limit)
    held_out = kept & (np.array(dev) < (said.dev or 0))
    learnt = kept & ~held_out
    tokens = float(measured[learnt, TOKENS].sum()) if measured is not None else 0.0
    return Chosen(source, learnt, held_out, tokens), keys[kept]


def _reader(source: Source, kept: NDArray[np.bool_], pairs: ReadPairs) -> Callable[[], Iterator[Text]]:
    return lambda: compress((text for text, _ in source.read(pairs)), kept)
