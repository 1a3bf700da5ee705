"""The noise floor (how far the backbone is from itself by chance), and TRACE's changes of each side."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dragoman.errors import DataError
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.abilities import Family, can_be_shared, paired
from dragoman.scoring.scorecard.schema import Change, Noise, Trace, TraceSide
from dragoman.scoring.statistics import Floats, bounds, interval
from dragoman.suites import is_skill


def trace(row: Mapping[str, Family], reference: Mapping[str, Family]) -> Trace:
    """TRACE's changes relative to the backbone, in points of 100: the mean over the families of each side."""
    return {
        "general": _side(row, reference, "general"),
        "instruction": _side(row, reference, "instruction"),
        "safety": _side(row, reference, "safety"),
    }


def _side(row: Mapping[str, Family], reference: Mapping[str, Family], side: TraceSide) -> Change | None:
    found = {name: _change(family, reference.get(name)) for name, family in row.items() if family.side == side}
    known = {name: change for name, change in found.items() if change is not None}
    if not known:
        return None
    return {
        "families": list(known),
        "delta": float(np.mean([delta for delta, _ in known.values()])),
        "interval": bounds(interval(np.mean([samples for _, samples in known.values()], axis=0))),
    }


def _change(row: Family, reference: Family | None) -> tuple[float, Floats] | None:
    """How far a row is ahead in points of 100, overall and in every resample."""
    if not row.kept and reference is None:  # a comparison: 50 is a draw
        delta, samples = 2 * (row.score.score - 50), 2 * (row.score.samples - 50)
    elif reference is None:
        return None
    else:
        scale = 100 / float(row.unit[1:]) if row.unit.startswith("/") else 1.0
        ours, theirs = paired(row, reference)
        delta = scale * (ours.score - theirs.score)
        samples = scale * (ours.samples - theirs.samples)
    return None if math.isnan(delta) else (delta, samples)


def noise_floor(reference: RowResults, draws: Sequence[RowResults]) -> Noise | None:
    """How far the backbone is from itself when asked other questions of the same families, or drawn again.

    Families that are a fixed set and answered greedily are the same each time and have no floor; in RP's floor they
    count as unchanged. A draw in which a judge gave no verdict on a family is left out and counted. None if nothing
    was drawn again.
    """
    asked = [set(draw.abilities.families) if draw.abilities else set() for draw in draws]
    if any(one != asked[0] for one in asked) or asked[0] - set(
        reference.abilities.families if reference.abilities else {}
    ):
        raise DataError("A draw of questions for the noise floor has other families than the test itself.")
    whole, too_little = _shares(reference), _too_little(reference)
    every = [_shares(draw) for draw in draws]
    drawn = [name for name in whole if any(name in other for other in every)]
    others = [other for other in every if all(name in other for name in drawn)]
    if not drawn or not others:
        return None
    kept = {family: score for family, score in whole.items() if score and family not in too_little}
    shares = [[100 * other.get(name, score) / score for name, score in kept.items()] for other in others]
    overall = [float(np.mean(share)) for share in shares if share]
    return {
        "draws": len(others),
        "left_out": len(draws) - len(others),
        "retention": max((abs(value - 100) for value in overall), default=None),
        "families": {
            family: {
                "scores": [whole[family], *(other[family] for other in others)],
                "retention": max(abs(100 * other[family] / whole[family] - 100) for other in others)
                if family in kept
                else None,
            }
            for family in drawn
        },
    }


def _shares(result: RowResults) -> dict[str, float]:
    """The score of each family as a share; without skills, which are not asked again since they need not be kept."""
    found: dict[str, float] = {}
    if result.abilities:
        answered = result.abilities
        named = {name: items for name, items in answered.families.items() if not is_skill(name, answered.skills)}
        found |= {name: 100 * sum(item.passed for item in items) / len(items) for name, items in named.items()}
    return found | {one.name: one.score for one in result.graded if one.kept and one.score is not None}


def _too_little(result: RowResults) -> set[str]:
    """The families of whose scores no share can be taken."""
    items = result.abilities.families if result.abilities else {}
    values = {name: [float(item.passed) for item in answered] for name, answered in items.items()}
    values |= {one.name: [np.nan if item.value is None else item.value for item in one.items] for one in result.graded}
    return {name for name, each in values.items() if not can_be_shared(np.array(each))}
