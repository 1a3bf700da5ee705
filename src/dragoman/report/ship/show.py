"""Decisions for people and programs: in the terminal, as Markdown for a pull request, as JSON."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman import __version__
from dragoman.json_values import Json, JsonObject
from dragoman.recipe.judging import Verdict
from dragoman.report.compare import SIGNIFICANT, floor
from dragoman.report.ship.decision import Decision, remarks
from dragoman.report.tables.table_formats import in_markdown
from dragoman.report.terminal import WIDE
from dragoman.scoring.scorecard.schema import Scorecard

WORDS = {True: "SHIP", False: "DON'T SHIP"}
SIGNS = {True: "✓", False: "✗"}
COLOURS = {True: "green", False: "red"}
SCHEMA = 1


def show(card: Scorecard, decisions: Sequence[Decision], console: Console) -> None:
    """Prints a block for each row: what was decided, and a line for each reason."""
    if not console.is_terminal:
        console.width = max(console.width, WIDE)  # it has no width of its own
    for one in decisions:
        console.print(Text(f"{one.row}: ", style="bold").append(WORDS[one.ship], style=f"bold {COLOURS[one.ship]}"))
        grid = Table.grid(padding=(0, 1))
        for reason in one.reasons:
            told = Text(reason.says)
            for line in reason.details:
                told.append(f"\n{line}", style="dim")
            grid.add_row(Text(f"  {SIGNS[reason.holds]}", style=COLOURS[reason.holds]), told)
        console.print(grid)
        console.print()
    for remark in remarks(card):
        console.print(Text(remark, style="dim"))


def markdown(card: Scorecard, decisions: Sequence[Decision]) -> str:
    """The same for a pull request."""
    parts = []
    for one in decisions:
        lines = ["|  |  |", "| --- | --- |"]
        for reason in one.reasons:
            told = "<br>".join(in_markdown(line) for line in (reason.says, *reason.details))
            lines.append(f"| {SIGNS[reason.holds]} | {told} |")
        parts.append("\n".join([f"### {in_markdown(one.row)}: {WORDS[one.ship]}", "", *lines]))
    parts += [in_markdown(remark) for remark in remarks(card)]
    return "\n\n".join(parts) + "\n"


def evidence(card: Scorecard, decisions: Sequence[Decision], bounds: Verdict, source: JsonObject) -> str:
    """The same as JSON, with the numbers behind each reason; `source` says which scorecard they are of."""
    settings: JsonObject = bounds.model_dump(mode="json")
    rows: dict[str, Json] = {
        one.row: {
            "ship": one.ship,
            "reasons": [
                {
                    "about": reason.about,
                    "holds": reason.holds,
                    "says": reason.says,
                    "details": list(reason.details),
                    "evidence": reason.evidence,
                }
                for reason in one.reasons
            ],
        }
        for one in decisions
    }
    data: JsonObject = {
        "schema": SCHEMA,
        "version": __version__,
        "ship": all(one.ship for one in decisions),
        "scorecard": source,
        "verdict": settings,
        "significant": SIGNIFICANT,
        "noise_floor": floor(card),
        "rows": rows,
        "remarks": list(remarks(card)),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
