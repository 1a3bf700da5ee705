"""What every reader of judgements comes to: rated translations, and what was wrong in their files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from dragoman.corpora.records import Rated

SHOWN = 5  # lines in a message


@dataclass(frozen=True, slots=True)
class Table:
    """The segments of a table in their order, and what was wrong in it."""

    rated: list[Rated]
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: tuple[str, ...] = ()
    """Sentences about what could not be read as it stands."""


def listed_lines(lines: Sequence[int]) -> str:
    """The first of some lines, in words."""
    return f"line {', '.join(map(str, lines[:SHOWN]))}" + ", …" * (len(lines) > SHOWN)
