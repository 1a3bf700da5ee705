"""What was measured of every row: a number with each of its seeds, and in every resample of items and seeds.

All rows are resampled together, a direction or family at a time, with the same draws of items.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dragoman import __version__
from dragoman.corpora.identify import base
from dragoman.evaluation.abilities import AbilityResult, Answered, is_skill
from dragoman.evaluation.qa import normalisation
from dragoman.evaluation.statistics import (
    SEED,
    Floats,
    Interval,
    bleu,
    chrf,
    interval,
    resample,
    resample_seeds,
    wilson,
)
from dragoman.evaluation.translation import TranslationResult

FORMULAS = {"chrf++": chrf, "bleu": bleu}
GROUPS = ("out_of_english", "into_english", "all")
TAKEN = {"squad": "first_line", "letter": "letter", "option_text": "text"}
"""How a check of benchmarks takes the answer out of what was said, where the question doesn't say."""

Translations = Mapping[str, Mapping[str, "Measure"]]  # direction → metric


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of one row."""

    seeds: tuple[float, ...]
    """With each seed."""
    samples: Floats
    """In every resample, the mean over the seeds drawn; NaN where it has no value."""
    n: int
    """Items behind it, however many seeds there are."""
    signature: str

    @property
    def score(self) -> float:
        return float(np.mean(self.seeds))

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else None


@dataclass(frozen=True, slots=True)
class Family:
    """One ability or skill of one row, `items` with each seed. No retention where the backbone passed nothing."""

    score: Measure
    retention: Measure | None
    items: tuple[tuple[Answered, ...], ...]
    skill: bool = False
    """To be learnt rather than kept: no part of RP."""
    f1: Measure | None = None
    """The mean credit of its answers, where the check tells how much of an answer is right."""

    @property
    def subjects(self) -> dict[str, tuple[int, int]]:
        """Of each subject how many answers were passed and how many given, over all seeds."""
        found: dict[str, tuple[int, int]] = {}
        for item in (item for items in self.items for item in items if item.question.subject):
            passed, given = found.get(item.question.subject, (0, 0))
            found[item.question.subject] = (passed + item.passed, given + 1)
        return found

    @property
    def passed(self) -> tuple[int, ...]:
        """How many questions were passed with each seed."""
        return tuple(sum(item.passed for item in items) for items in self.items)

    @property
    def interval(self) -> Interval:
        """Wilson's for one training, and where all questions went the same way; else that of the resamples."""
        if len(self.items) == 1 or set(self.passed) in ({0}, {self.score.n}):
            return wilson(self.passed[0], self.score.n)
        return interval(self.score.samples)


def mean(measures: Sequence[Measure], what: str = "directions") -> Measure:
    """The mean of several measures of one row, seed by seed."""
    signatures = list(dict.fromkeys(measure.signature for measure in measures))
    return Measure(
        seeds=tuple(float(np.mean(scores)) for scores in zip(*(measure.seeds for measure in measures), strict=True)),
        samples=np.mean([measure.samples for measure in measures], axis=0),
        n=sum(measure.n for measure in measures),
        signature=(f"mean of {len(measures)} {what}: " if len(measures) > 1 else "") + " · ".join(signatures),
    )


def translations(rows: Mapping[str, Sequence[TranslationResult]], bootstrap: int) -> dict[str, Translations]:
    """Row → direction → metric → measure.

    Directions of equal size share their draws, as test sets often share sentences.
    """
    models = [result for results in rows.values() for result in results]
    found: dict[str, dict[str, dict[str, Measure]]] = {row: {} for row in rows}
    for direction, signatures in models[0].signatures.items():
        chosen = [at for at, item in enumerate(models[0].items) if item.pair.direction == direction]
        for metric, formula in FORMULAS.items():
            rowed = [[model.items[at].statistics[metric] for model in models] for at in chosen]
            counts = np.array(rowed, dtype=np.float64)  # [items, models, width]
            sums = resample(counts.reshape(len(chosen), -1), bootstrap).reshape(bootstrap, *counts.shape[1:])
            whole, samples = formula(counts.sum(0)), formula(sums)
            for row, columns in _columns(rows):
                found[row].setdefault(direction, {})[metric] = Measure(
                    seeds=tuple(whole[columns].tolist()),
                    samples=_over_seeds(samples[:, columns], row),
                    n=len(chosen),
                    signature=_with_bootstrap(signatures[metric], bootstrap) + _trainings(rows[row]),
                )
    return dict(found)


def grouped(directions: Sequence[str]) -> dict[str, list[str]]:
    """Which directions go out of English, into English, and all."""
    source = {name: base(name.split("-")[0]) for name in directions}
    target = {name: base(name.split("-")[1]) for name in directions}
    return {
        "out_of_english": [name for name in directions if source[name] == "en"],
        "into_english": [name for name in directions if target[name] == "en"],
        "all": list(directions),
    }


def group(measured: Translations, name: str, metric: str) -> Measure | None:
    """The mean over a group of directions; None where it has none."""
    directions = grouped(list(measured))[name]
    return mean([measured[direction][metric] for direction in directions]) if directions else None


def families(
    rows: Mapping[str, Sequence[AbilityResult]], backbone: str, bootstrap: int
) -> dict[str, dict[str, Family]]:
    """Row → family → what was measured. The backbone has one result; retention is against it."""
    models = [result.families for results in rows.values() for result in results]
    skills = rows[backbone][0].skills
    first = next(columns.start for row, columns in _columns(rows) if row == backbone)
    found: dict[str, dict[str, Family]] = {row: {} for row in rows}
    for index, name in enumerate(models[first]):
        passed = np.array([[item.passed for item in model[name]] for model in models], dtype=np.float64).T
        sums = resample(passed, bootstrap, SEED + index)
        parts = _credits([model[name] for model in models])
        shared = None if parts is None else resample(parts, bootstrap, SEED + index)  # the same draws
        asked, whole = len(passed), passed.sum(0)
        kept = np.full_like(sums, np.nan)  # [resamples, models]: no retention where the backbone passed none
        before = sums[:, first : first + 1]
        np.divide(100 * sums, before, out=kept, where=before > 0)
        for row, columns in _columns(rows):
            signature = _signature(models[columns.start][name], rows[row], bootstrap)
            shares = tuple((100 * whole[columns] / asked).tolist())
            score = Measure(shares, _over_seeds(100 * sums[:, columns] / asked, row), asked, signature)
            retention = None
            if whole[first]:
                retained = tuple((100 * whole[columns] / whole[first]).tolist())
                retention = Measure(retained, _over_seeds(kept[:, columns], row), asked, signature)
            f1 = None
            if parts is not None and shared is not None:
                means = tuple((100 * parts[:, columns].mean(0)).tolist())
                told = signature.replace("passed|", "f1|", 1).replace("interval:wilson", f"interval:bs:{bootstrap}", 1)
                f1 = Measure(means, _over_seeds(100 * shared[:, columns] / asked, row), asked, told)
            items = tuple(model[name] for model in models[columns])
            found[row][name] = Family(score, retention, items, is_skill(name, skills), f1)
    return found


def retention(row: Mapping[str, Family]) -> Measure | None:
    """RP: the mean of the abilities' retentions, skills left out; None where there is none."""
    kept = [family.retention for family in row.values() if not family.skill and family.retention]
    return mean(kept, "abilities") if kept else None


def _columns(rows: Mapping[str, Sequence[object]]) -> Iterator[tuple[str, slice]]:
    """Where the trainings of each row stand among all models."""
    start = 0
    for row, results in rows.items():
        yield row, slice(start, start + len(results))
        start += len(results)


def _over_seeds(samples: Floats, row: str) -> Floats:
    """[resamples, seeds] → [resamples]: the mean over the seeds drawn."""
    count, seeds = samples.shape
    return samples[:, 0] if seeds == 1 else np.asarray((samples * resample_seeds(seeds, count, row)).sum(1))


def _with_bootstrap(signature: str, bootstrap: int) -> str:
    """sacreBLEU's own way to say how an interval was made, and its place for it."""
    return signature.replace("nrefs:1|", f"nrefs:1|bs:{bootstrap}|seed:{SEED}|", 1)


def _trainings(results: Sequence[object]) -> str:
    return f"|trainings:{len(results)}" if len(results) > 1 else ""


def _credits(models: Sequence[Sequence[Answered]]) -> Floats | None:
    """[questions, models]; None where the checks know no parts of a right answer."""
    if all(item.part is None for model in models for item in model):
        return None
    return np.array([[item.credit for item in model] for model in models], dtype=np.float64).T


def _signature(items: Sequence[Answered], results: Sequence[AbilityResult], bootstrap: int) -> str:
    checks = "+".join(sorted({item.question.check.name for item in items}))
    how = "wilson" if len(results) == 1 else f"bs:{bootstrap}"
    return (
        f"passed|check:{checks}{_asked(items)}|decoding:greedy|tokens:{results[0].max_tokens}|interval:{how}{_trainings(results)}"
        f"|version:dragoman-{__version__}"
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
