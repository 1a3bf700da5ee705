"""Tables of benchmarks in several languages: one per language, and the parts of each benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dragoman.report.families import Benchmark, benchmarks, by_language, heading, kind, score
from dragoman.report.tables.captions import caption_of
from dragoman.report.tables.table import Column, Measure, Number, Table, filled
from dragoman.scoring.scorecard.schema import Row, Scorecard

EXACT = "EM: answers that are right word for word, in %; F1: the words that they share with a right answer."
BY_SUBJECT = "By subject: the mean over the parts of a benchmark, each counted alike."


def tables(card: Scorecard, rows: Sequence[Row], titles: Sequence[str], more: Sequence[Measure] = ()) -> list[Table]:
    """A table for each language; `more` are columns that end the first of them."""
    made: list[Table] = []
    for title, some in by_language(benchmarks(card)).items():
        measures = [measure for parts in some for measure in _measures(card, parts)]
        if not made:
            measures += more
        lines = filled(card, rows, titles, measures)
        notes = [EXACT] if any(measure.column.title == "F1" for measure in measures) else []
        notes += [BY_SUBJECT] if any(measure.column.title == "by subject" for measure in measures) else []
        caption = " ".join([*notes, caption_of(card, measures, lines, "the backbone")])
        columns = tuple(measure.column for measure in measures)
        made.append(Table("benchmarks", f"Benchmarks {title}", caption, columns, lines, "the backbone"))
    return made


def _measures(card: Scorecard, parts: Benchmark) -> list[Measure]:
    """Columns: passed items, F1 if answers were compared word by word, and the mean over subjects."""
    rows = [found for row in card["rows"] if (found := score(row, parts.family))]
    f1 = any(row["f1"] for row in rows)
    subjects = any(row["subjects"] for row in rows)
    name = heading(parts)
    group = name if f1 or subjects else ""
    title = "EM" if f1 else "all" if subjects else name
    measures = [
        Measure(
            Column(title, group),
            (kind(card, parts.family), parts.family),
            partial(_passed, parts.family),
            against=card["backbone"],
        )
    ]
    if f1:
        measures.append(Measure(Column("F1", group), ("f1", parts.family), partial(_f1, parts.family)))
    if subjects:
        measures.append(Measure(Column("by subject", group), ("subjects", parts.family), partial(_mean, parts.family)))
    return measures


def _passed(family: str, row: Row) -> Number | None:
    found = score(row, family)
    return Number.of(found) if found else None


def _f1(family: str, row: Row) -> Number | None:
    found = score(row, family)
    return Number.of_f1(found["f1"]) if found and found["f1"] else None


def _mean(family: str, row: Row) -> Number | None:
    """A score without comparison with another row's."""
    found = score(row, family)
    return Number(found["subject_mean"], n=found["n"]) if found and found["subjects"] else None


@dataclass(frozen=True, slots=True)
class Subjects:
    """The parts of one benchmark: a line for each, with the score of every row."""

    title: str
    rows: tuple[str, ...]
    lines: tuple[tuple[str, int, tuple[float | None, ...]], ...]
    """Name, number of questions, scores."""


def subjects(card: Scorecard) -> list[Subjects]:
    """The parts of all benchmarks that have any."""
    names = tuple(row["name"] for row in card["rows"])
    made = []
    for title, some in by_language(benchmarks(card)).items():
        for parts in some:
            found = [score(row, parts.family) for row in card["rows"]]
            scores = [one["subjects"] if one else {} for one in found]
            counted = {name: found["n"] for row in scores for name, found in row.items()}
            lines = tuple(
                (name, n, tuple(row[name]["score"] if name in row else None for row in scores))
                for name, n in sorted(counted.items())
            )
            if lines:
                made.append(Subjects(f"{heading(parts)} {title}", names, lines))
    return made
