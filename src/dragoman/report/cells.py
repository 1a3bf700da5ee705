"""Cells of the terminal's tables: a score with its mark, difference and interval."""

from typing import Literal

from rich.text import Text

from dragoman.report import drift
from dragoman.report.abilities import draw_apart, kept_of_before
from dragoman.report.compare import within_noise
from dragoman.report.phrases import number, signed, significant, spread
from dragoman.report.replay import PartName, part_of
from dragoman.scoring.scorecard.schema import Ability, Change, Rate, Row, Score


def brief(found: Score | Ability | None, digits: int = 0) -> Text:
    """The score and its mark; the colour shows the direction of its difference from the first row."""
    if found is None or found["score"] is None:
        return Text("    –", style="dim")
    mark, tint = _mark(found)
    return Text(f"{number(found['score'], digits):>5}{mark}", style="" if found["delta"] is None else tint)


def _mark(found: Score | Ability) -> tuple[str, str]:
    """The mark after a difference from the first row, and its colour."""
    if found["delta"] is None:
        return "", ""
    if significant(found["p"]):
        return "*", "green" if found["delta"] > 0 else "red"
    return "~" if found.get("inside_noise") else "", "dim"


def score(found: Score | Ability | None, digits: int, intervals: bool) -> Text:
    """The score, its difference from the first row's, and its interval, each aligned."""
    if found is None or found["score"] is None:
        return Text("    –", style="dim")
    text = Text(f"{number(found['score'], digits):>5}", style="bold")
    if found["delta"] is not None:
        mark, tint = _mark(found)
        text.append(f" {signed(found['delta'], digits) + mark:<6}", style=f"{tint} not bold")
    return text.append(f" {spread(found['interval'], digits)}", style="dim not bold") if intervals else text


def compared(found: Ability | None, intervals: bool) -> Text:
    """How often a row is preferred to the backbone; coloured if that is more than a draw."""
    if found is None or found["score"] is None:
        return Text("    –", style="dim")
    tint = {1: "green", 0: "dim", -1: "red"}[draw_apart(found)]
    text = Text(f"{number(found['score'], 1):>5}", style=f"bold {tint}")
    return text.append(f" {'':<6} {spread(found['interval'])}", style="dim not bold") if intervals else text


def change(found: Change | None, intervals: bool) -> Text:
    """A mean difference from the first row; coloured by its direction if it is beyond chance."""
    if found is None:
        return Text("    –", style="dim")
    low, high = found["interval"] or (-100.0, 100.0)
    tint = "green" if low > 0 else "red" if high < 0 else "dim"
    text = Text(f"{signed(found['delta']):>5}", style=f"bold {tint}")
    if not intervals or not found["interval"]:
        return text
    return text.append(f"  {signed(low)} to {signed(high)}", style="dim not bold")


def moved(row: Row, kind: str, intervals: bool) -> Text:
    """How far a row has moved from the backbone; the backbone's own 0 is certain."""
    found = drift.drift_on(row, kind)
    if found is None:
        return Text("    –", style="dim")
    mean = found["forward"]["mean"]
    text = Text(f"{number(mean, drift.DIGITS):>5}", style="bold")
    ends = f" {spread(found['forward']['interval'], drift.DIGITS)}" if intervals and mean else ""
    return text.append(ends, style="dim not bold")


def rate(found: Rate | None) -> Text:
    return Text(f"{number(found['rate'] if found else None):>5}", style="dim")


def retention(row: Row, backbone: str, intervals: bool, width: int = 6) -> Text:
    """RP and its mark; `width` is the mark's, by default as wide as the differences above it."""
    text = Text(f"{number(row['retention'], 0):>5}", style="bold")
    if row["name"] == backbone or row["retention"] is None:
        return text
    text.stylize(_tint(row["retention"]))
    text.append(f" {'~' if within_noise(row) else '':<{width}}", style="dim not bold")
    return text.append(f" {spread(row['retention_interval'], 0)}", style="dim not bold") if intervals else text


def part(row: Row, which: PartName | Literal["before"], backbone: str, intervals: bool, width: int = 6) -> Text:
    """RP of the families near to replay, or of those far from it, or as shares of the row before; as wide as RP."""
    found = kept_of_before(row) if which == "before" else part_of(row, which)
    text = Text(f"{number(found['retention'] if found else None, 0):>5}")
    if row["name"] == backbone or found is None:
        return text
    text.stylize(_tint(found["retention"]))
    return text.append(f" {'':<{width}} {spread(found['interval'], 0)}", style="dim not bold") if intervals else text


def _tint(kept: float) -> str:
    return "green" if kept >= 80 else "yellow" if kept >= 50 else "red"


def f1(found: Ability | None) -> Text:
    f1 = found["f1"] if found else None
    return Text(f"{number(f1['score'] if f1 else None, 0):>5}", style="dim")
