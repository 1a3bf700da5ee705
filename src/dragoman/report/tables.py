"""The comparison in the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dragoman.report.compare import Card
from dragoman.report.families import Benchmark, benchmarks, by_language, heading, others, score
from dragoman.report.words import (
    methods,
    number,
    plain,
    rationales,
    remarks,
    signed,
    significant,
    spread,
    trainings,
    verdict,
)

WIDE = 100  # columns that a table of three models needs with its intervals
ACROSS = 3  # methods side by side; of more, each gets a line
_ROOM = {True: 82, False: 52}  # for columns beside the names of many methods, with and without intervals
GROUPS = (("into_english", "into English"), ("out_of_english", "out of English"), ("all", "all"))
_RATES = (("chatter", "goes on to talk"), ("wrong_language", "wrong language"), ("cut_off", "cut off"))


def show(card: Card, console: Console) -> None:
    """Prints the comparison; on a narrow terminal without the intervals, which the page has as well."""
    if not console.is_terminal:
        console.width = max(console.width, WIDE)  # a file or a pipe has no width of its own
    console.print(terminal(card, intervals=console.width >= WIDE))


def terminal(card: Card, *, intervals: bool = True) -> Group:
    """Skill gained beside abilities kept, what the marks mean, and the verdict."""
    if len(methods(card)) <= ACROSS:
        parts: list[RenderableType] = [_table(card, card["rows"], intervals)]
    else:
        parts = _by_line(card, intervals)
    parts.append(Padding(_legend(card, intervals), (0, 1, 1, 1)))
    parts += [Padding(_claim(name, claim), (0, 1)) for name, claim in verdict(card)]
    parts += [Padding(Text(remark, style="dim"), (0, 1)) for remark in [*remarks(card), *taught(card)]]
    return Group(*parts)


def _table(card: Card, rows: Sequence[Card], intervals: bool) -> Table:
    """What was measured down, rows of the scorecard across."""
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(Text(row["name"]), no_wrap=True)
    blank = [""] * len(rows)
    learnt = translated(card) or skills(card)
    if learnt:
        table.add_row(Text("Skill gained", style="bold"), *blank)
    if translated(card):
        for key, title in groups(card):
            scores = [row["translation"][key]["chrf++"] for row in rows]
            table.add_row(Text(f"{title}, chrF++"), *(_score(score, 1, intervals) for score in scores))
        table.add_row(Text("all, BLEU"), *(_score(row["translation"]["all"]["bleu"], 1, intervals) for row in rows))
        for rate, title in _RATES:
            table.add_row(Text(f"{title}, %", style="dim"), *(_rate(row["translation"]["rates"][rate]) for row in rows))
    for skill in skills(card):
        table.add_row(Text(f"{plain(skill)}, %"), *(_score(row["skills"].get(skill), 0, intervals) for row in rows))
    if families(card):
        if learnt:
            table.add_row("", *blank)
        table.add_row(Text("Abilities kept", style="bold"), *blank)
        for family in families(card):
            cells = (_score(row["abilities"].get(family), 0, intervals) for row in rows)
            table.add_row(Text(f"{plain(family)}, %"), *cells)
    for title, some in by_language(benchmarks(card)).items():
        table.add_row("", *blank)
        table.add_row(Text(f"Benchmarks {title}", style="bold"), *blank)
        for parts in some:
            found = [score(row, parts.family) for row in rows]
            table.add_row(Text(f"{heading(parts)}, %"), *(_score(one, 0, intervals) for one in found))
            if _has_f1(rows, parts):
                table.add_row(Text("  F1", style="dim"), *(_f1(one) for one in found))
    if _kept(rows):
        table.add_row(
            Text("kept of all (RP), %", style="bold"), *(_retention(row, card["backbone"], intervals) for row in rows)
        )
    return table


def _by_line(card: Card, intervals: bool) -> list[RenderableType]:
    """A line for each row of the scorecard: the sums first, then the abilities, then what is odd."""
    rows = card["rows"]
    sums = _lines("")
    wide = intervals and not skills(card)
    columns: list[list[Text]] = []
    if translated(card):
        for key, title in groups(card):
            sums.add_column(Text(f"{title}, chrF++" if key == "all" else title), no_wrap=key == "all")
            columns.append([_score(row["translation"][key]["chrf++"], 1, wide and key == "all") for row in rows])
    for skill in skills(card):
        sums.add_column(Text(f"{plain(skill)}, %"))
        columns.append([_score(row["skills"].get(skill), 0, intervals and not translated(card)) for row in rows])
    if _kept(rows):
        sums.add_column(Text("kept of all (RP), %"))
        columns.append([_retention(row, card["backbone"], intervals, 2) for row in rows])
    _fill(sums, rows, columns)
    parts: list[RenderableType] = [sums] if columns else []
    for some in _fitting(families(card), _ROOM[intervals]):
        kept = _lines("passed, %")
        for family in some:
            kept.add_column(Text(plain(family)))
        _fill(kept, rows, [[_brief(row["abilities"].get(family)) for row in rows] for family in some])
        parts.append(kept)
    for title, group in by_language(benchmarks(card)).items():
        parts += _benchmarks(rows, title, group, _ROOM[intervals])
    if translated(card):
        odd = _lines("odd translations, %")
        for _, title in _RATES:
            odd.add_column(Text(title))
        _fill(odd, rows, [[_rate(row["translation"]["rates"][rate]) for row in rows] for rate, _ in _RATES])
        parts.append(odd)
    return parts


def _benchmarks(rows: Sequence[Card], title: str, some: Sequence[Benchmark], room: int) -> list[RenderableType]:
    """A line for each row of the scorecard with all that was asked in one language, in lots that fit."""
    columns = {}
    for parts in some:
        columns[heading(parts)] = [_brief(score(row, parts.family)) for row in rows]
        if _has_f1(rows, parts):
            columns[f"{heading(parts)} F1"] = [_f1(score(row, parts.family)) for row in rows]
    made: list[RenderableType] = []
    for names in _fitting(list(columns), room):
        table = _lines(f"{title}, %")
        for name in names:
            table.add_column(Text(name))
        _fill(table, rows, [columns[name] for name in names])
        made.append(table)
    return made


def _has_f1(rows: Sequence[Card], parts: Benchmark) -> bool:
    return any((score(row, parts.family) or {}).get("f1") for row in rows)


def _f1(found: Card | None) -> Text:
    f1 = found.get("f1") if found else None
    return Text(f"{number(f1['score'] if f1 else None, 0):>5}", style="dim")


def _kept(rows: Sequence[Card]) -> bool:
    return any(row["retention"] is not None for row in rows)


def _lines(head: str) -> Table:
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), pad_edge=True)
    table.add_column(Text(head, style="dim"), no_wrap=True)
    return table


def _fill(table: Table, rows: Sequence[Card], columns: Sequence[Sequence[Text]]) -> None:
    for row, *cells in zip(rows, *columns, strict=True):
        table.add_row(Text(row["name"], style="bold"), *cells)


def _fitting(names: Sequence[str], room: int) -> list[list[str]]:
    """The names in lots whose headings fit beside each other."""
    lots: list[list[str]] = []
    for name in names:
        longest = [max(map(len, plain(one).split())) + 2 for one in [*(lots[-1] if lots else []), name]]
        if lots and sum(longest) <= room:
            lots[-1].append(name)
        else:
            lots.append([name])
    return lots


def _brief(score: Card | None) -> Text:
    """The score and its mark; the colour says which way it differs from the backbone."""
    if score is None:
        return Text("    –", style="dim")
    mark, tint = _mark(score)
    return Text(f"{number(score['score'], 0):>5}{mark}", style="" if score["delta"] is None else tint)


def _mark(score: Card) -> tuple[str, str]:
    """What stands after a difference from the backbone, and its colour."""
    if score["delta"] is None:
        return "", ""
    if significant(score["p"]):
        return "*", "green" if score["delta"] > 0 else "red"
    return "~" if score.get("inside_noise") else "", "dim"


def _score(score: Card | None, digits: int, intervals: bool) -> Text:
    """The score, its difference from the backbone's, and its interval, each in a place of its own."""
    if score is None:
        return Text("    –", style="dim")
    text = Text(f"{number(score['score'], digits):>5}", style="bold")
    if score["delta"] is not None:
        mark, tint = _mark(score)
        text.append(f" {signed(score['delta'], digits) + mark:<7}", style=f"{tint} not bold")
    return text.append(f" {spread(score['interval'], digits)}", style="dim not bold") if intervals else text


def _rate(rate: Card) -> Text:
    return Text(f"{number(rate['rate']):>5}", style="dim")


def _retention(row: Card, backbone: str, intervals: bool, width: int = 7) -> Text:
    """RP and its mark; `width` is the mark's, as wide as the differences above it by default."""
    text = Text(f"{number(row['retention'], 0):>5}", style="bold")
    if row["name"] == backbone or row["retention"] is None:
        return text
    tint = "green" if row["retention"] >= 80 else "yellow" if row["retention"] >= 50 else "red"
    text.stylize(tint)
    text.append(f" {'~' if row['inside_noise'] else '':<{width}}", style="dim not bold")
    return text.append(f" {spread(row['retention_interval'], 0)}", style="dim not bold") if intervals else text


def _claim(name: str, claim: str) -> Text:
    return Text(name, style="bold").append(f" {claim}.", style="not bold")


def taught(card: Card) -> list[str]:
    """A line for each method that learnt from rationales: how many, how long, and what is wrong with them."""
    return [f"{name} learnt from {report.sentence()}." for name, report in rationales(card).items()]


def _legend(card: Card, intervals: bool) -> Text:
    parts = ["* differs from the backbone, p < 0.05"]
    if trainings(card):
        parts.insert(0, trainings(card))
    if card["noise"]:
        parts.append("~ inside the noise floor")
    parts.append("dim ranges: 95 % intervals" if intervals else "a wider terminal shows intervals")
    return Text(" · ".join(parts), style="dim")


def groups(card: Card) -> list[tuple[str, str]]:
    """Which means over directions there are, and what they are called."""
    return [(key, title) for key, title in GROUPS if any(row["translation"][key] for row in translated(card))]


def translated(card: Card) -> list[Card]:
    """The rows whose translation was judged."""
    return [row for row in card["rows"] if row["translation"] and row["translation"]["all"]]


def families(card: Card) -> list[str]:
    """All families of questions about abilities, but for benchmarks in a language."""
    return others(card["rows"], "abilities")


def skills(card: Card) -> list[str]:
    """All skills other than translation that were judged, but for benchmarks in a language."""
    return others(card["rows"], "skills")
