"""The scorecard: for every row, the skill gained and the abilities kept, compared with the backbone.

`scorecard` turns the rows' results into plain data, the content of `runs/NAME/scorecard.json`
(`scorecard.schema.json` says the same for programs):

    {"schema": 3, "backbone": "backbone", "rows": [ROW, …], "pairs": [PAIR, …], "noise": NOISE or null}

    ROW    {"name": "radis",
            "method": "radis",                                  or "backbone"
            "writer": "large" or null,                          model that wrote the rationales; null: the backbone
            "seeds": [0, 1, 2],                                 of its trainings; [] where there is only one, or none
            "translation": {"out_of_english": GROUP or null, "into_english": GROUP or null, "all": GROUP,
                            "mean": 41.2,                       chrF++, mean over all directions
                            "directions": {"de-en": {"chrf++": SCORE, "bleu": SCORE, "comet:NAME": SCORE}, …},
                            "rates": {"chatter": RATE, "empty": …, "copy": …, "wrong_language": …, "cut_off": …,
                                      "over_generation": …, "extraction_failed": …}} or null,
            "abilities": {FAMILY: ABILITY, …},                  {} where none was tested
            "skills": {FAMILY: ABILITY, …},                     skills other than translation: no part of RP
            "retention": 91.3 or null,                          RP: mean of the abilities' retentions
            "retention_seeds": [90.8, 92.0, 91.1],              with each seed; [] like `seeds`
            "retention_interval": [88.0, 94.1] or null,
            "retention_signature": "RP|mean over:9|of:score/backbone|…" or null,
            "retention_without": [FAMILY, …],                   abilities that the backbone scores 0 at
            "inside_noise": false or null,                      |RP - 100| is no more than the noise floor
            "trace": {"general": CHANGE or null, "instruction": …, "safety": …},        null in the backbone
            "rationales": RATIONALES or null,                   what it learnt from: `RationaleReport.to_json`
            "cost": COST or null}                               what it took; null in the backbone
    GROUP  {"directions": ["en-de", …], "chrf++": SCORE, "bleu": SCORE, …}   means over directions
    SCORE  {"score": 41.2, "interval": [40.1, 42.4], "n": 300, "signature": "…",
            "seeds": [41.0, 41.5, 41.1], "sd": 0.26 or null,                 with each seed, and their deviation
            "delta": 12.3, "delta_interval": [11.0, 13.5], "p": 0.001}       the last three null in the backbone
    RATE   {"count": 3, "n": 300, "rate": 1.0, "interval": [0.3, 2.9], "signature": "…"}
                                                                percent; n 0, rate and interval null if none was judged
    ABILITY {"score": 84.0 or null, "n": 100, "passed": 84 or null, "interval": [75.6, 89.9] or null, "signature": "…",
            "side": "general" or "instruction", "safety", "skill",
            "unit": "%" or "/10",                               of the score
            "kept": true,                                       part of RP; comparisons and skills are not
            "seeds": [84.0, …], "sd": 1.2 or null,
            "delta": -11.0, "delta_interval": [-19.0, -4.0], "p": 0.002,                  null in the backbone
            "retention": 88.4 or null, "retention_interval": [81.0, 95.1] or null,
            "inside_noise": false or null, "not_extracted": 2, "cut_off": 0,
            "notes": {"no judgement": 2, …},                    of what others judge: what went wrong, counted
            "facts": {"stderr": 1.2, …},                        likewise: numbers beside the score, of the first seed
            "f1": F1 or null,                                   of answers taken from a text; their score is exact match
            "subjects": {SUBJECT: {"score": 40.0 or null, "n": 100}, …},     parts such as MMLU's subjects; else {}
            "subject_mean": 41.3 or null}                       in which every subject counts alike
    F1     {"score": 71.2, "interval": [69.0, 73.3], "n": 1190, "signature": "…", "seeds": [71.0, …], "sd": 0.3 or null}
    CHANGE {"families": [FAMILY, …], "delta": -2.1, "interval": [-4.0, -0.3]}        mean, in points of 100
    PAIR   {"row": "radis", "other": "vanilla",                 every two rows, in the order of the rows
            "translation": DIFF or null, "into_english": DIFF or null, "out_of_english": DIFF or null,    in chrF++
            "directions": {"de-en": DIFF, …},                   {} where translation was not judged
            "metrics": {"bleu": {"all": DIFF, "into_english": …, "out_of_english": …, "directions": {…}}, …},   others
            "retention": DIFF or null, "families": {FAMILY: DIFF, …}, "skills": {FAMILY: DIFF, …}}
    DIFF   {"delta": 1.2, "interval": [0.3, 2.2], "p": 0.01}    row less other, in points
    COST   {"examples": 8000, "example_tokens": 512000,         made once, whatever the number of seeds
            "generated_tokens": 248000, "generating_seconds": 61.5,    of the completions asked for to make them
            "trained_tokens": 1536000, "training_seconds": 85.0, "steps": 189}    of one training; means over seeds
    RATIONALES {"total": 8000, "used": 7900, "taken_out": 90, "tokens": 248000,
            "mean": 31.0, "median": 28.5, "longest": 96,        in tokens
            "lengths": {"24": 2100, …},                         bins, named by where they begin
            "faults": {"cut": 12, …}, "filtered": {"duplicate": 90},
            "probed": 512, "stopping": 20}
    NOISE  {"draws": 2, "left_out": 0,                          of these a judge said nothing of some family
            "retention": 1.8,                       largest |RP - 100| of the backbone against itself
            "families": {FAMILY: {"scores": [95.0, 93.0, 96.0], "retention": 2.1 or null}}}     of those drawn anew

Scores are percentages or points from 0 to 100 (COMET times 100) but where a unit says otherwise; intervals are 95 %.
Of a row with several seeds, scores are means over them, and intervals and p values come from resamples of test items
and seeds together; counts (`count`, `passed`, `not_extracted`, `cut_off`, and a RATE's `n`) are those of all seeds,
and an ability's `n` is how many questions there are. Of a row that was trained once, p values are those of
sacreBLEU's paired bootstrap and of McNemar's test; those of two retentions always come from resamples.

`trace` has TRACE's three changes (its ΔR): the mean over families of a row's score less the backbone's. A rating out
of 10 counts ten times, and of a comparison with the backbone the wins less the losses, in percent.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dragoman import __version__
from dragoman.errors import DataError
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.abilities import Family, benchmarks, families, retention
from dragoman.scoring.scorecard.differences import ability_difference, pairs, translation_p
from dragoman.scoring.scorecard.noise_and_trace import noise_floor, trace
from dragoman.scoring.scorecard.translation import (
    GROUPS,
    Measure,
    Translations,
    group,
    grouped,
    metrics,
    trainings,
    translations,
)
from dragoman.scoring.statistics import bounds, interval, wilson
from dragoman.suites.translation.suite import RATES, TranslationResult, told_by

__all__ = ["SCHEMA", "About", "RowResults", "scorecard"]

SCHEMA = 3


@dataclass(frozen=True, slots=True)
class About:
    """How a row was made, as in the schema above."""

    method: str = ""
    """The method; the row's name if empty."""
    writer: str | None = None
    seeds: tuple[int, ...] = ()
    """The seeds of its trainings, in the order of its results; 0, 1, … if several results come without."""
    cost: Mapping[str, float | None] | None = None


def scorecard(
    rows: Mapping[str, RowResults | Sequence[RowResults]],
    noise: Sequence[RowResults] = (),
    bootstrap: int = 1000,
    backbone: str = "backbone",
    rationales: Mapping[str, Mapping[str, Any] | None] | None = None,
    about: Mapping[str, About] | None = None,
) -> dict[str, Any]:
    """The comparison of all rows with the row named `backbone`, in the schema above.

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
    floor = noise_floor(reference, noise) if noise else None
    cards = []
    for name in names:
        told = (about or {}).get(name, About())
        several = len(results[name]) > 1
        card: dict[str, Any] = {
            "name": name,
            "method": told.method or name,
            "writer": told.writer,
            "seeds": list(told.seeds or range(len(results[name]))) if several else [],
            "translation": None,
        }
        first = name == backbone
        if name in translated:
            measured = translated[name]
            card["translation"] = _translation(measured, None if first else translated[backbone])
            card["translation"]["rates"] = _rates([one.translation for one in results[name] if one.translation])
        card |= _abilities(judged.get(name, {}), None if first else judged.get(backbone, {}), floor)
        card["trace"] = None if first or name not in judged else trace(judged[name], judged.get(backbone, {}))
        card["rationales"] = (rationales or {}).get(name)
        card["cost"] = told.cost
        cards.append(card)
    return {
        "schema": SCHEMA,
        "backbone": backbone,
        "rows": cards,
        "pairs": pairs(translated, judged),
        "noise": floor,
    }


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


def _translation(row: Translations, reference: Translations | None) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for name, directions in grouped(list(row)).items():
        groups[name] = {"directions": directions} if directions else None
        for metric in metrics(row):
            if ours := group(row, name, metric):
                groups[name][metric] = _score(ours, group(reference, name, metric) if reference else None)
    return {
        **{name: groups[name] for name in GROUPS},
        "mean": groups["all"]["chrf++"]["score"] if groups["all"] else None,
        "directions": {
            name: {
                metric: _score(measure, reference[name].get(metric) if reference else None)
                for metric, measure in metrics.items()
            }
            for name, metrics in row.items()
        },
    }


def _score(row: Measure, reference: Measure | None) -> dict[str, Any]:
    card: dict[str, Any] = {
        "score": row.score,
        "interval": list(interval(row.samples)),
        "n": row.n,
        "signature": row.signature,
        **_seeds(row),
        "delta": None,
        "delta_interval": None,
        "p": None,
    }
    if reference:
        card["delta"] = row.score - reference.score
        card["delta_interval"] = list(interval(row.samples - reference.samples))
        card["p"] = translation_p(row, reference)
    return card


def _seeds(measure: Measure) -> dict[str, Any]:
    spread = measure.deviation
    return {"seeds": _each(measure), "sd": None if spread is None else _number(spread)}


def _each(measure: Measure) -> list[float | None]:
    return list(map(_number, measure.seeds)) if len(measure.seeds) > 1 else []


def _rates(results: Sequence[TranslationResult]) -> dict[str, Any]:
    found = {}
    for rate in RATES:
        flags = [item.flags[rate] for result in results for item in result.items]
        judged = [flag for flag in flags if flag is not None]
        count = sum(judged)
        found[rate] = {
            "count": count,
            "n": len(judged),
            "rate": 100 * count / len(judged) if judged else None,
            # of several trainings as if they were one: what they did with one sentence is no news of another
            "interval": list(wilson(count / len(results), len(judged) / len(results))) if judged else None,
            "signature": f"rate|{told_by(rate)}interval:wilson{trainings(results)}|version:dragoman-{__version__}",
        }
    return found


# Abilities


def _abilities(
    row: Mapping[str, Family], reference: Mapping[str, Family] | None, noise: Mapping[str, Any] | None
) -> dict[str, Any]:
    floors = {name: floor["retention"] for name, floor in noise["families"].items()} if noise else {}
    cards = {
        name: _ability(family, reference.get(name) if reference else None, floors.get(name))
        for name, family in row.items()
    }
    overall = retention(row)
    kept = overall.score if overall else None
    return {
        "abilities": {name: card for name, card in cards.items() if not row[name].skill},
        "skills": {name: card for name, card in cards.items() if row[name].skill},
        "retention": kept,
        "retention_seeds": _each(overall) if overall else [],
        "retention_interval": bounds(interval(overall.samples)) if overall else None,
        "retention_signature": _retained(row) if overall else None,
        "retention_without": [name for name, card in cards.items() if card["retention"] is None and row[name].kept],
        "inside_noise": _inside(kept, noise["retention"]) if noise and reference is not None else None,
    }


def _retained(row: Mapping[str, Family]) -> str:
    """RP's signature: what it is the mean of. Its scores have signatures of their own."""
    counted = [family for family in row.values() if family.kept and family.retention]
    resamples = len(counted[0].score.samples)
    return f"RP|mean over:{len(counted)}|of:score/backbone|interval:bs:{resamples}|version:dragoman-{__version__}"


def _ability(family: Family, reference: Family | None, floor: float | None) -> dict[str, Any]:
    kept = family.retention.score if family.retention else None
    apart = ability_difference(family, reference) if reference else None
    return {
        "score": _number(family.score.score),
        "n": family.score.n,
        "passed": sum(family.passed) if family.yes_or_no else None,
        "interval": bounds(family.interval),
        "signature": family.score.signature,
        "side": family.side,
        "unit": family.unit,
        "kept": family.kept,
        **_seeds(family.score),
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
        **_subjects(family),
    }


def _f1(measure: Measure | None) -> dict[str, Any] | None:
    if measure is None:
        return None
    return {
        "score": measure.score,
        "interval": list(interval(measure.samples)),
        "n": measure.n,
        "signature": measure.signature,
        **_seeds(measure),
    }


def _subjects(family: Family) -> dict[str, Any]:
    """The parts of a family, and the mean in which each counts equally, whatever its size."""
    cards = {name: {"score": _number(score), "n": n} for name, (score, n) in family.subjects.items()}
    known = [card["score"] for card in cards.values() if card["score"] is not None]
    return {"subjects": cards, "subject_mean": float(np.mean(known)) if known else None}


def _number(value: float) -> float | None:
    """None instead of NaN, which JSON does not have."""
    return None if math.isnan(value) else value


def _inside(retention: float | None, floor: float | None) -> bool | None:
    return None if retention is None or floor is None else abs(retention - 100) <= floor + 1e-9
