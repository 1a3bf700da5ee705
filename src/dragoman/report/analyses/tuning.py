"""The search of a learning rate, shown: in the terminal, as Markdown, and as a picture."""

import math
from collections.abc import Sequence

from markupsafe import Markup
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman.analysis.results import TriedRate, TuneResult
from dragoman.report.figures.charts import Frame, style_sheet, svg, tag, ticks

STATES = {
    "chosen": "taken",
    "as good": "as good as the best",
    "worse": "",
    "astray": "went astray",
}
STYLES = {"chosen": "bold green", "as good": "green", "worse": "", "astray": "red"}


def show(result: TuneResult, console: Console) -> None:
    """Prints a line for each rate, and how the numbers were made."""
    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for title in ("rate", "validation loss", "drift, nats a token", "seconds", ""):
        table.add_column(title, justify="left" if not title or title == "rate" else "right", no_wrap=bool(title))
    for one in result["rates"]:
        table.add_row(*(Text(cell) for cell in _cells(result, one)), style=STYLES[one["state"]])
    console.print(table)
    for sentence in remarks(result):
        console.print(Text(sentence), soft_wrap=True)


def _cells(result: TuneResult, one: TriedRate) -> tuple[str, ...]:
    loss = "–" if one["loss"] is None else f"{result['before']:.3f} → {one['loss']:.3f}"
    drift = "–" if one["drift"] is None else f"{one['drift']:.4f}"
    return one["written"], loss, drift, f"{one['seconds']:.0f}", STATES[one["state"]]


def remarks(result: TuneResult) -> list[str]:
    """How the numbers were made, and what they cannot tell."""
    said = [
        f"{result['row']} learnt from {result['pairs']:,} of {result['of']:,} records in {result['steps']:,} steps; "
        f"a run takes about {result['run_steps']:,}. Validation loss: mean over the tokens of {result['held_out']:,} "
        "held-out pairs, of the backbone and after training."
    ]
    if result["prompts"]:
        said.append(f"Drift: KL(backbone || trained) along the backbone's own answers to {result['prompts']} prompts.")
    else:
        said.append("There are no general prompts to measure drift on: of rates that are as good, the lowest is taken.")
    if result["steps"] < result["run_steps"]:
        said.append(
            "A run has more steps, so it gets further at each rate: take this one as the highest that is worth trying, "
            "not the lowest."
        )
    taken = next(one for one in result["rates"] if one["state"] == "chosen")
    if taken["loss"] is not None and taken["loss"] >= result["before"]:
        said.append("No rate lowered the validation loss: look at the data before you train.")
    return said


def markdown(result: TuneResult) -> str:
    """The same as a Markdown document."""
    lines = [f"# The learning rate of {result['recipe']}: {result['chosen']}", ""]
    lines += ["| rate | validation loss | drift, nats a token | seconds | |", "|---|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(_cells(result, one))} |" for one in result["rates"]]
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in remarks(result))]) + "\n"


def picture(result: TuneResult) -> str:
    """Two curves over the rate: the validation loss, and drift if it was measured; the rate that is taken is marked."""
    width, height = 420.0, 300.0
    rates = [math.log10(one["rate"]) for one in result["rates"]]
    across = (min(rates) - 0.15, max(rates) + 0.15)
    panels = [
        ("validation loss", [(one, one["loss"], one["loss_interval"]) for one in result["rates"]], result["before"]),
        ("drift, nats a token", [(one, one["drift"], one["drift_interval"]) for one in result["rates"]], None),
    ]
    drawn = [tag("style", style_sheet())]
    shown = [panel for panel in panels if any(value is not None for _, value, _ in panel[1])]
    for number, (title, points, before) in enumerate(shown):
        left = number * width
        ends = [end for _, value, spread in points if value is not None for end in (spread or [value])]
        ends += [before] if before is not None else [0.0]
        air = 0.08 * (max(ends) - min(ends)) or 0.1
        frame = Frame(left + 62, 44, left + width - 20, height - 52, across, (min(ends) - air, max(ends) + air))
        drawn += [*_ruled(frame, title, result["rates"]), *_curve(frame, points)]
        if before is not None:
            y = frame.at_y(before)
            drawn.append(tag("line", class_="dotted", x1=frame.left, x2=frame.right, y1=y, y2=y))
            drawn.append(tag("text", "backbone", class_="tick", x=frame.right, y=y - 5, text_anchor="end"))
    return svg(width * len(shown), height, f"Learning rates of {result['recipe']}: {result['chosen']} is taken", drawn)


def _ruled(frame: Frame, title: str, rates: Sequence[TriedRate]) -> list[Markup]:
    drawn = [tag("text", title, class_="head", x=frame.left, y=frame.top - 18)]
    for value in ticks(*frame.y, 4):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        drawn.append(tag("text", f"{value:g}", class_="tick", x=frame.left - 8, y=y + 4, text_anchor="end"))
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom))
    free = -math.inf
    for one in rates:
        x = frame.at_x(math.log10(one["rate"]))
        drawn.append(tag("line", class_="notch", x1=x, x2=x, y1=frame.bottom, y2=frame.bottom + 4))
        if x >= free or one["state"] == "chosen":
            look = "label" if one["state"] == "chosen" else "tick"
            drawn.append(tag("text", one["written"], class_=look, x=x, y=frame.bottom + 18, text_anchor="middle"))
            free = x + 34
        if one["state"] == "astray":
            drawn.append(tag("text", "×", class_="name row-1", x=x, y=frame.top + 4, text_anchor="middle"))
        if one["state"] == "chosen":
            drawn.append(tag("line", class_="dotted", x1=x, x2=x, y1=frame.top, y2=frame.bottom))
    drawn.append(tag("text", "learning rate", class_="tick", x=frame.right, y=frame.bottom + 36, text_anchor="end"))
    return drawn


def _curve(frame: Frame, points: Sequence[tuple[TriedRate, float | None, list[float] | None]]) -> list[Markup]:
    known = [(one, value, spread) for one, value, spread in points if value is not None]
    places = [(frame.at_x(math.log10(one["rate"])), frame.at_y(value)) for one, value, _ in known]
    drawn = [
        tag("polyline", class_="curve row-1", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places)),
    ]
    for (x, y), (one, value, spread) in zip(places, known, strict=True):
        low, high = (frame.at_y(end) for end in spread or (value, value))
        told = tag("title", f"{one['written']}: {value:.4f}")
        whisker, dot = tag("line", x1=x, x2=x, y1=low, y2=high), tag("circle", cx=x, cy=y, r=4)
        good = one["state"] in ("chosen", "as good")
        drawn.append(tag("g", told, whisker, dot, class_=f"point row-{2 if good else 1}"))
    return drawn
