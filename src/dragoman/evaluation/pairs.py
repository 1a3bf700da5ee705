"""Every two rows against each other: differences with intervals and p values, all of them paired."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from dragoman.evaluation.families import Family, retention
from dragoman.evaluation.measures import GROUPS, Measure, Translations, group, metrics
from dragoman.evaluation.statistics import interval, mcnemar, paired_p, two_sided_p

MAIN = "chrf++"
"""The metric that rows are compared in first."""


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
    """sacreBLEU's paired bootstrap where each row is one training, else that of items and seeds."""
    if len(row.seeds) == len(other.seeds) == 1:
        return paired_p(other.samples, row.samples, row.score - other.score)
    return two_sided_p(row.samples - other.samples, row.score - other.score)


def ability_p(row: Family, other: Family) -> float:
    """The exact McNemar test where each row is one training that passes or fails, else the bootstrap."""
    if row.values.shape[1] == other.values.shape[1] == 1 and row.yes_or_no and other.yes_or_no:
        return mcnemar((other.values[:, 0] == 100).tolist(), (row.values[:, 0] == 100).tolist())
    return two_sided_p(row.score.samples - other.score.samples, ability_delta(row, other))


def ability_delta(row: Family, other: Family) -> float:
    """Points by which a row is ahead."""
    return row.score.score - other.score.score


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
    """Of every metric but the main one."""
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
    found = {
        name: _difference(
            family.score, other[name].score, ability_delta(family, other[name]), ability_p(family, other[name])
        )
        for name, family in row.items()
        if name in other and not np.isnan(ability_delta(family, other[name]))
    }
    return {
        "retention": kept,
        "families": {name: one for name, one in found.items() if not row[name].skill},
        "skills": {name: one for name, one in found.items() if row[name].skill},
    }


def _difference(row: Measure, other: Measure, delta: float, p: float) -> dict[str, Any]:
    return {"delta": delta, "interval": list(interval(row.samples - other.samples)), "p": p}
