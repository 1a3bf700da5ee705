"""How outputs that another program saved are scored: what a suite offers to `dragoman score --task`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dragoman.suites._graded import Graded, Item

Tell = Callable[[str], None]
"""Tells the user what went wrong with a system's outputs."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Saved files to score, and how; an empty field means the benchmark's default."""

    files: Mapping[str, Path]
    """The outputs of every system, or published judgements, by name."""
    data: Path | None = None
    """The benchmark's own file or folder."""
    language: str = ""
    context: str = ""
    originals: Path | None = None
    extract: str = ""
    ks: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class Mean:
    """A metric of one system: the mean of a value from 0 to 100 for each question."""

    metric: str
    system: str
    values: Sequence[float]
    told: Mapping[str, str]
    """Fields of the signature."""


@dataclass(frozen=True, slots=True)
class Share:
    """A metric of one system: the share of verdicts that passed, where a question has one or more."""

    metric: str
    system: str
    verdicts: Sequence[Sequence[bool]]
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OfGraded:
    """A metric of one system: the mean over graded items, or over those that are `chosen`."""

    graded: Graded
    system: str
    metric: str = ""
    """The benchmark's name, if empty."""
    chosen: Callable[[Item], bool] | None = None


Result = Mean | Share | OfGraded


@dataclass(frozen=True, slots=True)
class SavedTask:
    """A benchmark whose saved outputs, or published judgements, can be scored."""

    name: str
    score: Callable[[Saved, Tell], list[Result]]
    """Every metric for every system. DataError if files are invalid or do not belong together."""
    option: Literal["--predictions", "--judgements", "--annotations"] = "--predictions"
    """The option of the command line that names the files."""


def told_notes(graded: Graded, system: str, tell: Tell) -> None:
    """Tells what went wrong while the answers were judged, counted."""
    for note, count in graded.notes.items():
        tell(f"{system}: {note}: {count:,}")


def told_unread(system: str, count: int, asked: int, tell: Tell) -> None:
    """Tells in how many outputs no answer was found."""
    if count:
        tell(f"{system}: in {count:,} of {asked:,} outputs there was no answer to be found; they count as wrong")
