"""The scorecard: the skill gained beside the abilities kept, of every row against the backbone.

`scorecard` turns the rows' results into plain data, the content of `runs/NAME/scorecard.json`:

    {"schema": 1, "backbone": "backbone", "rows": [ROW, …], "noise": NOISE or null}

    ROW    {"name": "radis",
            "translation": {"out_of_english": GROUP or null, "into_english": GROUP or null, "all": GROUP,
                            "mean": 41.2,                       chrF++, mean over all directions
                            "directions": {"de-en": {"chrf++": SCORE, "bleu": SCORE}, …},
                            "rates": {"chatter": RATE, "empty": …, "copy": …, "wrong_language": …,
                                      "cut_off": …, "extraction_failed": …}} or null,
            "abilities": {FAMILY: ABILITY, …},                  {} where none was tested
            "retention": 91.3 or null,                          RP: mean of the abilities' retentions
            "retention_interval": [88.0, 94.1] or null,
            "retention_without": [FAMILY, …],                   abilities that the backbone scores 0 at
            "inside_noise": false or null,                      |RP - 100| is no more than the noise floor
            "rationales": RATIONALES or null}                   what it learnt from: `RationaleReport.to_json`
    GROUP  {"directions": ["en-de", …], "chrf++": SCORE, "bleu": SCORE}      means over directions
    SCORE  {"score": 41.2, "interval": [40.1, 42.4], "n": 300, "signature": "…",
            "delta": 12.3, "delta_interval": [11.0, 13.5], "p": 0.001}       the last three null in the backbone
    RATE   {"count": 3, "n": 300, "rate": 1.0}                  percent; n 0 and rate null where no rule applies
    ABILITY {"score": 84.0, "n": 100, "passed": 84, "interval": [75.6, 89.9], "signature": "…",
            "delta": -11.0, "p": 0.002, "retention": 88.4 or null, "retention_interval": [81.0, 95.1] or null,
            "inside_noise": false or null, "not_extracted": 2, "cut_off": 0} delta and p null in the backbone
    RATIONALES {"total": 8000, "used": 7900, "taken_out": 90, "tokens": 248000,
            "mean": 31.0, "median": 28.5, "longest": 96,        in tokens
            "lengths": {"24": 2100, …},                         bins, named by where they begin
            "faults": {"cut": 12, …}, "filtered": {"duplicate": 90},
            "probed": 512, "stopping": 20}
    NOISE  {"draws": 2, "retention": 1.8,                       largest |RP - 100| of the backbone against itself
            "families": {FAMILY: {"scores": [95.0, 93.0, 96.0], "retention": 2.1 or null}}}

Scores are percentages or points from 0 to 100; intervals are 95 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dragoman import __version__
from dragoman.corpora.identify import base
from dragoman.errors import DataError
from dragoman.evaluation.abilities import AbilityResult, Answered
from dragoman.evaluation.statistics import (
    SEED,
    Floats,
    bleu,
    chrf,
    interval,
    mcnemar,
    paired_p,
    resample,
    wilson,
)
from dragoman.evaluation.translation import METRICS, RATES, Translated, TranslationResult

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RowResults:
    """What one model did: None where a suite was not run."""

    translation: TranslationResult | None = None
    abilities: AbilityResult | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back: what the evaluation of a row leaves on disk."""
        return {
            "schema": SCHEMA,
            "translation": self.translation.to_json() if self.translation else None,
            "abilities": self.abilities.to_json() if self.abilities else None,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "RowResults":
        return RowResults(
            TranslationResult.from_json(data["translation"]) if data["translation"] else None,
            AbilityResult.from_json(data["abilities"]) if data["abilities"] else None,
        )


def scorecard(
    rows: Mapping[str, RowResults],
    noise: Sequence[AbilityResult] = (),
    bootstrap: int = 1000,
    backbone: str = "backbone",
    rationales: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> dict[str, Any]:
    """The comparison of all rows with the row named `backbone`, as the schema above says.

    `noise` are the backbone's answers to other draws of questions, `rationales` the reports on what
    rows with rationales learnt from, as plain data. Raises `DataError` where a row
    was judged on other sentences or questions than the backbone.
    """
    if backbone not in rows:
        raise DataError(f"No row {backbone!r} to compare with; there are: {', '.join(rows)}.")
    reference = rows[backbone]
    floor = noise_floor(reference.abilities, noise) if reference.abilities and noise else None
    cards = []
    for name in [backbone, *(name for name in rows if name != backbone)]:
        row = rows[name]
        _require_same(name, row, reference)
        first = name == backbone
        card: dict[str, Any] = {"name": name, "translation": None, "abilities": {}}
        if row.translation and reference.translation:
            card["translation"] = _translation(row.translation, None if first else reference.translation, bootstrap)
        if row.abilities and reference.abilities:
            card |= _abilities(row.abilities, reference.abilities, floor, bootstrap, first)
        else:
            card |= {"retention": None, "retention_interval": None, "retention_without": [], "inside_noise": None}
        card["rationales"] = (rationales or {}).get(name)
        cards.append(card)
    return {"schema": SCHEMA, "backbone": backbone, "rows": cards, "noise": floor}


def _require_same(name: str, row: RowResults, reference: RowResults) -> None:
    """Rows are compared sentence by sentence and question by question."""
    ours = row.translation and [item.pair for item in row.translation.items]
    if ours != (reference.translation and [item.pair for item in reference.translation.items]):
        raise DataError(f"Row {name!r} was not judged on the test sentences of the backbone. Evaluate both anew.")
    asked = row.abilities and [item.question.key for item in row.abilities.items]
    if asked != (reference.abilities and [item.question.key for item in reference.abilities.items]):
        raise DataError(f"Row {name!r} was not asked the questions of the backbone. Evaluate both anew.")


# Translation


@dataclass(frozen=True, slots=True)
class _Scored:
    """One metric of one direction, or a mean of several: its score, and its score in every resample."""

    score: float
    samples: Floats
    n: int
    signature: str


def _translation(row: TranslationResult, reference: TranslationResult | None, bootstrap: int) -> dict[str, Any]:
    scored = _score_directions(row, bootstrap)
    against = _score_directions(reference, bootstrap) if reference else None
    source = {name: base(name.split("-")[0]) for name in scored}
    target = {name: base(name.split("-")[1]) for name in scored}

    def group(directions: list[str]) -> dict[str, Any] | None:
        if not directions:
            return None
        means = {
            metric: _score(
                _mean([scored[name][metric] for name in directions]),
                _mean([against[name][metric] for name in directions]) if against else None,
            )
            for metric in METRICS
        }
        return {"directions": directions, **means}

    everything = group(list(scored))
    return {
        "out_of_english": group([name for name in scored if source[name] == "en"]),
        "into_english": group([name for name in scored if target[name] == "en"]),
        "all": everything,
        "mean": everything["chrf++"]["score"] if everything else None,
        "directions": {
            name: {m: _score(scored[name][m], against[name][m] if against else None) for m in METRICS}
            for name in scored
        },
        "rates": {rate: _rate([item.flags[rate] for item in row.items]) for rate in RATES},
    }


def _score_directions(result: TranslationResult, bootstrap: int) -> dict[str, dict[str, _Scored]]:
    """Direction → metric → score. Directions of equal size share their draws, as test sets often share sentences."""
    formulas = {"chrf++": chrf, "bleu": bleu}
    scored: dict[str, dict[str, _Scored]] = {}
    for direction, signatures in result.signatures.items():
        items = [item for item in result.items if item.pair.direction == direction]
        scored[direction] = {}
        for metric, formula in formulas.items():
            counts = _counts(items, metric)
            scored[direction][metric] = _Scored(
                score=float(formula(counts.sum(0))),
                samples=formula(resample(counts, bootstrap)),
                n=len(items),
                signature=_with_bootstrap(signatures[metric], bootstrap),
            )
    return scored


def _counts(items: Sequence[Translated], metric: str) -> Floats:
    return np.array([item.statistics[metric] for item in items], dtype=np.float64)


def _with_bootstrap(signature: str, bootstrap: int) -> str:
    """sacreBLEU's own way to say how an interval was made, and its place for it."""
    return signature.replace("nrefs:1|", f"nrefs:1|bs:{bootstrap}|seed:{SEED}|", 1)


def _mean(scores: Sequence[_Scored]) -> _Scored:
    signatures = list(dict.fromkeys(score.signature for score in scores))
    return _Scored(
        score=float(np.mean([score.score for score in scores])),
        samples=np.mean([score.samples for score in scores], axis=0),
        n=sum(score.n for score in scores),
        signature=(f"mean of {len(scores)} directions: " if len(scores) > 1 else "") + " · ".join(signatures),
    )


def _score(row: _Scored, reference: _Scored | None) -> dict[str, Any]:
    card: dict[str, Any] = {
        "score": row.score,
        "interval": list(interval(row.samples)),
        "n": row.n,
        "signature": row.signature,
        "delta": None,
        "delta_interval": None,
        "p": None,
    }
    if reference:
        card["delta"] = row.score - reference.score
        card["delta_interval"] = list(interval(row.samples - reference.samples))
        card["p"] = paired_p(reference.samples, row.samples, card["delta"])
    return card


def _rate(flags: Sequence[bool | None]) -> dict[str, Any]:
    judged = [flag for flag in flags if flag is not None]
    count = sum(judged)
    return {"count": count, "n": len(judged), "rate": 100 * count / len(judged) if judged else None}


# Abilities


def _abilities(
    row: AbilityResult, reference: AbilityResult, noise: Mapping[str, Any] | None, bootstrap: int, first: bool
) -> dict[str, Any]:
    families, retained = {}, []
    for index, (family, items) in enumerate(row.families.items()):
        before, after = [item.passed for item in reference.families[family]], [item.passed for item in items]
        sums = resample(np.array([before, after], dtype=np.float64).T, bootstrap, SEED + index)
        samples = np.full(bootstrap, np.nan)  # [resamples]: no retention where the backbone passed none
        np.divide(100 * sums[:, 1], sums[:, 0], out=samples, where=sums[:, 0] > 0)
        retention = 100 * sum(after) / sum(before) if any(before) else None
        if retention is not None:
            retained.append((retention, samples))
        families[family] = {
            "score": 100 * sum(after) / len(after),
            "n": len(after),
            "passed": sum(after),
            "interval": list(wilson(sum(after), len(after))),
            "signature": _signature(items, row.max_tokens),
            "delta": None if first else 100 * (sum(after) - sum(before)) / len(after),
            "p": None if first else mcnemar(before, after),
            "retention": retention,
            "retention_interval": None if retention is None else list(interval(samples)),
            "inside_noise": None
            if first
            else _inside(retention, noise["families"][family]["retention"] if noise else None),
            "not_extracted": sum(not item.extracted for item in items),
            "cut_off": sum(item.cut_off for item in items),
        }
    overall = float(np.mean([value for value, _ in retained])) if retained else None
    return {
        "abilities": families,
        "retention": overall,
        "retention_interval": list(interval(np.mean([s for _, s in retained], axis=0))) if retained else None,
        "retention_without": [family for family, card in families.items() if card["retention"] is None],
        "inside_noise": None if first else _inside(overall, noise["retention"] if noise else None),
    }


def _signature(items: Sequence[Answered], max_tokens: int) -> str:
    checks = "+".join(sorted({item.question.check.name for item in items}))
    return f"passed|check:{checks}|decoding:greedy|tokens:{max_tokens}|interval:wilson|version:dragoman-{__version__}"


def _inside(retention: float | None, floor: float | None) -> bool | None:
    return None if retention is None or floor is None else abs(retention - 100) <= floor


def noise_floor(reference: AbilityResult, draws: Sequence[AbilityResult]) -> dict[str, Any]:
    """How far the backbone is from itself when it is asked other questions of the same families."""
    base_scores = _shares(reference)
    others = [_shares(draw) for draw in draws]
    for other in others:
        if other.keys() != base_scores.keys():
            raise DataError("A draw of questions for the noise floor has other families than the test itself.")
    kept = {family: score for family, score in base_scores.items() if score}
    overall = [float(np.mean([100 * other[family] / score for family, score in kept.items()])) for other in others]
    return {
        "draws": len(draws),
        "retention": max(abs(value - 100) for value in overall) if kept else None,
        "families": {
            family: {
                "scores": [score, *(other[family] for other in others)],
                "retention": max(abs(100 * other[family] / score - 100) for other in others) if score else None,
            }
            for family, score in base_scores.items()
        },
    }


def _shares(result: AbilityResult) -> dict[str, float]:
    return {family: 100 * sum(item.passed for item in items) / len(items) for family, items in result.families.items()}
