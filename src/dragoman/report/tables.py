"""The comparison as tables: for the terminal, and as Markdown."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dragoman.report.words import (
    Card,
    methods,
    number,
    plain,
    rationales,
    remarks,
    signed,
    significant,
    spread,
    verdict,
)

WIDE = 100  # columns that a table of three models needs with its intervals
ACROSS = 3  # methods side by side in one table; more get a table below
_GROUPS = (("into_english", "into English"), ("out_of_english", "out of English"), ("all", "all"))
_RATES = (("chatter", "goes on to talk"), ("wrong_language", "wrong language"), ("cut_off", "cut off"))


def show(card: Card, console: Console) -> None:
    """Prints the comparison; on a narrow terminal without the intervals, which the page has as well."""
    if not console.is_terminal:
        console.width = max(console.width, WIDE)  # a file or a pipe has no width of its own
    console.print(terminal(card, intervals=console.width >= WIDE))


def terminal(card: Card, *, intervals: bool = True) -> Group:
    """Skill gained beside abilities kept, what the marks mean, and the verdict."""
    backbone, others = card["rows"][0], methods(card)
    parts: list[RenderableType] = [
        _table(card, [backbone, *others[start : start + ACROSS]], intervals)
        for start in range(0, max(1, len(others)), ACROSS)
    ]
    parts.append(Padding(_legend(card, intervals), (0, 1, 1, 1)))
    parts += [Padding(_claim(name, claim), (0, 1)) for name, claim in verdict(card)]
    parts += [Padding(Text(remark, style="dim"), (0, 1)) for remark in [*remarks(card), *_taught(card)]]
    return Group(*parts)


def _table(card: Card, rows: Sequence[Card], intervals: bool) -> Table:
    """What was measured down, rows of the scorecard across."""
    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        table.add_column(Text(row["name"]), no_wrap=True)
    blank = [""] * len(rows)
    if _translated(card):
        table.add_row(Text("Skill gained", style="bold"), *blank)
        for key, title in _groups(card):
            scores = [row["translation"][key]["chrf++"] for row in rows]
            table.add_row(Text(f"{title}, chrF++"), *(_score(score, 1, intervals) for score in scores))
        table.add_row(Text("all, BLEU"), *(_score(row["translation"]["all"]["bleu"], 1, intervals) for row in rows))
        for rate, title in _RATES:
            table.add_row(Text(f"{title}, %", style="dim"), *(_rate(row["translation"]["rates"][rate]) for row in rows))
    families = _families(card)
    if families:
        if _translated(card):
            table.add_row("", *blank)
        table.add_row(Text("Abilities kept", style="bold"), *blank)
        for family in families:
            table.add_row(
                Text(f"{plain(family)}, %"), *(_score(row["abilities"][family], 0, intervals) for row in rows)
            )
        table.add_row(
            Text("kept of all (RP), %", style="bold"), *(_retention(row, card["backbone"], intervals) for row in rows)
        )
    return table


def _score(score: Card, digits: int, intervals: bool) -> Text:
    """The score, its difference from the backbone's, and its interval, each in a place of its own."""
    text = Text(f"{number(score['score'], digits):>5}", style="bold")
    if score["delta"] is not None:
        mark = "*" if significant(score["p"]) else "~" if score.get("inside_noise") else ""
        tint = "dim" if mark != "*" else "green" if score["delta"] > 0 else "red"
        text.append(f" {signed(score['delta'], digits) + mark:<7}", style=f"{tint} not bold")
    return text.append(f" {spread(score['interval'], digits)}", style="dim not bold") if intervals else text


def _rate(rate: Card) -> Text:
    return Text(f"{number(rate['rate']):>5}", style="dim")


def _retention(row: Card, backbone: str, intervals: bool) -> Text:
    text = Text(f"{number(row['retention'], 0):>5}", style="bold")
    if row["name"] == backbone or row["retention"] is None:
        return text
    tint = "green" if row["retention"] >= 80 else "yellow" if row["retention"] >= 50 else "red"
    text.stylize(tint)
    text.append(f" {'~' if row['inside_noise'] else '':<7}", style="dim not bold")
    return text.append(f" {spread(row['retention_interval'], 0)}", style="dim not bold") if intervals else text


def _claim(name: str, claim: str) -> Text:
    return Text(name, style="bold").append(f" {claim}.", style="not bold")


def _taught(card: Card) -> list[str]:
    """A line for each method that learnt from rationales: how many, how long, and what is wrong with them."""
    return [f"{name} learnt from {report.sentence()}." for name, report in rationales(card).items()]


def _legend(card: Card, intervals: bool) -> Text:
    parts = ["* differs from the backbone, p < 0.05"]
    if card["noise"]:
        parts.append("~ inside the noise floor")
    parts.append("dim ranges: 95 % intervals" if intervals else "a wider terminal shows intervals")
    return Text(" · ".join(parts), style="dim")


def _groups(card: Card) -> list[tuple[str, str]]:
    return [(key, title) for key, title in _GROUPS if any(row["translation"][key] for row in _translated(card))]


def markdown(card: Card) -> str:
    """The same comparison for a README: one table, a column for each row of the scorecard."""
    rows = card["rows"]
    lines = [["", *(row["name"] for row in rows)], ["---", *("---:" for _ in rows)]]
    if _translated(card):
        for key, title in _groups(card):
            lines.append([f"translation {title}, chrF++", *(_words(row["translation"][key]["chrf++"]) for row in rows)])
    for family in _families(card):
        lines.append([f"{plain(family)}, %", *(_words(row["abilities"][family], 0) for row in rows)])
    if any(row["retention"] is not None for row in rows):
        kept = [_kept(row, card["backbone"]) for row in rows]
        lines.append(["**abilities kept (RP), %**", *(f"**{text}**" for text in kept)])
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return "\n\n".join([table, _legend_words(card), *_taught(card)]) + "\n"


def _kept(row: Card, backbone: str) -> str:
    kept = number(row["retention"], 0)
    return (
        kept
        if row["name"] == backbone or row["retention"] is None
        else f"{kept} ({spread(row['retention_interval'], 0)})"
    )


def _words(score: Card, digits: int = 1) -> str:
    if score["delta"] is None:
        return number(score["score"], digits)
    mark = "\\*" if significant(score["p"]) else ""
    return f"{number(score['score'], digits)} ({signed(score['delta'], digits)}{mark})"


def _legend_words(card: Card) -> str:
    noise = card["noise"]
    floor = f" Noise floor of RP: ±{noise['retention']:.1f}." if noise and noise["retention"] is not None else ""
    return f"\\* differs from the backbone with p < 0.05.{floor}"


def _translated(card: Card) -> list[Any]:
    return [row for row in card["rows"] if row["translation"] and row["translation"]["all"]]


def _families(card: Card) -> list[str]:
    return list(dict.fromkeys(family for row in card["rows"] for family in row["abilities"]))
