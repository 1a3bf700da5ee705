"""The drift analysis, shown: in the terminal, as Markdown, and as a picture."""

from collections.abc import Mapping, Sequence
from typing import Literal

from markupsafe import Markup
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman.analysis.results import DriftResult
from dragoman.report.figures.charts import Frame, axes, style_sheet, svg, tag
from dragoman.report.figures.markers import colour_of, marker
from dragoman.scoring.divergence import Divergence
from dragoman.scoring.scorecard.schema import Scorecard

WAYS: Mapping[Literal["forward", "reverse"], str] = {
    "forward": "KL(backbone || tuned)",
    "reverse": "KL(tuned || backbone)",
}


def show(result: DriftResult, console: Console) -> None:
    """Prints a table for each kind of text, and how the numbers were made."""
    for kind, title in result["titles"].items():
        table = Table(title=Text(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD, header_style="bold")
        table.add_column("nats a token", no_wrap=True)
        for name in WAYS.values():
            table.add_column(Text(name), no_wrap=True, justify="right")
        for row, kinds in result["rows"].items():
            table.add_row(Text(row), *(Text(drift(kinds[kind][way])) for way in WAYS))
        console.print(table)
    for sentence in remarks(result):
        console.print(Text(sentence), soft_wrap=True)


def remarks(result: DriftResult) -> list[str]:
    """How the numbers were made, and what they cannot tell."""
    first = next(iter(result["rows"].values()))
    seeds = len(next(iter(first.values()))["forward"]["seeds"])
    counted = "; ".join(
        f"{result['titles'][kind]}: {facts['texts']:,} texts, {facts['tokens']:,} tokens"
        for kind, facts in first.items()
    )
    said = [f"{counted}. Models in {result['precision']}, divergences in fp32 over the whole vocabulary."]
    said.append(
        "In brackets: 95 % intervals by resampling texts" + (f"; means of {seeds} seeds." if seeds > 1 else ".")
    )
    if result["precision"] == "bfloat16":
        said.append("In bf16 the two models round by themselves, so that differences of some 0.0001 nats mean nothing.")
    return said


def drift(found: Divergence, *, seeds: bool = False) -> str:
    """Such as `0.123 (0.118–0.129)`; with `seeds`, followed by their standard deviation."""
    low, high = found["interval"]
    spread = f", ± {found['sd']:.4f} over seeds" if seeds and found["sd"] is not None else ""
    return f"{found['mean']:.4f} ({low:.4f}–{high:.4f}){spread}"


def markdown(result: DriftResult) -> str:
    """The same as a Markdown document."""
    lines = [f"# Drift from the backbone: {result['recipe']}", "", "Nats a token."]
    for kind, title in result["titles"].items():
        lines += [
            "",
            f"## {title[0].upper()}{title[1:]}",
            "",
            f"| | {' | '.join(WAYS.values()).replace('||', '‖')} |",
            "|---|---:|---:|",
        ]
        for row, kinds in result["rows"].items():
            cells = " | ".join(drift(kinds[kind][way], seeds=True) for way in WAYS)
            lines.append(f"| {row} | {cells} |")
    kept = {row: value for row, value in result.get("retention", {}).items() if value is not None}
    if kept:
        lines += ["", "## Abilities kept beside it", "", "| | kept of all, % |", "|---|---:|"]
        lines += [f"| {row} | {value:.1f} |" for row, value in kept.items()]
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in remarks(result))]) + "\n"


def retention(card: Scorecard, rows: Sequence[str]) -> dict[str, float | None]:
    """How much of the backbone's abilities each row has kept, in percent, according to its scorecard."""
    known = {row["name"]: row["retention"] for row in card["rows"]}
    return {row: known.get(row) for row in rows}


def picture(result: DriftResult) -> str | None:
    """Abilities kept against drift on the new task, if the recipe was evaluated; otherwise the drifts of all rows."""
    kept = {row: value for row, value in result.get("retention", {}).items() if value is not None}
    return _against(result, kept) if kept else _bars(result)


def _against(result: DriftResult, kept: Mapping[str, float]) -> str:
    """One point per row for each kind of text."""
    width, height, line = 340.0, 332.0, 22.0
    kinds = list(result["titles"])
    drawn = [tag("style", style_sheet())]
    low = min(0.9 * min(kept.values()), 60.0)
    for number, kind in enumerate(kinds):
        found = {row: result["rows"][row][kind]["forward"] for row in kept}
        most = 1.15 * max([1e-6, *(one["interval"][1] for one in found.values())])
        left = number * width
        frame = Frame(left + 54, 72, left + width - 20, height - 52, (0.0, most), (low, max(105.0, *kept.values())))
        drawn.append(tag("text", result["titles"][kind].split(", ")[-1], class_="label", x=frame.left, y=20))
        drawn.append(tag("text", result["titles"][kind].split(", ")[0], class_="tick", x=frame.left, y=34))
        drawn += axes(frame, WAYS["forward"], "kept, %", about_x=4, about_y=4)
        for colour, row in enumerate(result["rows"], start=1):
            if row in found:
                drawn.append(_point(frame, row, found[row], kept[row], colour))
    each = 40 + 8.0 * max(map(len, kept))
    across = max(1, int((width * len(kinds) - 54) // each))
    shown = [(colour, row) for colour, row in enumerate(result["rows"], start=1) if row in kept]
    for place, (colour, row) in enumerate(shown):
        x, y = 54 + place % across * each, height + 8 + place // across * line
        key = (marker(colour_of(colour), x, y, 5), tag("text", row, class_="name", x=x + 10, y=y + 4))
        drawn.append(tag("g", *key, class_=f"point row-{colour_of(colour)}"))
    height += 8 + line * -(-len(shown) // across)
    return svg(width * len(kinds), height, f"Abilities kept against drift, {result['recipe']}", drawn)


def _point(frame: Frame, row: str, found: Divergence, kept: float, colour: int) -> Markup:
    x, y = frame.at_x(found["mean"]), frame.at_y(kept)
    left, right = (frame.at_x(end) for end in found["interval"])
    return tag(
        "g",
        tag("title", f"{row}: {drift(found)} nats a token, {kept:.1f} % kept"),
        tag("line", x1=left, x2=right, y1=y, y2=y),
        marker(colour_of(colour), x, y, 5),
        class_=f"point row-{colour_of(colour)}",
    )


def _bars(result: DriftResult) -> str:
    """One bar per row for each kind of text, with its interval."""
    rows, kinds = list(result["rows"]), list(result["titles"])
    line, gap = 22.0, 44.0
    width, height = 640.0, 20 + len(kinds) * (gap + line * len(rows))
    margin = 30 + 8.0 * max(len(row) for row in rows)
    most = 1.05 * max([1e-6, *(result["rows"][row][kind]["forward"]["interval"][1] for row in rows for kind in kinds)])
    frame = Frame(margin, 0, width - 80, height, (0.0, most), (0.0, 1.0))
    drawn = [tag("style", style_sheet())]
    y = 10.0
    for kind in kinds:
        drawn.append(tag("text", result["titles"][kind], class_="label", x=10, y=y + 16))
        y += gap - line / 2
        for colour, row in enumerate(rows, start=1):
            found = result["rows"][row][kind]["forward"]
            low, high = (frame.at_x(end) for end in found["interval"])
            long = frame.at_x(found["mean"]) - frame.left
            drawn.append(
                tag(
                    "g",
                    tag("title", f"{row}: {drift(found)} nats a token"),
                    tag("text", row, class_="name", x=margin - 10, y=y + 4, text_anchor="end"),
                    tag("rect", class_="bar", x=frame.left, y=y - 6, width=long, height=12),
                    tag("line", class_="whisker", x1=low, x2=high, y1=y, y2=y),
                    tag("text", f"{found['mean']:.3f}", class_="tick", x=high + 6, y=y + 4),
                    class_=f"row-{colour_of(colour)}",
                )
            )
            y += line
        y += line / 2
    return svg(width, height, f"{WAYS['forward']} in nats a token, {result['recipe']}", drawn)
