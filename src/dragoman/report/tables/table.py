"""Tables as plain data, before they are Markdown, LaTeX or HTML."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace

from dragoman.report.compare import SIGNIFICANT, Mark, Path, difference, marks
from dragoman.scoring.scorecard.schema import F1, Ability, Row, Score, Scorecard, ends


@dataclass(frozen=True, slots=True)
class Cell:
    """One number with its interval, difference and signature. An empty cell has `value` None."""

    value: float | None
    digits: int = 1
    interval: tuple[float, float] | None = None
    delta: float | None = None
    """The difference from the row that the table compares with."""
    sure: bool = False
    """Whether the difference has p < 0.05."""
    mark: Mark = ""
    n: int | None = None
    """The number of sentences or questions."""
    seeds: tuple[float | None, ...] = ()
    """The score of each training, if there are several."""
    sd: float | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    group: str = ""
    """Columns side by side with the same group share a heading above theirs."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table. `name` is its name in the scorecard, `title` what is printed."""

    name: str
    title: str
    method: str
    writer: str | None
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    against: str = ""
    """What differences in brackets are from, for the table's heading."""

    def to_json(self) -> dict[str, object]:
        """Plain data, as in `tables.json`."""
        return asdict(self)

    @property
    def heading(self) -> str:
        """What the table's heading says of the differences in it; empty if there are none."""
        differs = any(cell.delta is not None for line in self.lines for cell in line.cells)
        return f"in brackets: difference from {self.against}" if self.against and differs else ""

    @property
    def spans(self) -> list[tuple[str, int]]:
        """The headings above the columns' headings, each with the number of columns that it spans."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found if any(group for group, _ in found) else []


@dataclass(frozen=True, slots=True)
class Number:
    """A row's score, of whatever it is; `delta` and `p` are against the backbone."""

    score: float | None
    interval: Sequence[float] | None = None
    n: int | None = None
    seeds: Sequence[float | None] = ()
    sd: float | None = None
    signature: str | None = None
    delta: float | None = None
    p: float | None = None

    @staticmethod
    def of(score: Score | Ability) -> "Number":
        return Number(
            score["score"],
            score["interval"],
            score["n"],
            score["seeds"],
            score["sd"],
            score["signature"],
            score["delta"],
            score["p"],
        )

    @staticmethod
    def of_f1(f1: F1) -> "Number":
        """F1 is not compared with the backbone's."""
        return Number(f1["score"], f1["interval"], f1["n"], f1["seeds"], f1["sd"], f1["signature"])


@dataclass(frozen=True, slots=True)
class Measure:
    """A column that can be compared: where a row has its score, and a pair of rows its difference."""

    column: Column
    path: Path
    score: Callable[[Row], Number | None]
    digits: int = 1
    against: str | None = None
    """The row that differences are taken from."""
    unit: str = "%"
    """`%`, or the maximum of a rating: `/10`."""


def filled(
    card: Scorecard,
    rows: Sequence[Row],
    titles: Sequence[str],
    measures: Sequence[Measure],
    competing: Sequence[str] | None = None,
) -> tuple[Line, ...]:
    """The lines of a table. Marks are given among the methods, or among `competing`; the backbone never competes."""
    names = {row["name"] for row in rows} - {card["backbone"]}
    among = names if competing is None else names & set(competing)
    columns = [_column(card, rows, measure, among) for measure in measures]
    return tuple(
        line(row, title, [column[place] for column in columns])
        for place, (row, title) in enumerate(zip(rows, titles, strict=True))
    )


def line(row: Row, title: str, cells: Sequence[Cell]) -> Line:
    """A row of the table for one of the scorecard."""
    return Line(row["name"], title, row["method"], row["writer"], tuple(row["seeds"]), tuple(cells))


def _column(card: Scorecard, rows: Sequence[Row], measure: Measure, names: Collection[str]) -> list[Cell]:
    cells = [_cell(card, row, measure) for row in rows]
    competing = {
        row["name"]: cell.value
        for row, cell in zip(rows, cells, strict=True)
        if row["name"] in names and cell.value is not None
    }
    marked = marks(card, competing, measure.path)
    return [replace(cell, mark=marked.get(row["name"], "")) for row, cell in zip(rows, cells, strict=True)]


def _cell(card: Scorecard, row: Row, measure: Measure) -> Cell:
    score = measure.score(row)
    if score is None or score.score is None:
        return Cell(None)
    delta, p = _delta(card, row, score, measure)
    return Cell(
        value=score.score,
        digits=measure.digits,
        interval=ends(score.interval) if score.interval else None,
        delta=delta,
        sure=p is not None and p < SIGNIFICANT,
        n=score.n,
        seeds=tuple(score.seeds),
        sd=score.sd,
        signature=score.signature,
    )


def _delta(card: Scorecard, row: Row, score: Number, measure: Measure) -> tuple[float | None, float | None]:
    """The difference from the row to compare with, and its p; scores contain those from the backbone."""
    other = measure.against
    if other is None or other == row["name"]:
        return None, None
    if other == card["backbone"]:
        return score.delta, score.p
    found = difference(card, row["name"], other, measure.path)
    return (found.delta, found.p) if found else (None, None)
