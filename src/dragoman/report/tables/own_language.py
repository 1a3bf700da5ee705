"""Own-language table: each model in the language that it was taught, like Table 3 of the CrossAlpaca paper.

The paper asks every model only in its own language, so a column holds different questions from line to line. A model
and the one of its language that saw no demonstrations are asked the same questions: they have a difference, and its
test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from dragoman.methods import available
from dragoman.report.compare import difference
from dragoman.report.families import benchmarks, kind, score
from dragoman.report.tables.captions import merged, spanned
from dragoman.report.tables.table import Cell, Column, Line, Table
from dragoman.scoring.scorecard.schema import Row, Scorecard, ends

ENGLISH = "en"
KEY = "languages"


@dataclass(frozen=True, slots=True)
class Taught:
    """A row that was taught one language, and how: equal for rows that differ only in the language."""

    language: str
    how: str


@dataclass(frozen=True, slots=True)
class TaughtRun:
    """The scorecard of a run by its name, and its rows that were taught one language."""

    name: str
    card: Scorecard
    taught: Mapping[str, Taught]


@dataclass(frozen=True, slots=True)
class _Model:
    """A future line: its place (the language and how it was taught), its title, and the scorecard's row."""

    taught: Taught
    run: str
    row: Row
    cells: tuple[Cell, ...]
    title: str


def table(parts: Sequence[TaughtRun]) -> Table | None:
    """One line per model, and for each way of teaching the mean over languages. None if no row was asked in its own.

    A model that several runs have is listed once if they agree about it, otherwise with the run's name.
    """
    asked = {one.name: None for part in parts for one in benchmarks(part.card) if not one.context}
    columns = [name for name in asked if any(_is_asked(part, name) for part in parts)]
    models = _distinct([_model(part, row, columns) for part in parts for row in part.card["rows"]])
    if not columns or not models:
        return None
    ways = list(dict.fromkeys(model.taught.how for model in models if model.taught.language != ENGLISH))
    lines = [_line(model) for model in models if model.taught.language == ENGLISH]
    for how in sorted(ways, key=lambda how: not _is_baseline(models, how)):
        some = [model for model in models if model.taught.how == how and model.taught.language != ENGLISH]
        lines += [_line(model) for model in some]
        if len(some) > 1:
            lines.append(_mean(some, [model for model in models if _is_like(model, some)]))
    titles = tuple(Column(name.replace("_", " ")) for name in columns)
    return Table(
        KEY, "Each model in the language that it was taught", _caption(parts, models, lines), titles, tuple(lines)
    )


def _is_asked(part: TaughtRun, benchmark: str) -> bool:
    """Whether a row of a run that was taught one language was asked a benchmark in that language."""
    return any(
        score(row, f"{benchmark}-{part.taught[row['name']].language}")
        for row in part.card["rows"]
        if row["name"] in part.taught
    )


def _model(part: TaughtRun, row: Row, columns: Sequence[str]) -> _Model | None:
    taught = part.taught.get(row["name"])
    if taught is None:
        return None
    other = next(
        (
            one["name"]
            for one in part.card["rows"]
            if _saw_none(one) and not _saw_none(row)
            if one["name"] in part.taught and part.taught[one["name"]].language == taught.language
        ),
        None,
    )
    cells = tuple(_cell(part.card, row, f"{name}-{taught.language}", other) for name in columns)
    return _Model(taught, part.name, row, cells, row["name"])


def _cell(card: Scorecard, row: Row, family: str, other: str | None) -> Cell:
    found = score(row, family)
    if found is None or found["score"] is None:
        return Cell(None)
    apart = difference(card, row["name"], other, (kind(card, family), family)) if other else None
    return Cell(
        value=found["score"],
        interval=ends(found["interval"]) if found["interval"] else None,
        delta=apart.delta if apart else None,
        sure=bool(apart and apart.state != "open"),
        n=found["n"],
        seeds=tuple(found["seeds"]),
        sd=found["sd"],
        signature=found["signature"],
    )


def _distinct(models: Sequence[_Model | None]) -> list[_Model]:
    found: dict[tuple[str, tuple[float | None, ...]], _Model] = {}
    for model in models:
        if model is not None and any(cell.value is not None for cell in model.cells):
            found.setdefault((model.title, tuple(cell.value for cell in model.cells)), model)
    names = [title for title, _ in found]
    return [
        one if names.count(one.title) == 1 else replace(one, title=f"{one.title} ({one.run})") for one in found.values()
    ]


def _line(model: _Model) -> Line:
    row = model.row
    return Line(row["name"], model.title, row["method"], row["writer"], tuple(row["seeds"]), model.cells)


def _saw_none(row: Row) -> bool:
    """Whether a row's method teaches a language without demonstrations, so that others are compared with it."""
    method = available().get(row["method"])
    return method is not None and method.baseline == "language"


def _is_baseline(models: Sequence[_Model], how: str) -> bool:
    return any(model.taught.how == how and _saw_none(model.row) for model in models)


def _is_like(model: _Model, some: Sequence[_Model]) -> bool:
    """Whether a model is the baseline that the mean of `some` is compared with: Alpaca in one of their languages."""
    languages = {one.taught.language for one in some}
    return _saw_none(model.row) and model.taught.language in languages and not _saw_none(some[0].row)


def _mean(some: Sequence[_Model], baselines: Sequence[_Model]) -> Line:
    """The mean over languages; a column in which one of them has no score has none."""
    cells = []
    for at in range(len(some[0].cells)):
        mean, other = _mean_of(some, at), _mean_of(baselines, at)
        apart = None if mean is None or other is None or len(baselines) != len(some) else mean - other
        cells.append(Cell(mean, delta=apart))
    names = sorted({_without(model) for model in some})
    title = f"mean of {names[0] if len(names) == 1 else ', '.join(model.title for model in some)}"
    return Line(title, title, some[0].row["method"], None, (), tuple(cells))


def _mean_of(models: Sequence[_Model], at: int) -> float | None:
    values = [model.cells[at].value for model in models]
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def _without(model: _Model) -> str:
    """`x-cross` for `de-cross`, so that rows of several languages have one name."""
    return "-".join("x" if part == model.taught.language else part for part in model.row["name"].split("-"))


def _caption(parts: Sequence[TaughtRun], models: Sequence[_Model], lines: Sequence[Line]) -> str:
    cells = [cell for model in models for cell in model.cells if cell.value is not None]
    counts = [cell.n for cell in cells if cell.n]
    signatures = list(dict.fromkeys(cell.signature for cell in cells if cell.signature))
    aside = [
        row["name"]
        for part in parts
        for row in part.card["rows"]
        if row["method"] not in ("backbone", "finished") and row["name"] not in part.taught
    ]
    said = [
        f"Scores are % right of {spanned(counts)} questions, each in the language of its line." if counts else "",
        "In brackets the difference from Alpaca in the same language, on the same questions; * where p < 0.05."
        if any(cell.delta is not None for one in lines for cell in one.cells)
        else "",
        f"Taught several languages, and so not here: {', '.join(dict.fromkeys(aside))}." if aside else "",
        f"Signature: {merged(signatures)}." if signatures else "",
    ]
    return " ".join(one for one in said if one)
