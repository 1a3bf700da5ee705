"""Translations on the page: some test sentences to read, and what is odd about translations alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from dragoman.corpora.records import Pair, draw
from dragoman.scoring.results import RowResults
from dragoman.scoring.statistics import chrf
from dragoman.suites.translation.suite import LONGER, MARGIN, Translated

TRANSLATIONS = 2  # shown of each direction; one where there are many
FEW = 4  # directions


@dataclass(frozen=True, slots=True)
class ShownTranslation:
    """A test sentence, and every row's translation with its sentence score."""

    pair: Pair
    versions: Mapping[str, tuple[Translated, float]]


def shown(results: Mapping[str, RowResults]) -> list[ShownTranslation]:
    """Some test sentences of each direction, selected by a hash, with every row's translation."""
    judged = {name: result.translation.items for name, result in results.items() if result.translation}
    if not judged:
        return []
    pairs = [item.pair for item in next(iter(judged.values()))]
    found = []
    directions = list(dict.fromkeys(pair.direction for pair in pairs))
    each = TRANSLATIONS if len(directions) <= FEW else 1
    for direction in directions:
        among = [index for index, pair in enumerate(pairs) if pair.direction == direction]
        for index in sorted(among, key=lambda i: draw(pairs[i].key, "page"))[:each]:
            versions = {name: (items[index], _sentence_score(items[index])) for name, items in judged.items()}
            found.append(ShownTranslation(pairs[index], versions))
    return found


def left_alone(taught: Iterable[str], results: Mapping[str, RowResults]) -> dict[str, dict[str, float]]:
    """Of rows that learnt to explain: row → rate → what is left of it, in percent, in the translation alone."""
    found = {}
    for name in taught:
        judged = results[name].translation if name in results else None
        if judged and judged.items:
            talks = sum(bool(one.flags["chatter"]) and one.hypothesis == one.answer.strip() for one in judged.items)
            longs = sum(len(one.hypothesis) > LONGER * len(one.pair.target) + MARGIN for one in judged.items)
            share = 100 / len(judged.items)
            found[name] = {"chatter": share * talks, "over_generation": share * longs}
    return found


def _sentence_score(item: Translated) -> float:
    return float(chrf(np.array(item.statistics["chrf++"], dtype=np.float64)))
