"""The rationale report: lengths, faults, and what filters took out, as counts that can be added up.

Since two reports add up to one, the report of any number of pairs can be made chunk by chunk.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

from typing_extensions import TypedDict

from dragoman.rationales.faults import FAULTS, Fault, Rationale

STEPS: tuple[int, ...] = (0, 1, *(step for power in range(1, 20) for step in (2**power, 3 * 2 ** (power - 1))))
"""Where the bins of the lengths begin: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, … tokens."""

WORDS: Mapping[Fault, str] = {
    "failed": "failed",
    "empty": "empty",
    "cut": "cut off at the limit",
    "repeating": "going round in circles",
    "wrong_language": "in a wrong language",
    "repeats_reference": "merely repeating the reference",
    "contradicts_reference": "with a second translation",
    "duplicate": "said before of another reference",
}
"""Each fault in the words that follow a number of rationales."""
T = TypeVar("T")


class RationaleCounts(TypedDict):
    """What became of a row's rationales, counted."""

    total: int
    """Rationales asked for."""
    used: int
    """Those that are learnt."""
    taken_out: int
    """Those with a fault that the recipe filters."""
    tokens: int
    """Of all rationales together."""
    mean: float | None
    """Tokens of a rationale on average."""
    median: float | None
    longest: int
    lengths: dict[str, int]
    """How many there are of each length, in tokens; a bin is named by where it begins."""
    faults: dict[Fault, int]
    """How many have each fault, also where that is none."""
    filtered: dict[Fault, int]
    """How many were taken out for each fault."""
    probed: int
    """References after which the model was also asked freely."""
    stopping: int
    """Of these, those after which it stops at once."""


@dataclass(frozen=True)
class RationaleReport:
    """Counts over the rationales of a run. `+` joins the reports of two parts."""

    total: int = 0
    """Rationales asked for."""
    used: int = 0
    """Rationales that are trained: not failed, not taken out, and with at least one token."""
    taken_out: int = 0
    """Rationales with a fault that the recipe filters; their examples stay, and end after the reference."""
    tokens: int = 0
    """The tokens of all rationales together."""
    longest: int = 0
    """The tokens of the longest rationale."""
    lengths: Mapping[int, int] = field(default_factory=dict)
    """The number of rationales of each length; a bin is named by where it begins (`STEPS`)."""
    faults: Mapping[Fault, int] = field(default_factory=dict)
    """The number with each fault, filtered or not. A rationale may have several."""
    filtered: Mapping[Fault, int] = field(default_factory=dict)
    """The number taken out for each fault; a rationale with several counts for each."""
    probed: int = 0
    """References after which the model was also asked without a ban on ending at once."""
    stopping: int = 0
    """Of these, those after which it stopped at once."""

    @staticmethod
    def of(
        rationales: Sequence[Rationale], faults: Sequence[Collection[Fault]], filters: Collection[Fault] = ()
    ) -> "RationaleReport":
        """The report on some rationales and their faults; those with a fault in `filters` count as taken out."""
        sizes = [len(rationale.ids) for rationale in rationales if rationale.finish != "failed"]
        taken = [not set(filters).isdisjoint(found) for found in faults]
        return RationaleReport(
            total=len(rationales),
            used=sum(bool(one.ids) and not out for one, out in zip(rationales, taken, strict=True)),
            taken_out=sum(taken),
            tokens=sum(sizes),
            longest=max(sizes, default=0),
            lengths=Counter(STEPS[bisect_right(STEPS, size) - 1] for size in sizes),
            faults=Counter(fault for found in faults for fault in found),
            filtered=Counter(fault for found in faults for fault in found if fault in filters),
        )

    def __add__(self, other: "RationaleReport") -> "RationaleReport":
        return RationaleReport(
            self.total + other.total,
            self.used + other.used,
            self.taken_out + other.taken_out,
            self.tokens + other.tokens,
            max(self.longest, other.longest),
            _sum(self.lengths, other.lengths),
            _sum(self.faults, other.faults),
            _sum(self.filtered, other.filtered),
            self.probed + other.probed,
            self.stopping + other.stopping,
        )

    @property
    def mean(self) -> float | None:
        """The mean number of tokens, without failed rationales."""
        count = sum(self.lengths.values())
        return self.tokens / count if count else None

    @property
    def median(self) -> float | None:
        """The median number of tokens, exact to the width of a bin."""
        bins = sorted(self.lengths.items())
        count = sum(self.lengths.values())
        for (low, here), upto in zip(bins, accumulate(number for _, number in bins), strict=True):
            if 2 * upto >= count:
                high = min(STEPS[STEPS.index(low) + 1] - 1, self.longest)
                return low + (high - low) * (count / 2 - (upto - here)) / here
        return None

    def to_json(self) -> RationaleCounts:
        """Plain data that `from_json` reads back, with derived numbers for whoever reads the file."""
        return {
            "total": self.total,
            "used": self.used,
            "taken_out": self.taken_out,
            "tokens": self.tokens,
            "mean": self.mean,
            "median": self.median,
            "longest": self.longest,
            "lengths": {str(low): self.lengths[low] for low in sorted(self.lengths)},
            "faults": {fault: self.faults.get(fault, 0) for fault in FAULTS},
            "filtered": {fault: self.filtered[fault] for fault in FAULTS if fault in self.filtered},
            "probed": self.probed,
            "stopping": self.stopping,
        }

    @staticmethod
    def from_json(data: RationaleCounts) -> "RationaleReport":
        return RationaleReport(
            total=data["total"],
            used=data["used"],
            taken_out=data["taken_out"],
            tokens=data["tokens"],
            longest=data["longest"],
            lengths={int(low): count for low, count in data["lengths"].items()},
            faults={fault: count for fault, count in data["faults"].items() if count},
            filtered=dict(data["filtered"]),
            probed=data["probed"],
            stopping=data["stopping"],
        )

    def sentence(self) -> str:
        """A one-line summary: `8,000 rationales of 31 tokens: 12 cut off at the limit, 3 going round in circles`."""
        told = f"{self.total:,} rationales"
        if self.mean is not None:
            told += f" of {self.mean:.0f} tokens"
        parts = [f"{self.faults[fault]:,} {WORDS[fault]}" for fault in FAULTS if self.faults.get(fault)]
        if self.taken_out:
            parts.append(f"{self.taken_out:,} taken out")
        told += ": " + ", ".join(parts) if parts else ""
        if self.stopping:
            told += f"; asked freely, {self.stopping:,} of {self.probed:,} would have ended at once"
        return told


def _sum(some: Mapping[T, int], more: Mapping[T, int]) -> dict[T, int]:
    return dict(Counter(some) + Counter(more))
