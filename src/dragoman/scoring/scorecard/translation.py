"""Translation measures of every row: a number with each seed, and in every resample of items and seeds.

All rows are resampled together, one direction at a time, with the same draws of items. `abilities.py` does the same
for abilities.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dragoman import __version__
from dragoman.corpora.language import base
from dragoman.scoring.scorecard.schema import GroupName, Rate
from dragoman.scoring.statistics import SEED, Floats, average, bleu, bounds, chrf, interval, over_seeds, resample
from dragoman.suites.translation.suite import TranslationResult, told_by

FORMULAS: Mapping[str, Callable[[Floats], Floats]] = {"chrf++": chrf, "bleu": bleu}
"""Metrics computed from counts summed over sentences; any other metric is a mean over sentences, of a sum and a
count.
"""

Translations = Mapping[str, Mapping[str, "Measure"]]  # direction → metric


class Made(Protocol):
    """Results that say which engine and precision their answers were made in."""

    @property
    def made_in(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of one row, with its value for each seed and in each resample."""

    seeds: tuple[float, ...]
    """The value with each seed."""
    samples: Floats
    """The value in every resample, as the mean over the drawn seeds; NaN if it has none."""
    n: int
    """The number of items, however many seeds there are."""
    signature: str

    @property
    def score(self) -> float:
        return float(np.mean(self.seeds))

    @property
    def each(self) -> list[float]:
        """The value with each seed; empty if there is only one training."""
        return list(self.seeds) if len(self.seeds) > 1 else []

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else None


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
        for metric in signatures:
            formula = FORMULAS.get(metric, average)
            rowed = [[model.items[at].statistics[metric] for model in models] for at in chosen]
            counts = np.array(rowed, dtype=np.float64)  # [items, models, width]
            sums = resample(counts.reshape(len(chosen), -1), bootstrap).reshape(bootstrap, *counts.shape[1:])
            whole, samples = formula(counts.sum(0)), formula(sums)
            for row, place in columns(rows):
                found[row].setdefault(direction, {})[metric] = Measure(
                    seeds=tuple(whole[place].tolist()),
                    samples=over_seeds(samples[:, place], row),
                    n=len(chosen),
                    signature=_with_bootstrap(signatures[metric], bootstrap) + origin(rows[row]),
                )
    return dict(found)


def grouped(directions: Sequence[str]) -> dict[GroupName, list[str]]:
    """The directions out of English, into English, and all."""
    source = {name: base(name.split("-")[0]) for name in directions}
    target = {name: base(name.split("-")[1]) for name in directions}
    return {
        "out_of_english": [name for name in directions if source[name] == "en"],
        "into_english": [name for name in directions if target[name] == "en"],
        "all": list(directions),
    }


def group(measured: Translations, name: GroupName, metric: str) -> Measure | None:
    """The mean over a group of directions; None if it is empty, or one of them has no such score."""
    directions = grouped(list(measured))[name]
    if not directions or any(metric not in measured[direction] for direction in directions):
        return None
    return mean([measured[direction][metric] for direction in directions])


def metrics(measured: Translations) -> list[str]:
    """All metrics of a row's translations, in their order."""
    return list(dict.fromkeys(metric for direction in measured.values() for metric in direction))


def beyond(results: Sequence[TranslationResult], bootstrap: int) -> Rate | None:
    """Of all tokens that a row generated, those beside its translations; None if they were not counted."""
    counted = [[(item.beyond, item.tokens) for item in result.items] for result in results]
    if any(None in pair for items in counted for pair in items):
        return None
    sums = np.array(counted, dtype=np.float64).sum(0)  # several trainings count as one, as in rates
    beside, generated = sums.sum(0).tolist()
    how = told_by("chatter", results[0].alone)
    return {
        "count": int(beside),
        "n": int(generated),
        "rate": 100 * beside / generated if generated else None,
        "interval": bounds(interval(100 * average(resample(sums, bootstrap)))),
        "signature": f"beyond|{how}interval:bs:{bootstrap}|seed:{SEED}{trainings(results)}"
        f"|version:dragoman-{__version__}",
    }


def columns(rows: Mapping[str, Sequence[object]]) -> Iterator[tuple[str, slice]]:
    """The columns of each row's trainings among all models."""
    start = 0
    for row, results in rows.items():
        yield row, slice(start, start + len(results))
        start += len(results)


def _with_bootstrap(signature: str, bootstrap: int) -> str:
    """The signature with sacreBLEU's own note of how an interval was made, where sacreBLEU puts it."""
    how = f"bs:{bootstrap}|seed:{SEED}"
    if "nrefs:1|" in signature:
        return signature.replace("nrefs:1|", f"nrefs:1|{how}|", 1)
    return f"{signature}|{how}"


def trainings(results: Sequence[object]) -> str:
    """A signature's note on a row with several trainings."""
    return f"|trainings:{len(results)}" if len(results) > 1 else ""


def origin(results: Sequence[Made]) -> str:
    """A signature's note on how a row came about: its trainings, and what its answers were made in."""
    made = dict.fromkeys(one.made_in for one in results if one.made_in)
    return trainings(results) + (f"|answers:{'+'.join(made)}" if made else "")
