"""What every reader of judgements comes to: rated translations or preferences, and what was wrong in their files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dragoman.corpora.records import Preference, Rated

SHOWN = 5  # lines in a message

Judged = TypeVar("Judged", Rated, Preference)


@dataclass(frozen=True, slots=True)
class Table(Generic[Judged]):
    """What people or scores said of translations, in the order of its file, and what was wrong in it."""

    records: list[Judged]
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: tuple[str, ...] = ()
    """Sentences about what could not be read as it stands."""


def listed_lines(lines: Sequence[int]) -> str:
    """The first of some lines, in words."""
    return f"line {', '.join(map(str, lines[:SHOWN]))}" + ", …" * (len(lines) > SHOWN)
