"""Differences between every two rows, with intervals and p values, all of them paired."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from dragoman.scoring.scorecard.abilities import Family, paired, retention
from dragoman.scoring.scorecard.translation import GROUPS, Measure, Translations, group, metrics
from dragoman.scoring.statistics import bounds, interval, mcnemar, two_sided_p

MAIN = "chrf++"
"""The metric that rows are compared by first."""


def pairs(translated: Mapping[str, Translations], judged: Mapping[str, Mapping[str, Family]]) -> list[dict[str, Any]]:
    """All pairs of rows in their order, each as the scorecard's PAIR."""
    names = list(translated) or list(judged)
    return [
        {"row": row, "other": other}
        | {
            key: _translation(translated.get(row, {}), translated.get(other, {}), name)
            for key, name in (("translation", "all"), ("into_english",) * 2, ("out_of_english",) * 2)
        }
        | {"directions": _directions(translated.get(row, {}), translated.get(other, {}), MAIN)}
        | {"metrics": _metrics(translated.get(row, {}), translated.get(other, {}))}
        | _judged(judged.get(row, {}), judged.get(other, {}))
        for row, other in combinations(names, 2)
    ]


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


def ability_difference(row: Family, other: Family) -> dict[str, Any] | None:
    """How far a row is ahead over the items judged for both, as the scorecard's DIFF; None if there are none."""
    ours, theirs = paired(row, other)
    delta = ours.score - theirs.score
    return None if np.isnan(delta) else _difference(ours, theirs, delta, ability_p(row, other))


def _translation(row: Translations, other: Translations, name: str, metric: str = MAIN) -> dict[str, Any] | None:
    ours, theirs = group(row, name, metric), group(other, name, metric)
    if not (ours and theirs):
        return None
    return _difference(ours, theirs, ours.score - theirs.score, translation_p(ours, theirs))


def _directions(row: Translations, other: Translations, metric: str) -> dict[str, Any]:
    measured = (
        (name, row[name][metric], other[name][metric])
        for name in row
        if metric in row[name] and metric in other.get(name, {})
    )
    return {
        name: _difference(ours, theirs, ours.score - theirs.score, translation_p(ours, theirs))
        for name, ours, theirs in measured
    }


def _metrics(row: Translations, other: Translations) -> dict[str, Any]:
    """The differences in every metric but the main one."""
    return {
        metric: {name: _translation(row, other, name, metric) for name in GROUPS}
        | {"directions": _directions(row, other, metric)}
        for metric in metrics(row)
        if metric != MAIN
    }


def _judged(row: Mapping[str, Family], other: Mapping[str, Family]) -> dict[str, Any]:
    ours, theirs = retention(row), retention(other)
    kept = None
    if ours and theirs:
        gap = ours.score - theirs.score
        kept = _difference(ours, theirs, gap, two_sided_p(ours.samples - theirs.samples, gap))
    found = {name: ability_difference(family, other[name]) for name, family in row.items() if name in other}
    return {
        "retention": kept,
        "families": {name: one for name, one in found.items() if one and not row[name].skill},
        "skills": {name: one for name, one in found.items() if one and row[name].skill},
    }


def _difference(row: Measure, other: Measure, delta: float, p: float) -> dict[str, Any]:
    return {"delta": delta, "interval": bounds(interval(row.samples - other.samples)), "p": p}
