"""Differences between every two rows, with intervals and p values, all of them paired."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from dragoman.scoring.scorecard.abilities import Family, paired, retention
from dragoman.scoring.scorecard.schema import Gap, GroupName, MetricGaps, RowPair
from dragoman.scoring.scorecard.translation import Measure, Translations, group, metrics
from dragoman.scoring.statistics import bounds, interval, mcnemar, two_sided_p

MAIN = "chrf++"
"""The metric that rows are compared by first."""


def pairs(translated: Mapping[str, Translations], judged: Mapping[str, Mapping[str, Family]]) -> list[RowPair]:
    """All pairs of rows in their order."""
    names = list(translated) or list(judged)
    return [
        _pair(
            row,
            other,
            (translated.get(row, {}), translated.get(other, {})),
            (judged.get(row, {}), judged.get(other, {})),
        )
        for row, other in combinations(names, 2)
    ]


def _pair(
    row: str,
    other: str,
    translated: tuple[Translations, Translations],
    judged: tuple[Mapping[str, Family], Mapping[str, Family]],
) -> RowPair:
    ours, theirs = judged
    found = {name: ability_difference(family, theirs[name]) for name, family in ours.items() if name in theirs}
    main = _compared(*translated, MAIN)
    return {
        "row": row,
        "other": other,
        "translation": main["all"],
        "into_english": main["into_english"],
        "out_of_english": main["out_of_english"],
        "directions": main["directions"],
        "metrics": {metric: _compared(*translated, metric) for metric in metrics(translated[0]) if metric != MAIN},
        "retention": _retention(*judged),
        "families": {name: one for name, one in found.items() if one and not ours[name].skill},
        "skills": {name: one for name, one in found.items() if one and ours[name].skill},
    }


def translation_p(row: Measure, other: Measure) -> float:
    """From the paired bootstrap over items and seeds; if below 0.05, the difference's interval excludes 0."""
    return two_sided_p(row.samples - other.samples, row.score - other.score)


def ability_p(row: Family, other: Family) -> float:
    """From the exact McNemar test if each row is one training with pass or fail, otherwise from the bootstrap.

    Over the items judged for both.
    """
    if row.values.shape[1] == other.values.shape[1] == 1 and row.yes_or_no and other.yes_or_no:
        both = ~(np.isnan(row.values[:, 0]) | np.isnan(other.values[:, 0]))
        return mcnemar((other.values[both, 0] == 100).tolist(), (row.values[both, 0] == 100).tolist())
    ours, theirs = paired(row, other)
    return two_sided_p(ours.samples - theirs.samples, ours.score - theirs.score)


def ability_difference(row: Family, other: Family) -> Gap | None:
    """How far a row is ahead over the items judged for both; None if there are none."""
    ours, theirs = paired(row, other)
    delta = ours.score - theirs.score
    return None if np.isnan(delta) else _difference(ours, theirs, delta, ability_p(row, other))


def _compared(row: Translations, other: Translations, metric: str) -> MetricGaps:
    return {
        "out_of_english": _group(row, other, "out_of_english", metric),
        "into_english": _group(row, other, "into_english", metric),
        "all": _group(row, other, "all", metric),
        "directions": {
            name: _translated(row[name][metric], other[name][metric])
            for name in row
            if metric in row[name] and metric in other.get(name, {})
        },
    }


def _group(row: Translations, other: Translations, name: GroupName, metric: str) -> Gap | None:
    ours, theirs = group(row, name, metric), group(other, name, metric)
    return _translated(ours, theirs) if ours and theirs else None


def _translated(row: Measure, other: Measure) -> Gap:
    return _difference(row, other, row.score - other.score, translation_p(row, other))


def _retention(row: Mapping[str, Family], other: Mapping[str, Family]) -> Gap | None:
    ours, theirs = retention(row), retention(other)
    if not (ours and theirs):
        return None
    with np.errstate(invalid="ignore"):  # a share of nothing, without end in both
        delta, gaps = ours.score - theirs.score, ours.samples - theirs.samples
    ends = bounds(interval(gaps))  # none where the backbone has nothing of an ability in any resample
    return {"delta": delta, "interval": ends, "p": two_sided_p(gaps, delta)} if ends else None


def _difference(row: Measure, other: Measure, delta: float, p: float) -> Gap:
    return {"delta": delta, "interval": list(interval(row.samples - other.samples)), "p": p}
