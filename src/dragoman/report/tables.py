"""The comparison as tables: for the terminal, and as Markdown."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dragoman.report.words import Card, number, plain, remarks, signed, significant, spread, verdict

WIDTH = 118  # columns of a terminal that a table may fill; more abilities get another table below
_GROUPS = (("into_english", "into English"), ("out_of_english", "out of English"), ("all", "all"))


def show(card: Card, console: Console) -> None:
    """Prints the comparison."""
    console.print(terminal(card))


def terminal(card: Card) -> Group:
    """The verdict, skill gained, abilities kept, and what the marks mean. Made for 100 to 120 columns."""
    parts: list[RenderableType] = []
    if _translated(card):
        parts.append(_skill(card))
    tables = _split(_families(card))
    parts += [_abilities(card, families, last=families is tables[-1]) for families in tables]
    parts.append(Padding(_legend(card), (0, 1)))
    parts += [Padding(Text(f"{name} {claim}.", style="bold"), (0, 1)) for name, claim in verdict(card)]
    parts += [Padding(Text(remark, style="dim"), (0, 1)) for remark in remarks(card)]
    return Group(*parts)


def _table(title: str) -> Table:
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("", style="bold", no_wrap=True)
    return table


def _skill(card: Card) -> Table:
    table = _table("Skill gained: translation")
    groups = [(key, title) for key, title in _GROUPS if any(row["translation"][key] for row in _translated(card))]
    for _, title in groups:
        table.add_column(f"{title}\nchrF++", justify="right")
    for title in ("all\nBLEU", "chatter\n%", "wrong language\n%", "cut off\n%"):
        table.add_column(title, justify="right")
    for row in card["rows"]:
        translation = row["translation"]
        cells = [_score(translation[key]["chrf++"]) if translation[key] else Text("–") for key, _ in groups]
        cells.append(_score(translation["all"]["bleu"]))
        cells += [Text(number(translation["rates"][rate]["rate"])) for rate in ("chatter", "wrong_language", "cut_off")]
        table.add_row(Text(row["name"]), *cells)
    return table


def _score(score: Card) -> Text:
    """The score with its delta; below it the interval."""
    text = Text(f"{score['score']:.1f}", style="bold" if score["delta"] is not None else "")
    if score["delta"] is not None:
        mark = "*" if significant(score["p"]) else ""
        text.append(f" {signed(score['delta'])}{mark}", style=_tint(score["delta"], bool(mark)))
    text.append(f"\n{spread(score['interval'])}", style="dim not bold")
    return text


def _abilities(card: Card, families: Sequence[str], last: bool) -> Table:
    table = _table("Abilities kept, % passed")
    for family in families:
        table.add_column(Text(plain(family)), justify="right")
    if last:
        table.add_column("kept (RP)", justify="right")
    for row in card["rows"]:
        cells = [_ability(row["abilities"][family]) for family in families]
        table.add_row(Text(row["name"]), *cells, *([_retention(row, card["backbone"])] if last else []))
    return table


def _ability(ability: Card) -> Text:
    text = Text(f"{ability['score']:.0f}", style="bold" if ability["delta"] is not None else "")
    if ability["delta"] is not None:
        mark = "*" if significant(ability["p"]) else "~" if ability["inside_noise"] else ""
        text.append(f" {signed(ability['delta'], 0)}{mark}", style=_tint(ability["delta"], mark == "*"))
    text.append(f"\n{spread(ability['interval'], 0)}", style="dim not bold")
    return text


def _retention(row: Card, backbone: str) -> Text:
    if row["retention"] is None:
        return Text("–")
    text = Text(f"{row['retention']:.0f} %{'~' if row['inside_noise'] else ''}", style="bold")
    if row["name"] != backbone:
        text.append(f"\n{spread(row['retention_interval'], 0)}", style="dim not bold")
    return text


def _tint(delta: float, sure: bool) -> str:
    return "dim not bold" if not sure else "green not bold" if delta > 0 else "red not bold"


def _legend(card: Card) -> Text:
    parts = ["* differs from the backbone, p < 0.05 (paired bootstrap; exact McNemar test for abilities)"]
    if card["noise"]:
        parts.append("~ inside the noise floor")
    parts.append("below: 95 % intervals")
    return Text(" · ".join(parts), style="dim")


def markdown(card: Card) -> str:
    """The same comparison for a README: one table, a column for each row of the scorecard."""
    rows = card["rows"]
    lines = [["", *(row["name"] for row in rows)], ["---", *("---:" for _ in rows)]]
    if _translated(card):
        for key, title in _GROUPS:
            if any(row["translation"][key] for row in rows):
                lines.append(
                    [f"translation {title}, chrF++", *(_words(row["translation"][key]["chrf++"]) for row in rows)]
                )
    for family in _families(card):
        lines.append([f"{plain(family)}, %", *(_words(row["abilities"][family], 0) for row in rows)])
    if any(row["retention"] is not None for row in rows):
        kept = [_kept(row, card["backbone"]) for row in rows]
        lines.append(["**abilities kept (RP), %**", *(f"**{text}**" for text in kept)])
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
    return f"{table}\n\n{_legend_words(card)}\n"


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
    return [row for row in card["rows"] if row["translation"]]


def _families(card: Card) -> list[str]:
    return list(dict.fromkeys(family for row in card["rows"] for family in row["abilities"]))


def _split(families: Sequence[str]) -> list[list[str]]:
    """As few tables as fit beside the names and the retention."""
    room = WIDTH - 30
    tables: list[list[str]] = [[]] if families else []
    for family in families:
        if sum(map(_width, tables[-1])) + _width(family) > room:
            tables.append([])
        tables[-1].append(family)
    return tables


def _width(family: str) -> int:
    return 2 + max(len(family), len("100 −10*"))
