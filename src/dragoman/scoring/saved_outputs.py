"""Scores of saved outputs: one number per system with its interval, and how two systems compare.

Corpus metrics are sacreBLEU's own, to the last digit; everything else is a mean over segments. Every system is
resampled with the same draws (sacreBLEU's), so any two over the same segments can be compared.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict, TypeVar

import numpy as np

from dragoman import __version__
from dragoman.errors import DataError
from dragoman.scoring.comet.model import Comet, Triple
from dragoman.scoring.statistics import (
    SEED,
    Floats,
    Interval,
    average,
    bleu,
    chrf,
    interval,
    joined,
    mcnemar,
    paired_p,
    resample,
    two_sided_p,
    wilson,
)
from dragoman.suites import Graded, Item
from dragoman.suites.translation import bleu_chrf as sacrebleu
from dragoman.suites.translation.bleu_chrf import Bleu, Metric

CORPUS = ("bleu", "chrf", "chrf++", "ter")
METRICS = (*CORPUS, "comet")
LOWER_IS_BETTER = ("ter",)
BOOTSTRAP = 1000
Values = tuple[float | None, ...]
T = TypeVar("T")


class SystemScoreJson(TypedDict):
    """A system's score as plain data; `segments` are those of each segment, null if they were not asked for."""

    metric: str
    system: str
    score: float | None
    interval: list[float] | None
    n: int
    signature: str
    segments: list[float | None] | None
    paired: NotRequired["SystemDifferenceJson | None"]
    """Against the first system, if that was asked for."""


class SystemDifferenceJson(TypedDict):
    """A difference as plain data."""

    against: str
    delta: float
    interval: list[float]
    p: float


@dataclass(frozen=True, slots=True)
class SystemScore:
    """A metric's number for one system; `score` is None if nothing could be judged."""

    metric: str
    system: str
    score: float | None
    interval: Interval | None
    n: int
    """The number of judged segments or questions; of verdicts, if an item has several."""
    signature: str
    segments: Values
    """The score of each segment; None if it has no judgement."""
    samples: Floats
    """The score in every resample."""
    keys: tuple[str, ...] = ()
    """What was judged, if systems may have been asked different things."""
    percent: bool = True
    groups: tuple[str, ...] = ()

    def to_json(self, segments: bool = False) -> SystemScoreJson:
        """Plain data, with the segments' scores where they are asked for."""
        return {
            "metric": self.metric,
            "system": self.system,
            "score": self.score,
            "interval": None if self.interval is None else list(self.interval),
            "n": self.n,
            "signature": self.signature,
            "segments": list(self.segments) if segments else None,
        }


@dataclass(frozen=True, slots=True)
class SystemDifference:
    """How a system differs from the first one, paired, over what was judged for both."""

    against: str
    delta: float
    interval: Interval
    p: float

    def to_json(self) -> SystemDifferenceJson:
        return {"against": self.against, "delta": self.delta, "interval": list(self.interval), "p": self.p}


def corpus_scores(
    name: str, systems: Mapping[str, Sequence[str]], references: Sequence[Sequence[str]], language: str = ""
) -> list[SystemScore]:
    """Scores of systems by one of `CORPUS`, against one or several references; `language` is the target's.

    A segment's BLEU leaves out the n-gram orders that it is too short for, as sacreBLEU's sentence BLEU does.
    `EngineError` if the language's tokenizer is not installed.
    """
    words = sacrebleu.bleu(language, references) if name == "bleu" else None
    metric = words or _metric(name, references)
    metric.n_bootstrap, metric.seed = BOOTSTRAP, SEED  # for the signature; the resamples are made here
    found = []
    for system, hypotheses in systems.items():
        rows = metric._extract_corpus_statistics(hypotheses, None)
        samples = _FORMULAS[name](resample(np.array(rows, dtype=np.float64), BOOTSTRAP))
        found.append(
            SystemScore(
                metric=name,
                system=system,
                score=metric._aggregate_and_compute(rows).score,
                interval=interval(samples),
                n=len(rows),
                signature=f"{name}|{metric.get_signature()}",
                segments=_bleu_by_segment(words, rows)
                if words
                else tuple(float(metric._compute_score_from_stats(row).score) for row in rows),
                samples=samples,
            )
        )
    return found


def comet_scores(
    comet: Comet,
    systems: Mapping[str, Sequence[str]],
    sources: Sequence[str],
    references: Sequence[Sequence[str]],
    cache: Path | None = None,
) -> list[SystemScore]:
    """Scores of systems by a COMET checkpoint; all are passed to it at once, so that no text is encoded twice.

    With several references a segment's score is the mean of its scores with each. A model without references gets
    none. `cache` is a folder in which scores of segments are stored.
    """

    used: Sequence[Sequence[str]] = references if comet.needs_reference else [[""] * len(sources)]
    triples = [
        Triple(source, translation, reference)
        for hypotheses in systems.values()
        for reference_set in used
        for source, translation, reference in zip(sources, hypotheses, reference_set, strict=True)
    ]
    scores = np.array(comet.score(triples, cache), dtype=np.float64).reshape(len(systems), len(used), len(sources))
    signature = comet.signature + (f"|references:mean-of-{len(used)}" if len(used) > 1 else "")
    return [
        mean_score("comet", system, row.tolist(), signature, percent=False)
        for system, row in zip(systems, scores.mean(axis=1), strict=True)
    ]


def mean_score(
    metric: str,
    system: str,
    values: Iterable[float | None],
    signature: str,
    keys: Iterable[str] = (),
    *,
    percent: bool = True,
    groups: Sequence[str] = (),
) -> SystemScore:
    """The mean of what was judged. Its interval is Wilson's if every value is 0 or 100 `percent`, otherwise from
    resamples.

    Items with the same name in `groups` are drawn together.
    """
    segments = tuple(values)
    judged = [value for value in segments if value is not None]
    counts = np.array([(0.0 if value is None else value, value is not None) for value in segments], dtype=np.float64)
    if len(set(groups)) < len(groups):
        counts = joined(counts, groups)
    samples = average(resample(counts, BOOTSTRAP)) if judged else np.full(BOOTSTRAP, math.nan)
    share = percent and bool(judged) and set(judged) <= {0.0, 100.0}
    how = "interval:wilson" if share else f"bs:{BOOTSTRAP}|seed:{SEED}"
    found = wilson(sum(value > 0 for value in judged), len(judged)) if share else interval(samples)
    return SystemScore(
        metric=metric,
        system=system,
        score=math.fsum(judged) / len(judged) if judged else None,
        interval=found if judged else None,
        n=len(judged),
        signature=f"{signature}|{how}",
        segments=segments,
        samples=samples,
        keys=tuple(keys),
        percent=percent,
        groups=tuple(groups),
    )


def pooled_score(metric: str, system: str, items: Sequence[Sequence[bool]], signature: str) -> SystemScore:
    """The share of verdicts that passed, where an item has one or more; items are drawn whole."""
    counts = np.array([(100.0 * sum(item), len(item)) for item in items])
    samples = average(resample(counts, BOOTSTRAP))
    passed, many = counts.sum(0)
    return SystemScore(
        metric=metric,
        system=system,
        score=float(passed / many),
        interval=interval(samples),
        n=int(many),
        signature=f"{signature}|bs:{BOOTSTRAP}|seed:{SEED}",
        segments=tuple(100.0 * sum(item) / len(item) for item in items),
        samples=samples,
    )


def graded_score(
    graded: Graded, system: str, metric: str = "", of: Callable[[Item], bool] | None = None
) -> SystemScore:
    """The score of a benchmark that another model judged; with `of`, over some of its items, as another `metric`."""
    items = [item for item in graded.items if of is None or of(item)]
    return mean_score(
        metric or graded.name,
        system,
        [item.value for item in items],
        graded.signature,
        [item.key for item in items],
        percent=graded.unit == "%",
        groups=[item.group or item.key for item in items],
    )


def signature(name: str, **told: object) -> str:
    """A signature in our form: the metric's name, fields, and the version; empty fields are left out."""
    parts = [f"{key}:{value}" for key, value in told.items() if value not in ("", None)]
    return "|".join([name, *parts, f"version:dragoman-{__version__}"])


def compared(scores: Sequence[SystemScore]) -> list[SystemDifference | None]:
    """Each score against the first system's by the same metric; None for the first, and for other segments.

    Scores of one metric have the same signature, except COMET checkpoints, which are metrics of their own.
    """
    first: dict[tuple[str, str], SystemScore] = {}
    found: list[SystemDifference | None] = []
    for score in scores:
        before = first.setdefault((score.metric, _bare(score.signature)), score)
        found.append(None if before is score else _difference(before, score))
    return found


def _difference(before: SystemScore, after: SystemScore) -> SystemDifference | None:
    """The difference over what was judged for both; None if nothing was."""
    if _items(before) != _items(after):
        return None
    both = [at for at, pair in enumerate(zip(before.segments, after.segments, strict=True)) if None not in pair]
    if len(both) < len(before.segments):
        before, after = _among(before, both), _among(after, both)
    if before.score is None or after.score is None:
        return None
    there = ~(np.isnan(before.samples) | np.isnan(after.samples))
    one, other = before.samples[there], after.samples[there]
    delta = after.score - before.score
    return SystemDifference(before.system, delta, interval(other - one), _p(before, after, one, other, delta))


def _p(before: SystemScore, after: SystemScore, one: Floats, other: Floats, delta: float) -> float:
    """sacreBLEU's p value for its metrics, McNemar's for pass or fail, otherwise two-sided from the resamples."""
    if before.metric in CORPUS:
        return paired_p(one, other, delta)
    values = (before.segments, after.segments)
    if before.percent and all(set(some) <= {0.0, 100.0} for some in values):
        return mcnemar(*([value == 100 for value in some] for some in values))
    return two_sided_p(other - one, delta)


def _among(score: SystemScore, chosen: Sequence[int]) -> SystemScore:
    """The same score over some of its segments."""

    def some(whole: Sequence[T]) -> list[T]:
        return [whole[at] for at in chosen] if whole else []

    values, keys, groups = some(score.segments), some(score.keys), some(score.groups)
    return mean_score(score.metric, score.system, values, "", keys, percent=score.percent, groups=groups)


def _items(score: SystemScore) -> tuple[int, tuple[str, ...]]:
    return len(score.segments), score.keys


def _bare(signature: str) -> str:
    """A signature without how its interval was made, which depends on the values."""
    return "|".join(part for part in signature.split("|") if not part.startswith(("interval:", "bs:", "seed:")))


def _ter(sums: Floats) -> Floats:
    """TER from summed counts: [..., 2] (edits, words of the reference) → [...]."""
    edits, words = sums[..., 0], sums[..., 1]
    return 100 * np.divide(edits, words, out=(edits > 0).astype(np.float64), where=words > 0)


_FORMULAS: Mapping[str, Callable[[Floats], Floats]] = {"bleu": bleu, "chrf": chrf, "chrf++": chrf, "ter": _ter}


def _metric(name: str, references: Sequence[Sequence[str]]) -> Metric:
    if name == "ter":
        return sacrebleu.ter(references)
    if name in CORPUS:
        return sacrebleu.chrf(2 if name == "chrf++" else 0, references)
    raise DataError(f"there is no metric {name!r}; known are {', '.join(METRICS)}")


def _bleu_by_segment(metric: Bleu, rows: Sequence[Sequence[float]]) -> Values:
    orders = metric.max_ngram_order
    return tuple(
        float(
            metric.compute_bleu(
                correct=list(map(int, row[2 : 2 + orders])),
                total=list(map(int, row[2 + orders :])),
                sys_len=int(row[0]),
                ref_len=int(row[1]),
                smooth_method=metric.smooth_method,
                smooth_value=metric.smooth_value,
                effective_order=True,
                max_ngram_order=orders,
            ).score
        )
        for row in rows
    )
