"""Graded items: a benchmark's result for one model, with a value for each item, whoever judged it.

Questions with a rule of their own are `AbilityResult`s. Whatever another model judges (MT-Bench, AlpacaEval, safety),
another program runs (lm-evaluation-harness), or takes several answers (pass@k) becomes a `Graded`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

Side = Literal["general", "instruction", "safety", "skill"]
"""What a benchmark measures, in TRACE's groups; a skill is learnt rather than kept."""


class ItemJson(TypedDict):
    """An `Item` as stored on disk."""

    key: str
    value: float | None
    subject: str
    told: dict[str, object]
    group: NotRequired[str]


class GradedJson(TypedDict):
    """A `Graded` as stored on disk."""

    name: str
    side: Side
    signature: str
    items: list[ItemJson]
    unit: str
    kept: bool
    notes: dict[str, int]
    facts: dict[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """One judged item."""

    key: str
    """Identifies what was asked, equally for every model; unique within the benchmark."""
    value: float | None
    """Its value in the unit of the score; None if there is no judgement, which is counted."""
    subject: str = ""
    """A part of the benchmark, such as a category; parts get scores too."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """Details to read: the answer, the judgement, texts and numbers, as JSON."""
    group: str = ""
    """The group that it is drawn with for an interval, such as the turns of one conversation; empty if it stands
    alone.
    """


@dataclass(frozen=True, slots=True)
class Graded:
    """All items of one benchmark, in the same order for every model; its score is the mean of their values."""

    name: str
    side: Side
    signature: str
    items: tuple[Item, ...]
    unit: str = "%"
    """`%` (values from 0 to 100), or a rating's maximum, such as `/10`."""
    kept: bool = True
    """Whether it is part of RP. Skills are not, nor are comparisons with the backbone, which has no score
    of its own.
    """
    notes: Mapping[str, int] = field(default_factory=dict)
    """Counts of what went wrong: `no judgement`, `cut off`, …; without counts of 0."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Numbers beside the score: the harness's standard error and version, mean lengths, other metrics."""

    @property
    def score(self) -> float | None:
        """The mean over the judged items; None if there are none."""
        values = [item.value for item in self.items if item.value is not None]
        return math.fsum(values) / len(values) if values else None

    def to_json(self) -> GradedJson:
        """Plain data that `from_json` reads back."""
        return {
            "name": self.name,
            "side": self.side,
            "signature": self.signature,
            "items": [
                {
                    "key": item.key,
                    "value": item.value,
                    "subject": item.subject,
                    "told": dict(item.told),
                    "group": item.group,
                }
                for item in self.items
            ],
            "unit": self.unit,
            "kept": self.kept,
            "notes": dict(self.notes),
            "facts": dict(self.facts),
        }

    @staticmethod
    def from_json(data: GradedJson) -> "Graded":
        items = tuple(
            Item(item["key"], item["value"], item["subject"], item["told"], item.get("group", ""))
            for item in data["items"]
        )
        return Graded(
            data["name"],
            data["side"],
            data["signature"],
            items,
            data["unit"],
            data["kept"],
            data["notes"],
            data["facts"],
        )
