"""A row at several strengths, shown: in the terminal, as Markdown, and as a picture."""

from dataclasses import replace

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dragoman.analysis.results import ScaleResult, Strength
from dragoman.report.figures.charts import style_sheet
from dragoman.report.figures.figure1 import plane, points_of
from dragoman.report.phrases import number, signed, spread
from dragoman.scoring.scorecard.schema import Scorecard
from dragoman.terminal import visible


def unscaled(row: str) -> str:
    """The name of a row at strength 0, where that is not the backbone."""
    return f"{row}-scale=0"


def show(result: ScaleResult, console: Console) -> None:
    """Prints a line for each strength, and what was picked."""
    table = Table(box=SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0))
    for place, title in enumerate(_titles(result)):
        heading = Text(title.replace(", ", ",\n"))  # so that all fits into 80 columns
        table.add_column(heading, justify="left" if place in (0, 4) else "right", no_wrap=True)
    for one in result["strengths"]:
        picked = _picked(result, one)
        table.add_row(*map(Text, _cells(result, one)), style="bold green" if picked else "")
    console.print(table)
    for sentence in remarks(result):
        console.print(Text(sentence), soft_wrap=True)


def markdown(result: ScaleResult) -> str:
    """The same as a Markdown document."""
    lines = [f"# {result['row']} of {result['recipe']} at several strengths", ""]
    lines += [f"| {' | '.join(_titles(result))} |", "|---|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(_cells(result, one))} |" for one in result["strengths"]]
    return "\n".join([*lines, "", *(f"- {sentence}" for sentence in remarks(result))]) + "\n"


def picture(card: Scorecard, result: ScaleResult) -> str | None:
    """The skill against the abilities kept: a point for each strength, joined from the backbone on.

    None if one of the two was not judged.
    """
    points = {point.name: point for point in points_of(card)}
    named = [
        replace(points[one["row"]], name=one["row"] if _is_backbone(result, one) else f"{one['strength']:g}")
        for one in result["strengths"]
        if one["row"] in points
    ]
    if not named:
        return None
    return visible(plane(named, result["noise"], result["skill"], "abilities kept", style_sheet(), joined=[named]))


def remarks(result: ScaleResult) -> list[str]:
    """What was picked, by which rule, and how the numbers were made."""
    keep, picked = f"{100 * result['keep']:g} %", result["picked"]
    seen = result["strengths"][1:]
    if picked is not None:
        said = [f"Picked: {picked:g}, the highest strength that keeps {keep} by the lower end of its 95 % interval."]
    elif all(one["kept_interval"] is None for one in seen):
        said = ["Nothing is picked: no ability was judged of which the backbone has any."]
    else:
        best = max(seen, key=lambda one: one["kept_interval"][0] if one["kept_interval"] else 0.0)
        least = number((best["kept_interval"] or [0.0])[0])
        said = [
            f"Nothing is picked: no strength keeps {keep} by the lower end of its 95 % interval; the best is "
            f"{best['strength']:g}, with {least} %. Try lower ones (--strengths 0.1,0.2), ask for less "
            "(pick.keep=0.95), or ask more questions (evaluation.questions), which makes the intervals narrower."
        ]
    if result["by_layer"]:
        said.append(
            "Strengths are those of the first layer, and of all that is in none; they rise evenly to 1, which is what "
            "was trained, at the last."
        )
    else:
        apart = result["strengths"][0]["row"] == unscaled(result["row"])
        said.append(f"Strength 0 is {'what it started from' if apart else 'the backbone'}, 1 what was trained.")
    if result["noise"] is not None:
        moves = f"Asked other questions, the backbone itself moves by {number(result['noise'])} points of RP"
        said.append(f"{moves}{_within_noise(result, result['noise'])}.")
    return said


def _within_noise(result: ScaleResult, noise: float) -> str:
    """Which decisions of the pick are closer than the noise floor: that for what is picked, and those against more."""
    near, picked = [], result["picked"]
    for one in result["strengths"][1:]:
        if one["kept_interval"] and (picked is None or one["strength"] >= picked):
            spare = one["kept_interval"][0] - 100 * result["keep"]
            if abs(spare) < noise:
                how = f"passes by {number(spare)}" if one["keeps"] else f"misses by {number(-spare)}"
                near.append(f"{one['strength']:g} {how}")
    if near:
        what = "That nothing is picked" if picked is None else "The pick"
        more = "more questions (evaluation.questions) make it firmer"
        return f". {what} hangs on a smaller difference ({', '.join(near)}); {more}"
    return "" if picked is None else "; the pick hangs on more than that"


def _titles(result: ScaleResult) -> tuple[str, ...]:
    return "strength", result["skill"] or "skill", "gained", "kept of all (RP), %", ""


def _cells(result: ScaleResult, one: Strength) -> tuple[str, ...]:
    first = _is_backbone(result, one)
    state = "picked" if _picked(result, one) else "" if first or one["keeps"] else "too little"
    return (
        one["row"] if first and result["by_layer"] else f"{one['strength']:g}",
        _within(number(one["skill"]), one["skill_interval"]),
        _within(signed(one["gain"]), one["gain_interval"]),
        _within(number(one["kept"]), one["kept_interval"]),
        state,
    )


def _is_backbone(result: ScaleResult, one: Strength) -> bool:
    return one is result["strengths"][0]


def _picked(result: ScaleResult, one: Strength) -> bool:
    return one["strength"] == result["picked"] and not _is_backbone(result, one)


def _within(score: str, interval: list[float] | None) -> str:
    return f"{score} ({spread(interval)})" if interval else score
