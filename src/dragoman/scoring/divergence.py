"""Divergences of next-token distributions added up: means per token, with intervals over texts and trainings."""

from collections.abc import Sequence

import numpy as np
from typing_extensions import TypedDict

from dragoman.scoring.statistics import Floats, interval, over_seeds, resample


class Divergence(TypedDict):
    """A mean divergence in nats a token."""

    mean: float
    """Mean over the seeds."""
    interval: list[float]
    seeds: list[float]
    """Of each training."""
    sd: float | None
    """Standard deviation over seeds; null for one training."""


class TextDrift(TypedDict):
    """How far a row has moved from the backbone on one kind of text."""

    texts: int
    tokens: int
    forward: Divergence
    """KL(backbone || row)."""
    reverse: Divergence
    """KL(row || backbone)."""


def text_drift(each: Sequence[Floats], count: int, row: str = "") -> TextDrift:
    """Means per token on some texts, over the trainings of a row.

    A training has for each text its number of positions and the sums over them of KL(backbone || row) and
    KL(row || backbone), [texts, 3]. Intervals come from `count` resamples of texts and trainings.
    """
    sums = np.stack(each, axis=-1)
    samples = resample(sums.reshape(len(sums), -1), count).reshape(count, *sums.shape[1:])
    whole = sums.sum(0)

    def divergence(column: int) -> Divergence:
        seeds = (whole[column] / whole[0]).tolist()
        return {
            "mean": float(np.mean(seeds)),
            "interval": list(interval(over_seeds(samples[:, column] / samples[:, 0], row))),
            "seeds": seeds,
            "sd": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
        }

    return {"texts": len(sums), "tokens": int(whole[0, 0]), "forward": divergence(1), "reverse": divergence(2)}
