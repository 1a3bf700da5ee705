"""Statistics: intervals of scores, and tests whether two rows differ.

Corpus metrics are functions of counts summed over sentences, so a resample of a corpus is one matrix product and not
a thousand rounds of scoring. The draws are sacreBLEU's own (its default generator and seed), which makes every
interval and p value here comparable with its command line. Two rows judged on the same sentences, or questions, get
the same draws: all comparisons are paired.

For a row that was trained with several seeds, resamples draw trainings as well as items, so that an interval includes
what another training would have changed. Of S trainings S - 1 are drawn: then the spread of their mean is right on
average, while S draws of so few would make it too narrow (J. N. K. Rao and C. F. J. Wu, 1988).
"""

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]

SEED = 12345  # sacreBLEU's default
_BLOCK = 1 << 22  # draws held in memory at once


def resample(statistics: Floats, count: int, seed: int = SEED) -> Floats:
    """Sums of `count` resamples with replacement: [items, width] → [count, width]."""
    items = len(statistics)
    if not items:
        return np.zeros((count, statistics.shape[1]))
    generator = np.random.default_rng(seed)
    sums = np.empty((count, statistics.shape[1]))
    step = max(1, _BLOCK // items)
    for start in range(0, count, step):
        rows = min(step, count - start)
        drawn = generator.choice(items, size=(rows, items), replace=True)
        drawn += np.arange(rows)[:, None] * items
        times = np.bincount(drawn.ravel(), minlength=rows * items).reshape(rows, items)
        sums[start : start + rows] = times @ statistics
    return sums


def joined(statistics: Floats, groups: Sequence[str]) -> Floats:
    """Sums of items that are drawn together: [items, width] → [groups, width]."""
    places = np.unique(np.array(groups), return_inverse=True)[1]
    sums = np.zeros((int(places.max(initial=-1)) + 1, statistics.shape[1]))
    np.add.at(sums, places, statistics)
    return sums


def resample_seeds(seeds: int, count: int, name: str) -> Floats:
    """The weight of each of a row's trainings in `count` resamples: [count, seeds], each line adding up to 1.

    The draws depend on the row's name, so those of two rows are independent.
    """
    if seeds == 1:
        return np.ones((count, 1))
    generator = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    drawn = generator.integers(seeds, size=(count, seeds - 1))
    return np.asarray((drawn[:, :, None] == np.arange(seeds)).mean(1))


def over_seeds(samples: Floats, row: str) -> Floats:
    """[resamples, seeds] → [resamples]: the mean over the drawn seeds."""
    count, seeds = samples.shape
    return samples[:, 0] if seeds == 1 else np.asarray((samples * resample_seeds(seeds, count, row)).sum(1))


def chrf(sums: Floats, beta: float = 2.0) -> Floats:
    """chrF from summed counts: [..., 3 × orders] (hypothesis, reference, match of each order) → [...], 0 to 100."""
    hypothesis, reference, match = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    counted = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(counted.sum(-1), 1)
    precision = (np.divide(match, hypothesis, out=np.zeros_like(match), where=counted)).sum(-1) / orders
    recall = (np.divide(match, reference, out=np.zeros_like(match), where=counted)).sum(-1) / orders
    below = beta**2 * precision + recall
    score = np.divide((1 + beta**2) * precision * recall, below, out=np.zeros_like(below), where=below > 0)
    return np.asarray(100 * score)


def average(sums: Floats) -> Floats:
    """The mean from sums: [..., 2] (sum, count) → [...]."""
    many = sums[..., 1]
    return np.divide(sums[..., 0], many, out=np.full_like(many, np.nan), where=many > 0)


def bleu(sums: Floats) -> Floats:
    """BLEU with sacreBLEU's default smoothing from summed counts.

    [..., 2 + 2 × orders] (lengths of hypothesis and reference, matches, totals) → [...], 0 to 100.
    """
    orders = (sums.shape[-1] - 2) // 2
    length, reference = sums[..., 0], sums[..., 1]
    match, total = sums[..., 2 : 2 + orders], sums[..., 2 + orders :]
    # An order without a match counts as 1/2 of one, the next such order as 1/4, and so on.
    halvings = np.cumsum(match == 0, axis=-1)
    smoothed = np.where(match == 0, 0.5**halvings, match)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(smoothed) - np.log(total)
        penalty = np.where(length < reference, np.exp(1 - reference / length), 1.0)
        score = 100 * penalty * np.exp(logs.mean(-1))
    return np.where((match.sum(-1) > 0) & (total > 0).all(-1), score, 0.0)


def interval(scores: Floats) -> Interval:
    """The middle 95 % of resampled scores, cut where sacreBLEU cuts; NaNs (no score) are left out."""
    ordered = np.sort(scores[~np.isnan(scores)])
    if not len(ordered):
        return (math.nan, math.nan)
    cut = len(ordered) // 40
    return (float(ordered[cut]), float(ordered[-cut - 1]))


def bounds(found: Interval) -> list[float] | None:
    """An interval for JSON; None if it is infinite, or there is none."""
    return list(found) if all(map(math.isfinite, found)) else None


def paired_p(baseline: Floats, system: Floats, difference: float) -> float:
    """The p value of sacreBLEU's paired bootstrap test for the observed `difference`, from paired resampled scores.

    If the two rows score the same it is 1 (sacreBLEU says 1 / (resamples + 1) for two equal systems).
    """
    if abs(difference) < 1e-9:
        return 1.0
    gaps = np.abs(system - baseline)
    beyond = int((gaps - gaps.mean() > abs(difference)).sum())
    return (beyond + 1) / (len(gaps) + 1)


def two_sided_p(gaps: Floats, difference: float) -> float:
    """The p value of an observed `difference` from its paired resamples: twice the share on the other side of 0.

    It fits the 95 % interval of the same resamples. If the two rows score the same it is 1.
    """
    gaps = gaps[~np.isnan(gaps)]
    if abs(difference) < 1e-9 or not len(gaps):
        return 1.0
    rarer = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(gaps) + 1))


def wilson(passed: float, asked: float, z: float = 1.959963984540054) -> Interval:
    """Wilson's 95 % interval of a share, in percent; unlike the textbook interval it works near 0 and 100 %."""
    if not asked:
        return (0.0, 100.0)
    share = passed / asked
    below = 1 + z**2 / asked
    middle = (share + z**2 / (2 * asked)) / below
    half = z / below * math.sqrt(share * (1 - share) / asked + z**2 / (4 * asked**2))
    # exactly 0 and 100 where none or all passed, which rounding would miss
    low = max(0.0, middle - half) if passed > 0 else 0.0
    high = min(1.0, middle + half) if passed < asked else 1.0
    return (100 * low, 100 * high)


def holm(ps: Sequence[float]) -> list[float]:
    """The p values of several tests after Holm's correction: one set in twenty has any below 0.05 by chance."""
    adjusted = [1.0] * len(ps)
    highest = 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=lambda at: ps[at])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[at]))
        adjusted[at] = highest
    return adjusted


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> float:
    """The exact two-sided p value for the hypothesis that two rows answer the same questions equally well."""
    lost = sum(a and not b for a, b in zip(before, after, strict=True))
    won = sum(b and not a for a, b in zip(before, after, strict=True))
    changed = lost + won
    if not changed:
        return 1.0
    tail: int = sum(math.comb(changed, k) for k in range(min(lost, won) + 1))
    return min(1.0, float(2 * tail / 2**changed))
