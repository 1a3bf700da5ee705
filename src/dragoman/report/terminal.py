"""The comparison in the terminal: the table that `run` and `report` print."""

from collections.abc import Sequence
from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dragoman.report import cells as cell
from dragoman.report import drift, replay
from dragoman.report.abilities import abilities, by_side, comparisons, digits, kept_of_before, skills, unit
from dragoman.report.compare import baseline, floor, methods, of_backbone
from dragoman.report.families import Benchmark, benchmarks, by_language, heading, score
from dragoman.report.phrases import plain, rationales, trainings
from dragoman.report.remarks import remarks
from dragoman.report.translation import (
    counted,
    group_score,
    groups,
    learnt_metrics,
    metric_title,
    metrics,
    odd,
    translated,
)
from dragoman.report.verdict import verdict
from dragoman.scoring.scorecard.schema import Change, GroupName, Kind, Row, Scorecard, TraceSide
from dragoman.screen import console as new_console

WIDE = 100  # columns that a table of three models needs with its intervals
NAME = 23  # letters of a model's name in a line above its column, which is as wide with an interval
ACROSS = 3  # methods side by side; of more, each gets a line
_ROOM = {True: 82, False: 52}  # for columns beside the names of many methods, with and without intervals
CHANGES: Sequence[tuple[TraceSide, str]] = (
    ("general", "general ability"),
    ("instruction", "following instructions"),
    ("safety", "safety"),
)
"""The sides for which TRACE's changes are shown."""
ALL: Sequence[tuple[GroupName, str]] = [("all", "all")]
SHORT = {"general ability": "general", "following instructions": "instructions"}
"""The sides' headings over narrow columns."""


def show(card: Scorecard, console: Console) -> None:
    """Prints the comparison. A narrow terminal gets no intervals, which the page has as well; a file or a pipe gets
    them all, if need be in several tables.
    """
    if not console.is_terminal:
        console.width = max(console.width, WIDE)  # it has no width of its own
    console.print(terminal(card, console.width, complete=not console.is_terminal))


def terminal(card: Scorecard, width: int, *, complete: bool = False) -> Group:
    """Skill gained beside abilities kept, what the marks mean, and the verdict. A `complete` one has all intervals."""
    intervals, parts = (True, _blocks(card, width)) if complete else _tables(card, width)
    parts.append(Padding(_legend(card, intervals), (0, 1, 1, 1)))
    parts += [Padding(_claim(name, claim), (0, 1)) for name, claim in verdict(card)]
    parts += [Padding(Text(remark, style="dim"), (0, 1)) for remark in [*remarks(card), *taught(card)]]
    return Group(*parts)


def _tables(card: Scorecard, width: int) -> tuple[bool, list[RenderableType]]:
    """Whether intervals are shown, and the tables: one if it fits, with intervals if possible; otherwise a line per
    row.
    """
    if len(methods(card)) <= ACROSS:
        for intervals in (True, False) if width >= WIDE else (False,):
            table = _table(card, card["rows"], intervals)
            if _width(table) <= width or (not methods(card) and not intervals):
                return intervals, [table]
    return width >= WIDE, _by_line(card, width >= WIDE)


def _blocks(card: Scorecard, width: int) -> list[RenderableType]:
    """As many tables as it takes to show all rows with their intervals, each of as many rows as fit side by side."""
    blocks: list[list[Row]] = []
    for row in card["rows"]:
        if blocks and _width(_table(card, [*blocks[-1], row], True)) <= width:
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return [_table(card, block, True) for block in blocks]


def _width(table: Table) -> int:
    """The width of a table if nothing in it is cut."""
    endless = new_console(width=1000)
    return Measurement.get(endless, endless.options, table).maximum


def _table(card: Scorecard, rows: Sequence[Row], intervals: bool) -> Table:
    """Measures down, rows of the scorecard across."""
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(Text("\n".join(wrap(row["name"], NAME))), no_wrap=True)
    blank = [""] * len(rows)
    taught = of_backbone(card)

    def head(title: str, words: str = "") -> None:
        if table.row_count:
            table.add_row("", *blank)
        table.add_row(Text(title, style="bold").append(words, style="dim not bold"), *blank)

    def lines(kind: Kind, families: Sequence[str], indent: str = "") -> None:
        for name in families:
            cells = (cell.score(row[kind].get(name), digits(card, name), intervals) for row in rows)
            table.add_row(Text(f"{indent}{plain(name)}, {unit(card, name)}"), *cells)

    if translated(card) or skills(card):
        head("Skill gained" if taught else "Skill")
        for metric in metrics(card):
            for key, title in groups(card) if metric != "bleu" else ALL:
                cells = (cell.score(group_score(row, key, metric), 1, intervals) for row in rows)
                table.add_row(Text(f"{title}, {metric_title(card, metric)}"), *cells)
        if translated(card):
            for rate, title in odd(card).items():
                cells = (cell.rate(counted(row, rate)) for row in rows)
                table.add_row(Text(f"{title}, %", style="dim"), *cells)
        lines("skills", skills(card))
    if abilities(card):
        head("Abilities kept" if taught else "Abilities")
        for title, some in by_side(card, abilities(card)).items():
            if title:
                table.add_row(Text(title, style="italic dim"), *blank)
            lines("abilities", some, "  " if title else "")
    for title, asked in by_language(benchmarks(card)).items():
        head(f"Benchmarks {title}")
        for parts in asked:
            found = [score(row, parts.family) for row in rows]
            table.add_row(Text(f"{heading(parts)}, %"), *(cell.score(one, 0, intervals) for one in found))
            if _has_f1(rows, parts):
                table.add_row(Text("  F1", style="dim"), *(cell.f1(one) for one in found))
    if _kept(card):
        cells = (cell.retention(row, card["backbone"], intervals) for row in rows)
        table.add_row(Text("kept of all (RP), %", style="bold"), *cells)
        for part, title in replay.parts(card).items():
            cells = (cell.part(row, part, card["backbone"], intervals) for row in rows)
            table.add_row(Text(f"  {title}, %"), *cells)
        if any(map(kept_of_before, rows)):
            cells = (cell.part(row, "before", card["backbone"], intervals) for row in rows)
            table.add_row(Text("  of the row before, %"), *cells)
    if changed(card):
        head("Change" if taught else f"Difference from {baseline(card)}", ", points of 100")
        for side, title in changed(card):
            table.add_row(Text(title), *(cell.change(_traced(row, side), intervals) for row in rows))
    if comparisons(card):
        head("Beside the backbone", ", 50 is a draw")
        for name in comparisons(card):
            cells = (cell.compared(row["abilities"].get(name), intervals) for row in rows)
            table.add_row(Text(f"{plain(name)}, %"), *cells)
    if drift.kinds(card):
        head(drift.HEADING, f", {drift.UNIT}")
        for kind, title in drift.kinds(card).items():
            table.add_row(Text(f"on {title}"), *(cell.moved(row, kind, intervals) for row in rows))
    return table


def _by_line(card: Scorecard, intervals: bool) -> list[RenderableType]:
    """A line for each row of the scorecard: first the sums, then the abilities, then oddities."""
    rows = card["rows"]
    parts: list[RenderableType] = []
    for metric in metrics(card):
        if metric not in ("chrf++", "bleu"):
            parts.append(_by_direction(card, metric, intervals))
    sums = _lines("")
    wide = intervals and not skills(card)
    columns: list[list[Text]] = []
    if translated(card):
        for key, title in groups(card):
            sums.add_column(Text(f"{title}, chrF++" if key == "all" else title), no_wrap=key == "all")
            columns.append([cell.score(group_score(row, key, "chrf++"), 1, wide and key == "all") for row in rows])
    for skill in skills(card):
        sums.add_column(Text(f"{plain(skill)}, %"))
        columns.append([cell.score(row["skills"].get(skill), 0, intervals and not translated(card)) for row in rows])
    if _kept(card):
        sums.add_column(Text("kept of all (RP), %"))
        columns.append([cell.retention(row, card["backbone"], intervals, 2) for row in rows])
        if any(map(kept_of_before, rows)):
            sums.add_column(Text("of the row before, %"))
            columns.append([cell.part(row, "before", card["backbone"], False, 2) for row in rows])
    _fill(sums, rows, columns)
    parts += [sums] if columns else []
    if shares := replay.parts(card):
        apart = _lines("kept apart (RP), %")
        for title in shares.values():
            apart.add_column(Text(title))
        _fill(apart, rows, [[cell.part(row, part, card["backbone"], intervals, 2) for row in rows] for part in shares])
        parts.append(apart)
    parts += _kept_by_line(card, _ROOM[intervals])
    for title, group in by_language(benchmarks(card)).items():
        parts += _benchmarks(rows, title, group, _ROOM[intervals])
    if changed(card):
        changes = _lines("change, points of 100")
        for _, title in changed(card):
            changes.add_column(Text(title), no_wrap=intervals)
        told = [[cell.change(_traced(row, side), intervals) for row in rows] for side, _ in changed(card)]
        _fill(changes, rows, told)
        parts.append(changes)
    if comparisons(card):
        beside = _lines("50 is a draw")
        for name in comparisons(card):
            beside.add_column(Text(f"{plain(name)}, %"))
        cells = [[cell.compared(row["abilities"].get(name), intervals) for row in rows] for name in comparisons(card)]
        _fill(beside, rows, cells)
        parts.append(beside)
    if measured := drift.kinds(card):
        moved = _lines("drift, nats a token")
        for title in measured.values():
            moved.add_column(Text(f"on {title}"))
        _fill(moved, rows, [[cell.moved(row, kind, intervals) for row in rows] for kind in measured])
        parts.append(moved)
    if translated(card):
        named = odd(card)
        for some in _fitting(list(named.values()), _ROOM[intervals] - 10):  # less room, as their heading is long
            strange = _lines("odd translations, %")
            for title in some:
                strange.add_column(Text(title))
            rates = [rate for rate, title in named.items() if title in some]
            _fill(strange, rows, [[cell.rate(counted(row, rate)) for row in rows] for rate in rates])
            parts.append(strange)
    return parts


def _kept_by_line(card: Scorecard, room: int) -> list[RenderableType]:
    """A line for each row with all abilities, in as many tables as it takes; a side's name is above its first."""
    sided = by_side(card, abilities(card))
    names = [name for some in sided.values() for name in some]
    made: list[RenderableType] = []
    for some in _fitting(names, room):
        table = _lines("\npassed, %" if len(sided) > 1 else "passed, %")
        before = ""
        for name in some:
            title = next(title for title, names in sided.items() if name in names)
            words = plain(name) if unit(card, name) == "%" else f"{plain(name)}, {unit(card, name)}"
            above = SHORT.get(title, title) if title != before else ""
            table.add_column(Text(f"{above}\n", style="dim").append(words) if title else Text(words))
            before = title
        scores = [[cell.brief(row["abilities"].get(name), digits(card, name)) for row in card["rows"]] for name in some]
        _fill(table, card["rows"], scores)
        made.append(table)
    return made


def _by_direction(card: Scorecard, metric: str, intervals: bool) -> Table:
    """A line for each row of the scorecard with one metric's means over directions."""
    table = _lines(metric_title(card, metric))
    columns = []
    for key, title in groups(card):
        table.add_column(Text(title))
        columns.append(
            [cell.score(group_score(row, key, metric), 1, intervals and key == "all") for row in card["rows"]]
        )
    _fill(table, card["rows"], columns)
    return table


def changed(card: Scorecard) -> list[tuple[TraceSide, str]]:
    """The sides for which any row has one of TRACE's changes, and their titles."""
    return [(side, title) for side, title in CHANGES if any(_traced(row, side) for row in card["rows"])]


def _traced(row: Row, side: TraceSide) -> Change | None:
    return row["trace"][side] if row["trace"] else None


def _benchmarks(rows: Sequence[Row], title: str, some: Sequence[Benchmark], room: int) -> list[RenderableType]:
    """A line for each row with everything that was asked in one language, in as many tables as it takes."""
    columns = {}
    for parts in some:
        columns[heading(parts)] = [cell.brief(score(row, parts.family)) for row in rows]
        if _has_f1(rows, parts):
            columns[f"{heading(parts)} F1"] = [cell.f1(score(row, parts.family)) for row in rows]
    made: list[RenderableType] = []
    for names in _fitting(list(columns), room):
        table = _lines(f"{title}, %")
        for name in names:
            table.add_column(Text(name))
        _fill(table, rows, [columns[name] for name in names])
        made.append(table)
    return made


def _has_f1(rows: Sequence[Row], parts: Benchmark) -> bool:
    return any((found := score(row, parts.family)) and found["f1"] for row in rows)


def _kept(card: Scorecard) -> bool:
    """Whether there is a share that is kept: of one model alone, or of two others, there is none."""
    return of_backbone(card) and any(row["retention"] is not None for row in methods(card))


def _lines(head: str) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=True)
    table.add_column(Text(head, style="dim"), no_wrap=True)
    return table


def _fill(table: Table, rows: Sequence[Row], columns: Sequence[Sequence[Text]]) -> None:
    for row, *cells in zip(rows, *columns, strict=True):
        table.add_row(Text(row["name"], style="bold"), *cells)


def _fitting(names: Sequence[str], room: int) -> list[list[str]]:
    """The names, divided so that the headings of each part fit side by side."""
    lots: list[list[str]] = []
    for name in names:
        longest = [max(5, *map(len, plain(one).split())) + 2 for one in [*(lots[-1] if lots else []), name]]
        if lots and sum(longest) <= room:
            lots[-1].append(name)
        else:
            lots.append([name])
    return lots


def _claim(name: str, claim: str) -> Text:
    return Text(name, style="bold").append(f" {claim}.", style="not bold")


def taught(card: Scorecard) -> list[str]:
    """A line for each method that learnt from rationales: how many, how long, and their faults."""
    return [f"{name} learnt from {report.sentence()}." for name, report in rationales(card).items()]


def _legend(card: Scorecard, intervals: bool) -> Text:
    parts = [f"* differs from {baseline(card)}, p < 0.05; without it no difference was found"] if methods(card) else []
    if trainings(card):
        parts.insert(0, trainings(card))
    if methods(card) and floor(card) is not None:
        parts.append("~ inside the noise floor")
    parts += [learnt_metrics(card)] if learnt_metrics(card) else []
    parts.append("dim ranges: 95 % intervals" if intervals else "a wider terminal shows intervals")
    return Text(" · ".join(parts), style="dim")
