"""Agreement of two gradients over many examples: cosines and their intervals, from sums kept along the way."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dragoman.analysis.results import Agreed, Cosine, ExampleCosines, Signs

GROUPS = 20  # of examples, over all directions together, that the jackknife leaves out one by one
LEAST = 4  # of them in each direction
ALL = "all layers"
Z = 1.959963984540054
Floats = NDArray[np.float64]
Features = dict[str, torch.Tensor]


class Agreement:
    """Takes the gradient vectors of both terms, example by example, keeps sums, and reports.

    `error` is how far the projection may shift a cosine near 0 (standard deviation). Only the sums of a few groups of
    examples, and three products per example, are kept.
    """

    def __init__(self, directions: Sequence[str], error: float):
        self.error = error
        self.groups = max(LEAST, -(-GROUPS // max(1, len(directions))))
        self.names: list[str] = []
        self._sums: dict[tuple[str, int], tuple[Features, Features]] = {}
        self._products: dict[str, list[dict[str, Floats]]] = {direction: [] for direction in directions}

    def add(self, direction: str, one: Features, other: Features) -> None:
        """Adds one example. The vectors now belong to this object and may be changed."""
        self.names = self.names or [*one]
        examples = self._products[direction]
        cell = (direction, len(examples) % self.groups)
        examples.append({name: _products(one[name], other[name]) for name in one})
        if cell not in self._sums:
            self._sums[cell] = (one, other)
            return
        for total, vectors in zip(self._sums[cell], (one, other), strict=True):
            for name, vector in vectors.items():
                total[name] += vector

    def report(self) -> dict[str, Agreed]:
        """For each part of the model, and for all its layers together (`ALL`):

        `mean`: the cosine of the two mean gradients with its interval; `each`: the mean over examples of their own
        cosines, its interval, and the share of examples below 0; `directions`: the same for each direction. A number
        is None if undefined (a gradient of 0), an interval if there are too few examples.
        """
        layers = [name for name in self.names if name.isdigit()]
        grams = {name: self._gram(name) for name in self.names}
        single = {name: self._single(name) for name in self.names}
        if layers:
            grams[ALL] = np.sum([grams[name] for name in layers], axis=0)
            summed = {direction: sum(single[name][direction] for name in layers) for direction in self._products}
            single[ALL] = {direction: np.asarray(products) for direction, products in summed.items()}
        return {name: self._reported(gram, single[name]) for name, gram in grams.items()}

    def _reported(self, gram: Floats, products: dict[str, Floats]) -> Agreed:
        strata = np.array([direction for direction, _ in self._sums])
        here = {direction: np.flatnonzero(strata == direction) for direction in products}
        return {
            "mean": self._of_means(gram, strata),
            "each": _of_examples(np.concatenate(list(products.values()))),
            "directions": {
                direction: {
                    "examples": len(found),
                    "mean": self._of_means(gram[:, :, here[direction]][..., here[direction]], strata[here[direction]]),
                    "each": _of_examples(found),
                }
                for direction, found in products.items()
                if len(found)
            },
        }

    def _single(self, name: str) -> dict[str, Floats]:
        """For each direction, the three products of every example, [examples, 3]."""
        return {
            direction: np.array([example[name] for example in found]).reshape(-1, 3)
            for direction, found in self._products.items()
        }

    def _gram(self, name: str) -> Floats:
        """Products of the sums of all groups of examples, [term, term, group, group]."""
        sums = [torch.stack([cell[term][name] for cell in self._sums.values()]).double().cpu() for term in (0, 1)]
        return np.array([[(mine @ others.T).numpy() for others in sums] for mine in sums])

    def _of_means(self, gram: Floats, strata: NDArray[np.str_]) -> Cosine:
        """The cosine of the sums, and its interval by a jackknife over the groups of examples."""
        cosine = _cosine(gram.sum((2, 3)))
        if cosine is None:
            return {"cosine": None, "interval": None}
        variance = (self.error * (1 - cosine**2)) ** 2
        for stratum in dict.fromkeys(strata.tolist()):
            without = [
                _cosine(np.delete(np.delete(gram, group, 2), group, 3).sum((2, 3)))
                for group in np.flatnonzero(strata == stratum)
            ]
            known = np.array([value for value in without if value is not None])
            if len(known) < 2:
                return {"cosine": cosine, "interval": None}
            variance += (len(known) - 1) / len(known) * float(((known - known.mean()) ** 2).sum())
        return {"cosine": cosine, "interval": _around(cosine, variance)}


def _products(one: torch.Tensor, other: torch.Tensor) -> Floats:
    """The products one·one, one·other and other·other."""
    return np.array([float(one @ one), float(one @ other), float(other @ other)])


def _cosine(gram: Floats) -> float | None:
    below = math.sqrt(max(0.0, float(gram[0, 0]) * float(gram[1, 1])))
    return float(gram[0, 1]) / below if below > 0 else None


def _of_examples(products: Floats) -> ExampleCosines:
    below = np.sqrt(products[:, 0] * products[:, 2])
    cosines = products[below > 0, 1] / below[below > 0]
    if not len(cosines):
        return {"cosine": None, "interval": None, "negative": None}
    mean = float(cosines.mean())
    interval = _around(mean, float(cosines.var(ddof=1)) / len(cosines)) if len(cosines) > 1 else None
    return {"cosine": mean, "interval": interval, "negative": float((cosines < 0).mean())}


def _around(cosine: float, variance: float) -> list[float]:
    half = Z * math.sqrt(variance)
    return [max(-1.0, cosine - half), min(1.0, cosine + half)]


def signs(report: dict[str, Agreed], kind: Literal["mean", "each"] = "mean") -> Signs:
    """How many layers pull together and how many against each other, and for how many that is beyond doubt."""
    found = [(part[kind]["cosine"], part[kind]["interval"]) for name, part in report.items() if name.isdigit()]
    layers = [(cosine, interval) for cosine, interval in found if cosine is not None]
    sure = [interval for _, interval in layers if interval is not None]
    return {
        "layers": len(layers),
        "positive": sum(cosine > 0 for cosine, _ in layers),
        "negative": sum(cosine < 0 for cosine, _ in layers),
        "surely positive": sum(low > 0 for low, _ in sure),
        "surely negative": sum(high < 0 for _, high in sure),
    }
