"""What the studies have in common: claims, verdicts by rule, and differences read from a scorecard."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from statistics import NormalDist
from typing import Any

from dragoman.report.compare import SIGNIFICANT, Difference, Path, beyond_noise, difference
from dragoman.report.families import kind, score
from dragoman.report.phrases import signed
from dragoman.scoring.scorecard.schema import Ability, Row, Scorecard

AGREES, DISAGREES, NOISE = "agrees", "disagrees", "inside the noise"
NORMAL = NormalDist()
WIDE = NORMAL.inv_cdf(0.975)  # standard errors on either side of a 95 % interval


@dataclass(frozen=True, slots=True)
class Claim:
    """What was said, what was measured, and how the two stand to each other."""

    said: str
    measured: str
    verdict: str


def read(path: File) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def listed(claims: Sequence[Claim], numbers: Sequence[str], on: str = "the lab", said: str = "the paper says") -> str:
    """A table of claims in Markdown."""
    lines = [f"| | {said} | measured on {on} | verdict |", "|--:|---|---|---|"]
    lines += [
        f"| {number} | {claim.said} | {claim.measured} | **{claim.verdict}** |"
        for number, claim in zip(numbers, claims, strict=True)
    ]
    return "\n".join(lines)


def row(card: Scorecard, name: str) -> Row:
    return next(row for row in card["rows"] if row["name"] == name)


def between(card: Scorecard, one: str, other: str, path: Path) -> Difference:
    found = difference(card, one, other, path)
    assert found is not None, f"{one} and {other} were not compared in {path}"
    return found


def ahead(card: Scorecard, one: str, other: str, path: Path) -> str:
    """Whether `one` is ahead of `other` by more than chance."""
    found = between(card, one, other, path)
    return sign(found) if beyond_noise(card, found, path) else NOISE


def sign(found: Difference) -> str:
    """Whether a difference that was expected to be positive is so by more than chance."""
    return NOISE if found.p >= SIGNIFICANT else AGREES if found.delta > 0 else DISAGREES


def all_of(*verdicts: str) -> str:
    return verdicts[0] if len(set(verdicts)) == 1 else "in part: " + ", ".join(verdicts)


def points(found: Difference) -> str:
    low, high = found.interval
    return f"{signed(found.delta)} ({signed(low)} to {signed(high)})"


def contrast(card: Scorecard, weights: Mapping[tuple[str, str], float]) -> Difference:
    """A weighted sum of scores, each of a row in a family: a mean of differences, a slope, a gain less another.

    Its variance comes from what the scorecard holds: that of each score, and that of the difference of every two rows
    in one family, which says how far they rise and fall together over the same questions. Other families are other
    questions, and their variances add up. A variance is that of a normal distribution with the same 95 % interval.
    """
    by_family: dict[str, dict[str, float]] = {}
    for (name, family), weight in weights.items():
        by_family.setdefault(family, {})[name] = weight
    total = variance = 0.0
    for family, chosen in by_family.items():
        scores = {name: found for name in chosen if (found := score(row(card, name), family))}
        assert len(scores) == len(chosen), f"{family} was not asked of all of {', '.join(chosen)}"
        total += sum(weight * _scored(scores[name]) for name, weight in chosen.items())
        names, path = list(chosen), (kind(card, family), family)
        own = sum(float(weight) * _squared(scores[name]["interval"] or ()) for name, weight in chosen.items())
        apart = sum(
            chosen[one] * chosen[other] * _squared(between(card, one, other, path).interval)
            for place, one in enumerate(names)
            for other in names[:place]
        )
        variance += max(0.0, sum(chosen.values()) * own - apart)
    error = variance**0.5
    p = 2 * NORMAL.cdf(-abs(total) / error) if error else float(total == 0)
    return Difference(total, (total - WIDE * error, total + WIDE * error), p)


def _scored(ability: Ability) -> float:
    assert ability["score"] is not None, "nothing of it was judged"
    return ability["score"]


def _squared(interval: Sequence[float]) -> float:
    """The variance that goes with a 95 % interval."""
    low, high = interval
    return ((high - low) / (2 * WIDE)) ** 2
