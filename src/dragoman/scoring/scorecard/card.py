"""The scorecard: for every row, the skill gained and the abilities kept, compared with the backbone.

`scorecard` turns the rows' results into plain data, the content of `runs/NAME/scorecard.json`
(`schema.py` says what each entry is, and `scorecard.schema.json` says the same for programs).
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dragoman import __version__
from dragoman.errors import DataError
from dragoman.json_values import Json
from dragoman.rationales.report import RationaleCounts
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.abilities import Family, benchmarks, families, kept_of
from dragoman.scoring.scorecard.differences import ability_difference, pairs, translation_p
from dragoman.scoring.scorecard.drift import drifts
from dragoman.scoring.scorecard.near_and_far import near_and_far, part
from dragoman.scoring.scorecard.noise_and_trace import noise_floor, trace
from dragoman.scoring.scorecard.schema import (
    F1,
    SCHEMA,
    Ability,
    Chosen,
    Drift,
    Group,
    GroupName,
    Noise,
    Rate,
    Row,
    Score,
    Scorecard,
    Subject,
    Translation,
    group_of,
    scores_of,
)
from dragoman.scoring.scorecard.training import Cost, Recovery, Replay
from dragoman.scoring.scorecard.translation import (
    Measure,
    Translations,
    beyond,
    group,
    grouped,
    metrics,
    trainings,
    translations,
)
from dragoman.scoring.statistics import bounds, interval, wilson
from dragoman.suites.translation.suite import RATES, TranslationResult, told_by

__all__ = ["SCHEMA", "About", "RowResults", "scorecard"]


@dataclass(frozen=True, slots=True)
class About:
    """How a row was made, in the fields of `schema.Row`."""

    method: str = ""
    """The method; the row's name if empty."""
    writer: str | None = None
    seeds: tuple[int, ...] = ()
    """The seeds of its trainings, in the order of its results; 0, 1, … if several results come without."""
    cost: Cost | None = None
    settings: Mapping[str, Json] = field(default_factory=dict)
    weights: str = ""
    hints: Sequence[str] = ()
    replay: Replay | None = None
    recovery: Recovery | None = None
    after: str | None = None
    """The row that it started from."""
    learnt: Chosen | None = None


def scorecard(
    rows: Mapping[str, RowResults | Sequence[RowResults]],
    noise: Sequence[RowResults] = (),
    bootstrap: int = 1000,
    backbone: str = "backbone",
    rationales: Mapping[str, RationaleCounts | None] | None = None,
    about: Mapping[str, About] | None = None,
) -> Scorecard:
    """The comparison of all rows with the row named `backbone`.

    A row has one result, or one per seed that it was trained with. `noise` are the backbone's answers to other draws
    of questions, or with other random numbers; `rationales` are the reports on the rationales that rows learnt from,
    as plain data. Raises `DataError` if a row was judged on other sentences or questions than the backbone.
    """
    if backbone not in rows:
        raise DataError(f"No row {backbone!r} to compare with; there are: {', '.join(rows)}.")
    names = [backbone, *(name for name in rows if name != backbone)]
    results = {name: _listed(rows[name]) for name in names}
    reference = results[backbone][0]
    for name in names:
        for result in results[name]:
            _require_same(name, result, reference)
    translated = _translated(results, bootstrap)
    judged = _judged(results, backbone, bootstrap)
    measured = {name: [one.drift for one in results[name] if one.drift] for name in names}
    moved = drifts({name: some for name, some in measured.items() if some}, bootstrap)
    floor = noise_floor(reference, noise) if noise else None
    learnt = [one.replay for one in (about or {}).values() if one.replay]
    near = {family for replay in learnt for family in replay.get("near_families", ())}
    cards = []
    for name in names:
        first = name == backbone
        cards.append(
            _row(
                name,
                results[name],
                _translation(translated[name], None if first else translated[backbone], results[name], bootstrap)
                if name in translated
                else None,
                judged.get(name, {}),
                None if first else judged.get(backbone, {}),
                floor,
                (rationales or {}).get(name),
                (about or {}).get(name, About()),
                moved.get(name),
                near,
                judged,
            )
        )
    return {
        "schema": SCHEMA,
        "backbone": backbone,
        "rows": cards,
        "pairs": pairs(translated, judged),
        "noise": floor,
    }


def _row(
    name: str,
    results: Sequence[RowResults],
    translated: Translation | None,
    judged: Mapping[str, Family],
    reference: Mapping[str, Family] | None,
    noise: Noise | None,
    rationales: RationaleCounts | None,
    about: About,
    drift: Drift | None,
    near: Collection[str],
    every: Mapping[str, Mapping[str, Family]],
) -> Row:
    """One row; `reference` is what the backbone can do, None for the backbone itself. `every` is what all rows can."""
    floors = {family: floor["retention"] for family, floor in noise["families"].items()} if noise else {}
    abilities = {
        family: _ability(one, reference.get(family) if reference else None, floors.get(family))
        for family, one in judged.items()
    }
    overall = part(judged)
    kept = overall["retention"] if overall else None
    several = len(results) > 1
    row: Row = {
        "name": name,
        "method": about.method or name,
        "writer": about.writer,
        "seeds": list(about.seeds or range(len(results))) if several else [],
        "translation": translated,
        "abilities": {family: one for family, one in abilities.items() if not judged[family].skill},
        "skills": {family: one for family, one in abilities.items() if judged[family].skill},
        "retention": kept,
        "retention_seeds": overall["seeds"] if overall else [],
        "retention_interval": overall["interval"] if overall else None,
        "retention_signature": overall["signature"] if overall else None,
        "retention_without": [
            family for family, one in abilities.items() if one["retention"] is None and judged[family].kept
        ],
        "inside_noise": _inside(kept, noise["retention"]) if noise and reference is not None else None,
        "trace": trace(judged, reference) if judged and reference is not None else None,
        "rationales": rationales,
        "settings": dict(about.settings),
        "hints": list(about.hints),
        "cost": about.cost,
    }
    if drift:
        row["drift"] = drift
    close, far = near_and_far(judged, near)
    if close:
        row["near"] = close
    if far:
        row["far"] = far
    if about.replay:
        row["replay"] = about.replay
    if about.recovery:
        row["recovery"] = about.recovery
    if about.after:
        row["after"] = {"row": about.after, "kept": part(kept_of(judged, every.get(about.after, {})), about.after)}
    if about.learnt:
        row["learnt"] = about.learnt
    if about.weights:
        row["weights"] = about.weights
        _sign(row, f"|weights:{about.weights.replace(', ', '+').replace(' ', '-')}")
    return row


def _sign(part: object, more: str) -> None:
    """Adds a field to all signatures in a part of the scorecard."""
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name in ("signature", "retention_signature") and isinstance(value, str):
            part[name] = value + more
        else:
            _sign(value, more)


def _listed(results: RowResults | Sequence[RowResults]) -> tuple[RowResults, ...]:
    return (results,) if isinstance(results, RowResults) else tuple(results)


def _translated(results: Mapping[str, Sequence[RowResults]], bootstrap: int) -> dict[str, Translations]:
    """The measures of every row's translations; empty if translation was not judged."""
    found = {name: [one.translation for one in row if one.translation] for name, row in results.items()}
    return translations(found, bootstrap) if all(found.values()) else {}


def _judged(results: Mapping[str, Sequence[RowResults]], backbone: str, bootstrap: int) -> dict[str, dict[str, Family]]:
    """The measures of every row's abilities, by rules and by judges; empty if none was judged."""
    answered = {name: [one.abilities for one in row if one.abilities] for name, row in results.items()}
    graded = {name: [one.graded for one in row] for name, row in results.items()}
    found: dict[str, dict[str, Family]] = {name: {} for name in results}
    if all(answered.values()):
        found = families(answered, backbone, bootstrap)
    for name, more in benchmarks(graded, backbone, bootstrap).items():
        if both := sorted(found[name].keys() & more.keys()):
            raise DataError(f"There are questions of a family {both[0]!r} and a benchmark of that name; rename one.")
        found[name] = {**found[name], **more}
    return found if any(found.values()) else {}


def _require_same(name: str, row: RowResults, reference: RowResults) -> None:
    """Raises `DataError` unless both were judged on the same items: comparisons are paired."""
    ours = row.translation and [item.pair for item in row.translation.items]
    if ours != (reference.translation and [item.pair for item in reference.translation.items]):
        raise DataError(f"Row {name!r} was not judged on the test sentences of the backbone. Evaluate both anew.")
    asked = row.abilities and [item.question.key for item in row.abilities.items]
    if asked != (reference.abilities and [item.question.key for item in reference.abilities.items]):
        raise DataError(f"Row {name!r} was not asked the questions of the backbone. Evaluate both anew.")
    theirs = {one.name: [item.key for item in one.items] for one in reference.graded}
    for one in row.graded:
        if one.name in theirs and [item.key for item in one.items] != theirs[one.name]:
            raise DataError(
                f"Row {name!r} was judged on other items of {one.name} than the backbone. Evaluate both anew."
            )


# Translation


def _translation(
    row: Translations, reference: Translations | None, results: Sequence[RowResults], bootstrap: int
) -> Translation:
    names = grouped(list(row))
    whole = _group(row, reference, names, "all")
    answered = [one.translation for one in results if one.translation]
    found: Translation = {
        "out_of_english": _group(row, reference, names, "out_of_english"),
        "into_english": _group(row, reference, names, "into_english"),
        "all": whole,
        "mean": scores_of(whole)["chrf++"]["score"] if whole else None,
        "directions": {
            name: {
                metric: _score(measure, reference[name].get(metric) if reference else None)
                for metric, measure in metrics.items()
            }
            for name, metrics in row.items()
        },
        "rates": _rates(answered),
    }
    if beside := beyond(answered, bootstrap):
        found["beyond"] = beside
    return found


def _group(
    row: Translations, reference: Translations | None, names: Mapping[GroupName, list[str]], name: GroupName
) -> Group | None:
    """The means over a group of directions; None if it is empty."""
    if not names[name]:
        return None
    measured = {metric: group(row, name, metric) for metric in metrics(row)}
    return group_of(
        names[name],
        {
            metric: _score(ours, group(reference, name, metric) if reference else None)
            for metric, ours in measured.items()
            if ours
        },
    )


def _score(row: Measure, reference: Measure | None) -> Score:
    return {
        "score": row.score,
        "interval": list(interval(row.samples)),
        "n": row.n,
        "signature": row.signature,
        "seeds": row.each,
        "sd": _spread(row),
        "delta": row.score - reference.score if reference else None,
        "delta_interval": list(interval(row.samples - reference.samples)) if reference else None,
        "p": translation_p(row, reference) if reference else None,
    }


def _spread(measure: Measure) -> float | None:
    return None if measure.deviation is None else _number(measure.deviation)


def _rates(results: Sequence[TranslationResult]) -> dict[str, Rate]:
    found: dict[str, Rate] = {}
    ends = f"interval:wilson{trainings(results)}|version:dragoman-{__version__}"
    for rate in RATES:
        flags = [item.flags[rate] for result in results for item in result.items]
        judged = [flag for flag in flags if flag is not None]
        count = sum(judged)
        found[rate] = {
            "count": count,
            "n": len(judged),
            "rate": 100 * count / len(judged) if judged else None,
            # several trainings count as one: what they did with one sentence tells nothing about another
            "interval": list(wilson(count / len(results), len(judged) / len(results))) if judged else None,
            "signature": f"rate|{told_by(rate, results[0].alone)}{ends}",
        }
    return found


# Abilities


def _ability(family: Family, reference: Family | None, floor: float | None) -> Ability:
    kept = family.retention.score if family.retention else None
    apart = ability_difference(family, reference) if reference else None
    subjects = _subjects(family)
    known = [one["score"] for one in subjects.values() if one["score"] is not None]
    return {
        "score": _number(family.score.score),
        "n": family.score.n,
        "passed": sum(family.passed) if family.yes_or_no else None,
        "interval": bounds(family.interval),
        "signature": family.score.signature,
        "side": family.side,
        "unit": family.unit,
        "kept": family.kept,
        "seeds": list(map(_number, family.score.each)),
        "sd": _spread(family.score),
        "delta": apart["delta"] if apart else None,
        "delta_interval": apart["interval"] if apart else None,
        "p": apart["p"] if apart else None,
        "retention": kept,
        "retention_interval": bounds(interval(family.retention.samples)) if family.retention else None,
        "inside_noise": _inside(kept, floor) if reference else None,
        "not_extracted": sum(not item.extracted for items in family.items for item in items)
        + sum(item.value is None for one in family.graded for item in one.items),
        "cut_off": sum(item.cut_off for items in family.items for item in items)
        + sum(one.notes.get("cut off", 0) for one in family.graded),
        "notes": dict(sum((Counter(one.notes) for one in family.graded), Counter())),
        "facts": dict(family.graded[0].facts) if family.graded else {},
        "f1": _f1(family.f1),
        "subjects": subjects,
        "subject_mean": float(np.mean(known)) if known else None,
    }


def _f1(measure: Measure | None) -> F1 | None:
    if measure is None:
        return None
    return {
        "score": measure.score,
        "interval": list(interval(measure.samples)),
        "n": measure.n,
        "signature": measure.signature,
        "seeds": measure.each,
        "sd": _spread(measure),
    }


def _subjects(family: Family) -> dict[str, Subject]:
    return {name: {"score": _number(score), "n": n} for name, (score, n) in family.subjects.items()}


def _number(value: float) -> float | None:
    """None instead of NaN, which JSON does not have."""
    return None if math.isnan(value) else value


def _inside(retention: float | None, floor: float | None) -> bool | None:
    return None if retention is None or floor is None else abs(retention - 100) <= floor + 1e-9
