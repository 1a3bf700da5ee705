"""Graded items: a benchmark's result for one model, with a value for each item, whoever judged it.

Questions with a rule of their own are `AbilityResult`s. Whatever another model judges (MT-Bench, AlpacaEval, safety),
another program runs (lm-evaluation-harness), or takes several answers (pass@k) becomes a `Graded`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Side = Literal["general", "instruction", "safety", "skill"]
"""What a benchmark is about, as TRACE groups them; a skill is learnt rather than kept."""


@dataclass(frozen=True, slots=True)
class Item:
    """One judged item."""

    key: str
    """What was asked, the same for every model; unique within the benchmark."""
    value: float | None
    """In the unit of the score; None where there is no judgement, which is counted."""
    subject: str = ""
    """Part of the benchmark, such as a category; scores are also given of each."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """For whoever wants to read on: the answer, the judgement, texts and numbers that JSON can hold."""
    group: str = ""
    """What is drawn together with it for an interval, such as the turns of one conversation; empty: it stands alone."""


@dataclass(frozen=True, slots=True)
class Graded:
    """All items of one benchmark, in the same order for every model; its score is the mean of their values."""

    name: str
    side: Side
    signature: str
    items: tuple[Item, ...]
    unit: str = "%"
    """`%` (values from 0 to 100), or what a rating is out of, such as `/10`."""
    kept: bool = True
    """Part of RP. A skill is not, nor is a comparison with the backbone, which has no score of its own."""
    notes: Mapping[str, int] = field(default_factory=dict)
    """What went wrong, counted: `no judgement`, `cut off`, …; entries of 0 are left out."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Numbers beside the score: a harness' standard error and version, mean lengths, other metrics."""

    @property
    def score(self) -> float | None:
        """The mean over the judged items; None if there are none."""
        values = [item.value for item in self.items if item.value is not None]
        return math.fsum(values) / len(values) if values else None

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        data = {one.name: getattr(self, one.name) for one in fields(self)}
        items = [{one.name: getattr(item, one.name) for one in fields(item)} for item in self.items]
        return {**data, "notes": dict(self.notes), "facts": dict(self.facts), "items": items}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Graded":
        return Graded(**{**data, "items": tuple(Item(**item) for item in data["items"])})
