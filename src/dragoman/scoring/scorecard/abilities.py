"""Abilities of every row as measured: families of questions with a rule, and benchmarks that others judge.

All rows are resampled together, one family at a time, with the same draws of items.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dragoman import __version__
from dragoman.json_values import as_text
from dragoman.scoring.scorecard.translation import Measure, columns, mean, origin, trainings
from dragoman.scoring.statistics import SEED, Floats, Interval, interval, joined, over_seeds, resample, wilson
from dragoman.suites import Graded, Shown, Side, is_skill, shown
from dragoman.suites.questions.checks import TAKEN
from dragoman.suites.questions.qa import normalisation
from dragoman.suites.questions.suite import AbilityResult, Answered


@dataclass(frozen=True, slots=True)
class Family:
    """One ability or skill of one row. No retention if the backbone has none of it, or no score."""

    score: Measure
    """NaN if nothing could be judged."""
    retention: Measure | None
    values: Floats
    """[items, seeds]: the score of each item; NaN if there is no judgement."""
    draws: "Draws"
    side: Side = "general"
    unit: str = "%"
    kept: bool = True
    """Whether it is part of RP."""
    items: tuple[tuple[Answered, ...], ...] = ()
    """For questions with a rule, the answers with each seed."""
    f1: Measure | None = None
    """The mean credit of answers, if the rule gives partial credit."""
    graded: tuple[Graded, ...] = ()
    """For benchmarks judged by others, everything that the judges returned, with each seed."""

    @property
    def skill(self) -> bool:
        """Whether it is to be learnt rather than kept."""
        return self.side == "skill"

    @property
    def subjects(self) -> dict[str, tuple[float, int]]:
        """For each subject, the mean over all seeds, and its number of items."""
        named = (
            [item.question.subject for item in self.items[0]]
            if self.items
            else [item.subject for item in self.graded[0].items]
        )
        found: dict[str, tuple[float, int]] = {}
        for subject in sorted(set(named) - {""}):
            chosen = self.values[[at for at, name in enumerate(named) if name == subject]]
            judged = chosen[~np.isnan(chosen)]
            found[subject] = (float(judged.mean()) if judged.size else float("nan"), len(chosen))
        return found

    @property
    def yes_or_no(self) -> bool:
        """Whether every judged item either passed or failed, with nothing in between."""
        return _yes_or_no(self.values, self.unit)

    @property
    def passed(self) -> tuple[int, ...]:
        """The number of passed items with each seed, if items pass or fail."""
        return tuple(int(many) for many in (self.values == 100).sum(0))

    @property
    def interval(self) -> Interval:
        """Wilson's for one training with pass or fail, and if all items went the same way; otherwise from resamples."""
        if _as_share(self.values, self.unit):
            judged = int((~np.isnan(self.values)).sum(0).min())
            return wilson(min(self.passed[0], judged), judged)
        return interval(self.score.samples)

    def among(self, chosen: NDArray[np.bool_]) -> Measure:
        """The score over some of the items, with the same draws for every row."""
        samples, scores = self.draws.means(self.values, chosen)
        return _measure(self.draws.row, slice(None), samples, scores, int(chosen.sum()), self.score.signature)


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of items for intervals: the same for every row, except that each draws its own trainings."""

    row: str
    count: int
    seed: int
    groups: tuple[str, ...] = ()
    """For each item, the group that it is drawn with; () if every item stands alone."""

    def means(self, values: Floats, chosen: NDArray[np.bool_] | None = None) -> tuple[Floats, Floats]:
        """Means over the judged items: in every resample [resamples, models], and overall [models]."""
        groups = np.array(self.groups) if self.groups else None
        if chosen is not None:
            values, groups = values[chosen], None if groups is None else groups[chosen]
        judged = ~np.isnan(values)
        counts = np.concatenate([np.where(judged, values, 0.0), judged], axis=1)
        models, whole = values.shape[1], counts.sum(0)
        if groups is not None:
            counts = joined(counts, groups.tolist())
        return _ratios(resample(counts, self.count, self.seed), models), _ratios(whole, models)


def _ratios(sums: Floats, models: int) -> Floats:
    """Sums divided by their counts: [..., 2 × models] → [..., models]; NaN for a count of 0."""
    totals, many = sums[..., :models], sums[..., models:]
    return np.divide(totals, many, out=np.full_like(totals, np.nan), where=many > 0)


def paired(row: Family, other: Family) -> tuple[Measure, Measure]:
    """The scores of two rows over the items judged for both; an item that one lacks does not count."""
    chosen = np.asarray(~(np.isnan(row.values).any(1) | np.isnan(other.values).any(1)))
    if np.all(chosen):
        return row.score, other.score
    return row.among(chosen), other.among(chosen)


def families(
    rows: Mapping[str, Sequence[AbilityResult]], backbone: str, bootstrap: int
) -> dict[str, dict[str, Family]]:
    """Row → family → its measures. The backbone has one result; retention is relative to it."""
    models = [result.families for results in rows.values() for result in results]
    skills = rows[backbone][0].skills
    found: dict[str, dict[str, Family]] = {row: {} for row in rows}
    for index, name in enumerate(rows[backbone][0].families):
        values = np.array([[100.0 * item.passed for item in model[name]] for model in models]).T
        draws = Draws("", bootstrap, SEED + index)
        samples, shares = draws.means(values)
        parts = _credits([model[name] for model in models])
        shared = None if parts is None else draws.means(100 * parts)
        made = {}
        for row, place in columns(rows):
            items = tuple(model[name] for model in models[place])
            signature = _signature(items[0], rows[row], values[:, place], bootstrap)
            score = _measure(row, place, samples, shares, len(values), signature)
            f1 = None
            if shared is not None:
                told = signature.replace("passed|", "f1|", 1).replace("interval:wilson", f"interval:bs:{bootstrap}", 1)
                f1 = _measure(row, place, *shared, len(values), told)
            made[row] = Family(
                score,
                None,
                values[:, place],
                replace(draws, row=row),
                side="skill" if is_skill(name, skills) else shown().get(name, Shown()).side,
                kept=not is_skill(name, skills),
                items=items,
                f1=f1,
            )
        for row, family in made.items():
            found[row][name] = replace(family, retention=_kept(family, made[backbone]))
    return found


def benchmarks(
    rows: Mapping[str, Sequence[Sequence[Graded]]], backbone: str, bootstrap: int
) -> dict[str, dict[str, Family]]:
    """Row → benchmark → its measures by judges. The backbone has no entry for a comparison with the backbone."""
    named = {row: [{one.name: one for one in result} for result in results] for row, results in rows.items()}
    every = dict.fromkeys(name for results in named.values() for result in results for name in result)
    found: dict[str, dict[str, Family]] = {row: {} for row in rows}
    for index, name in enumerate(every):
        here = {row: [result[name] for result in results] for row, results in named.items() if name in results[0]}
        models = [one for results in here.values() for one in results]
        values = np.array(
            [[np.nan if item.value is None else item.value for item in model.items] for model in models]
        ).T
        groups = tuple(item.group or item.key for item in models[0].items)
        draws = Draws("", bootstrap, SEED + index, groups if len(set(groups)) < len(groups) else ())
        samples, scores = draws.means(values)
        made = {}
        for row, place in columns(here):
            told = models[place][0]
            how = "wilson" if _as_share(values[:, place], told.unit) else f"bs:{bootstrap}"
            signature = f"{told.signature}|interval:{how}{trainings(here[row])}"
            made[row] = Family(
                _measure(row, place, samples, scores, len(values), signature),
                None,
                values[:, place],
                replace(draws, row=row),
                side=told.side,
                unit=told.unit,
                kept=told.kept,
                graded=tuple(models[place]),
            )
        for row, family in made.items():
            found[row][name] = family
            if family.kept and backbone in made:
                found[row][name] = replace(family, retention=_kept(family, made[backbone]))
    return found


NONE = 0.025  # of resamples may have nothing: as many as lie above a 95 % interval


def can_be_shared(values: Floats) -> bool:
    """Whether a share can be taken of the backbone's score over these items: not where so few of them brought anything
    that more than one in forty resamples would have none of those, and the share no upper end.
    """
    judged = values[~np.isnan(values)]
    return bool(judged.size and float(np.mean(judged <= 0)) ** judged.size <= NONE)


def _kept(row: Family, backbone: Family) -> Measure | None:
    """What a row kept of an ability; None if no share can be taken of what the backbone has."""
    return _retention(*paired(row, backbone)) if can_be_shared(backbone.values[:, 0]) else None


def kept_of(row: Mapping[str, Family], other: Mapping[str, Family]) -> dict[str, Family]:
    """A row's families with what it kept of another row's abilities, where that row has them."""
    return {name: replace(one, retention=_kept(one, other[name])) for name, one in row.items() if name in other}


def retention(row: Mapping[str, Family]) -> Measure | None:
    """RP: the mean of the abilities' retentions, without skills; None if there is none."""
    kept = [family.retention for family in row.values() if family.kept and family.retention]
    return mean(kept, "abilities") if kept else None


def _measure(row: str, place: slice, samples: Floats, scores: Floats, n: int, signature: str) -> Measure:
    return Measure(tuple(scores[place].tolist()), over_seeds(samples[:, place], row), n, signature)


def _yes_or_no(values: Floats, unit: str) -> bool:
    judged = values[~np.isnan(values)]
    return unit == "%" and bool(judged.size) and bool(np.isin(judged, (0.0, 100.0)).all())


def _as_share(values: Floats, unit: str) -> bool:
    """Whether to take Wilson's interval: when everything went the same way, resamples would claim certainty."""
    return _yes_or_no(values, unit) and (values.shape[1] == 1 or len(np.unique(values[~np.isnan(values)])) == 1)


def _retention(row: Measure, backbone: Measure) -> Measure | None:
    """A row's score as a percentage of the backbone's; infinite in resamples in which only the backbone has nothing."""
    if math.isnan(row.score) or math.isnan(backbone.score) or not backbone.score:
        return None
    samples = np.where(row.samples > 0, np.inf, np.nan)
    np.divide(100 * row.samples, backbone.samples, out=samples, where=backbone.samples > 0)
    return Measure(tuple(100 * score / backbone.score for score in row.seeds), samples, row.n, row.signature)


def _credits(models: Sequence[Sequence[Answered]]) -> Floats | None:
    """Partial credit, [questions, models]; None if the checks know no parts of a right answer."""
    if all(item.part is None for model in models for item in model):
        return None
    return np.array([[item.credit for item in model] for model in models], dtype=np.float64).T


def _signature(items: Sequence[Answered], results: Sequence[AbilityResult], values: Floats, bootstrap: int) -> str:
    checks = "+".join(sorted({item.question.check.name for item in items}))
    how = "wilson" if _as_share(values, "%") else f"bs:{bootstrap}"
    return (
        f"passed|check:{checks}{_asked(items)}|decoding:greedy|tokens:{results[0].max_tokens}|interval:{how}"
        f"{origin(results)}|version:dragoman-{__version__}"
    )


def _asked(items: Sequence[Answered]) -> str:
    """For the signature of a benchmark: how its questions were put, and answers extracted and compared."""
    found = [item.question.check for item in items]
    told = {
        "norm": {normalisation(as_text(check.arguments["language"])) for check in found if check.name == "squad"},
        "extract": {
            as_text(check.arguments.get("extract", TAKEN[check.name])) for check in found if check.name in TAKEN
        },
        "prompt": {str(check.arguments["prompt"]) for check in found if check.arguments.get("prompt")},
    }
    return "".join(f"|{name}:{'+'.join(sorted(values))}" for name, values in told.items() if values)
