"""What was measured of every row's abilities: families of questions with a rule, and benchmarks that others judge.

All rows are resampled together, a family at a time, with the same draws of items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dragoman import __version__
from dragoman.evaluation.abilities import AbilityResult, Answered, is_skill
from dragoman.evaluation.graded import Graded, Side
from dragoman.evaluation.measures import Measure, columns, mean, over_seeds, trainings
from dragoman.evaluation.qa import normalisation
from dragoman.evaluation.statistics import SEED, Floats, Interval, interval, resample, wilson

TAKEN = {"squad": "first_line", "letter": "letter", "option_text": "text"}
"""How a check of benchmarks takes the answer out of what was said, where the question doesn't say."""
SIDES: Mapping[str, Side] = {
    "instructions": "instruction",
    "follow_up": "instruction",
    "refusal": "safety",
    "harmless": "safety",
}
"""What the lab's families are about, where that is not general ability."""


@dataclass(frozen=True, slots=True)
class Family:
    """One ability or skill of one row. No retention where the backbone has none of it, or no score of its own."""

    score: Measure
    """NaN where nothing could be judged."""
    retention: Measure | None
    values: Floats
    """[items, seeds]: the score of each item; NaN where there is no judgement."""
    side: Side = "general"
    unit: str = "%"
    kept: bool = True
    """Part of RP."""
    items: tuple[tuple[Answered, ...], ...] = ()
    """Of questions with a rule the answers with each seed."""
    f1: Measure | None = None
    """The mean credit of answers, where the rule tells how much of one is right."""
    graded: tuple[Graded, ...] = ()
    """Of what others judge all that they said, with each seed."""

    @property
    def skill(self) -> bool:
        """To be learnt rather than kept."""
        return self.side == "skill"

    @property
    def subjects(self) -> dict[str, tuple[float, int]]:
        """Of each subject the mean over all seeds, and how many items it has."""
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
        """Whether every item was passed or failed, with nothing in between and none left out."""
        return bool(np.isin(self.values, (0.0, 100.0)).all())

    @property
    def passed(self) -> tuple[int, ...]:
        """How many items were passed with each seed, where they are passed or failed."""
        return tuple(int(many) for many in (self.values == 100).sum(0))

    @property
    def interval(self) -> Interval:
        """Wilson's for one training that passes or fails, and where all went the same way; else that of resamples."""
        if self.yes_or_no and (self.values.shape[1] == 1 or set(self.passed) in ({0}, {len(self.values)})):
            return wilson(self.passed[0], len(self.values))
        return interval(self.score.samples)


def families(
    rows: Mapping[str, Sequence[AbilityResult]], backbone: str, bootstrap: int
) -> dict[str, dict[str, Family]]:
    """Row → family → what was measured of its answers. The backbone has one result; retention is against it."""
    models = [result.families for results in rows.values() for result in results]
    skills = rows[backbone][0].skills
    first = next(place.start for row, place in columns(rows) if row == backbone)
    found: dict[str, dict[str, Family]] = {row: {} for row in rows}
    for index, name in enumerate(models[first]):
        values = np.array([[100.0 * item.passed for item in model[name]] for model in models]).T
        samples, shares = _means(values, bootstrap, SEED + index)
        parts = _credits([model[name] for model in models])
        shared = None if parts is None else _means(100 * parts, bootstrap, SEED + index)  # the same draws
        for row, place in columns(rows):
            items = tuple(model[name] for model in models[place])
            signature = _signature(items[0], rows[row], bootstrap)
            score = _measure(row, place, samples, shares, len(values), signature)
            f1 = None
            if shared is not None:
                told = signature.replace("passed|", "f1|", 1).replace("interval:wilson", f"interval:bs:{bootstrap}", 1)
                f1 = _measure(row, place, *shared, len(values), told)
            found[row][name] = Family(
                score,
                _retention(row, place, samples, shares, first, score),
                values[:, place],
                side="skill" if is_skill(name, skills) else SIDES.get(name, "general"),
                kept=not is_skill(name, skills),
                items=items,
                f1=f1,
            )
    return found


def benchmarks(
    rows: Mapping[str, Sequence[Sequence[Graded]]], backbone: str, bootstrap: int
) -> dict[str, dict[str, Family]]:
    """Row → benchmark → what was measured by its judges. A comparison with the backbone is none of the backbone's."""
    named = {row: [{one.name: one for one in result} for result in results] for row, results in rows.items()}
    every = dict.fromkeys(name for results in named.values() for result in results for name in result)
    found: dict[str, dict[str, Family]] = {row: {} for row in rows}
    for index, name in enumerate(every):
        here = {row: [result[name] for result in results] for row, results in named.items() if name in results[0]}
        models = [one for results in here.values() for one in results]
        values = np.array(
            [[np.nan if item.value is None else item.value for item in model.items] for model in models]
        ).T
        samples, scores = _means(values, bootstrap, SEED + index)
        first = next((place.start for row, place in columns(here) if row == backbone), None)
        for row, place in columns(here):
            told = models[place][0]
            signature = f"{told.signature}|interval:bs:{bootstrap}{trainings(here[row])}"
            score = _measure(row, place, samples, scores, len(values), signature)
            family = Family(
                score,
                _retention(row, place, samples, scores, first, score) if told.kept else None,
                values[:, place],
                side=told.side,
                unit=told.unit,
                kept=told.kept,
                graded=tuple(models[place]),
            )
            if family.yes_or_no and len(here[row]) == 1:
                measure = Measure(score.seeds, score.samples, score.n, f"{told.signature}|interval:wilson")
                family = Family(measure, family.retention, family.values, *_rest(told), graded=family.graded)
            found[row][name] = family
    return found


def retention(row: Mapping[str, Family]) -> Measure | None:
    """RP: the mean of the abilities' retentions, skills left out; None where there is none."""
    kept = [family.retention for family in row.values() if family.kept and family.retention]
    return mean(kept, "abilities") if kept else None


def _rest(told: Graded) -> tuple[Side, str, bool]:
    return told.side, told.unit, told.kept


def _means(values: Floats, bootstrap: int, seed: int) -> tuple[Floats, Floats]:
    """Means over the items that were judged: in every resample [resamples, models], and of all [models]."""
    judged = ~np.isnan(values)
    whole = np.where(judged, values, 0.0)
    sums = resample(np.concatenate([whole, judged], axis=1), bootstrap, seed)
    models = values.shape[1]
    many = judged.sum(0)
    samples = np.full((bootstrap, models), np.nan)
    np.divide(sums[:, :models], sums[:, models:], out=samples, where=sums[:, models:] > 0)
    scores = np.full(models, np.nan)
    np.divide(whole.sum(0), many, out=scores, where=many > 0)
    return samples, scores


def _measure(row: str, place: slice, samples: Floats, scores: Floats, n: int, signature: str) -> Measure:
    return Measure(tuple(scores[place].tolist()), over_seeds(samples[:, place], row), n, signature)


def _retention(
    row: str, place: slice, samples: Floats, scores: Floats, first: int | None, score: Measure
) -> Measure | None:
    """A row's score over the backbone's, in percent."""
    if first is None or np.isnan(scores[first]) or not scores[first] or np.isnan(scores[place]).any():
        return None
    kept = np.full_like(samples, np.nan)  # none where the backbone passed nothing
    before = samples[:, first : first + 1]
    np.divide(100 * samples, before, out=kept, where=before > 0)
    retained = tuple((100 * scores[place] / scores[first]).tolist())
    return Measure(retained, over_seeds(kept[:, place], row), score.n, score.signature)


def _credits(models: Sequence[Sequence[Answered]]) -> Floats | None:
    """[questions, models]; None where the checks know no parts of a right answer."""
    if all(item.part is None for model in models for item in model):
        return None
    return np.array([[item.credit for item in model] for model in models], dtype=np.float64).T


def _signature(items: Sequence[Answered], results: Sequence[AbilityResult], bootstrap: int) -> str:
    checks = "+".join(sorted({item.question.check.name for item in items}))
    how = "wilson" if len(results) == 1 else f"bs:{bootstrap}"
    return (
        f"passed|check:{checks}{_asked(items)}|decoding:greedy|tokens:{results[0].max_tokens}|interval:{how}"
        f"{trainings(results)}|version:dragoman-{__version__}"
    )


def _asked(items: Sequence[Answered]) -> str:
    """Of a benchmark how its questions were put, and how answers were taken and compared."""
    found = [item.question.check for item in items]
    told = {
        "norm": {normalisation(check.arguments["language"]) for check in found if check.name == "squad"},
        "extract": {check.arguments.get("extract", TAKEN[check.name]) for check in found if check.name in TAKEN},
        "prompt": {str(check.arguments["prompt"]) for check in found if check.arguments.get("prompt")},
    }
    return "".join(f"|{name}:{'+'.join(sorted(values))}" for name, values in told.items() if values)
