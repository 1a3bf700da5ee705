"""Panels: small pictures side by side, one per benchmark, with bars by language or curves over an option's values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dragoman.report.figures.charts import Frame, Interval, apart, padded, svg, tag, ticks
from dragoman.report.phrases import spread

ACROSS = 3  # side by side
WIDTH, TOP, TALL = 760.0, 64.0, 250.0  # of the picture, of what stands above the first line, and of a line
ASIDE = 3.5  # between the intervals of two curves at one place
WIDELY = 30  # times the least value, from which on an axis is logarithmic
LETTER, NAME = 6.6, 8.1  # mean width of a letter of a legend, and of a curve's name


@dataclass(frozen=True, slots=True)
class Value:
    """A score with its interval, both in percent."""

    score: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Kind:
    """What the bars or curves of one colour are; `colour` is the row's index."""

    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class Bars:
    """One picture: groups side by side, each with a bar for each kind, or none if there is no score."""

    title: str
    groups: Sequence[tuple[str, Sequence[Value | None]]]
    reference: float | None = None
    """The height of a dotted line."""


@dataclass(frozen=True, slots=True)
class Curves:
    """One picture: a curve for each kind, through the values that it has."""

    title: str
    lines: Sequence[Sequence[tuple[float, Value]]]
    reference: float | None = None


def bars(panels: Sequence[Bars], kinds: Sequence[Kind], title: str, reference: str = "", style: str = "") -> Markup:
    """Panels with bars, each on a scale of its own, from 0. `reference` explains the dotted lines.

    With a `style` sheet the picture can stand alone.
    """
    drawn: list[Markup] = []
    for panel, (left, top) in zip(panels, _places(len(panels)), strict=True):
        tops = [value.interval[1] for _, some in panel.groups for value in some if value]
        tops += [panel.reference] if panel.reference is not None else []
        high = max(10, 10 * math.ceil(max(tops, default=0) / 10))
        frame = Frame(left + 40, top + 26, left + _step(len(panels)) - 12, top + TALL - 40, (0, 1), (0, high))
        drawn += [*_ruled(frame, panel.title), *_groups(frame, panel, kinds), *_dotted(frame, panel.reference)]
    return _picture(len(panels), drawn, kinds, title, reference, style)


def curves(
    panels: Sequence[Curves], kinds: Sequence[Kind], title: str, x_label: str, reference: str = "", style: str = ""
) -> Markup:
    """Panels with curves, each on a scale of its own, all with the same x axis: logarithmic if values lie far apart."""
    values = sorted({x for panel in panels for line in panel.lines for x, _ in line})
    place = math.log10 if values[0] > 0 and values[-1] >= WIDELY * values[0] else float
    places = [place(x) for x in values]
    across = padded(places, 0.06, 0.0) if len(places) > 1 else (places[0] - 1, places[0] + 1)
    names = 14 + NAME * max(len(kind.name) for kind in kinds)  # room for them beside the curves
    drawn: list[Markup] = []
    for panel, (left, top) in zip(panels, _places(len(panels)), strict=True):
        ends = [end for line in panel.lines for _, value in line for end in value.interval]
        ends += [panel.reference] if panel.reference is not None else []
        low, high = padded(ends, 0.1, 2.0)
        within = (max(0.0, low), min(max(100.0, *ends), high))
        frame = Frame(left + 40, top + 26, left + _step(len(panels)) - names, top + TALL - 40, across, within)
        drawn += [*_ruled(frame, panel.title), *_dotted(frame, panel.reference)]
        for x in values:
            at = frame.at_x(place(x))
            drawn.append(tag("line", class_="notch", x1=at, x2=at, y1=frame.bottom, y2=frame.bottom + 4))
            drawn.append(tag("text", f"{x:g}", class_="tick", x=at, y=frame.bottom + 18, text_anchor="middle"))
        drawn.append(tag("text", x_label, class_="tick", x=frame.right, y=frame.bottom + 34, text_anchor="end"))
        drawn += _lines(frame, [[(place(x), value) for x, value in line] for line in panel.lines], kinds)
    return _picture(len(panels), drawn, kinds, title, reference, style)


def _step(count: int) -> float:
    """The width of a panel."""
    return WIDTH / min(ACROSS, max(2, count))


def _places(count: int) -> list[tuple[float, float]]:
    """The left and upper edge of each panel."""
    return [(place % ACROSS * _step(count), TOP + place // ACROSS * TALL) for place in range(count)]


def _picture(
    count: int, panels: Sequence[Markup], kinds: Sequence[Kind], title: str, reference: str, style: str
) -> Markup:
    drawn = [tag("style", style)] if style else []
    drawn.append(tag("text", title, class_="label", x=8, y=18))
    drawn += [*_legend([kind for kind in kinds if kind.name], reference), *panels]
    return svg(WIDTH, TOP + TALL * math.ceil(count / ACROSS), title, drawn)


def _legend(kinds: Sequence[Kind], reference: str) -> list[Markup]:
    drawn, x = [], 8.0
    for kind in kinds:
        drawn.append(tag("rect", class_=f"bar row-{kind.colour}", x=x, y=32, width=11, height=11, rx=2))
        drawn.append(tag("text", kind.name, class_="label", x=x + 17, y=42))
        x += 17 + LETTER * len(kind.name) + 18
    if reference:
        drawn.append(tag("line", class_="dotted", x1=x, x2=x + 22, y1=38, y2=38))
        drawn.append(tag("text", reference, class_="label", x=x + 29, y=42))
    return drawn


def _ruled(frame: Frame, title: str) -> list[Markup]:
    drawn = [tag("text", title, class_="head", x=frame.left, y=frame.top - 10)]
    for value in ticks(*frame.y, 4):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        drawn.append(tag("text", f"{value:g}", class_="tick", x=frame.left - 7, y=y + 4, text_anchor="end"))
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom))
    return drawn


def _dotted(frame: Frame, height: float | None) -> list[Markup]:
    if height is None:
        return []
    y = frame.at_y(height)
    return [tag("line", class_="dotted", x1=frame.left, x2=frame.right, y1=y, y2=y)]


def _groups(frame: Frame, panel: Bars, kinds: Sequence[Kind]) -> list[Markup]:
    room = (frame.right - frame.left) / len(panel.groups)
    wide = min(30.0, 0.84 * room / len(kinds))
    drawn = []
    for place, (name, values) in enumerate(panel.groups):
        middle = frame.left + room * (place + 0.5)
        drawn.append(tag("text", name, class_="tick", x=middle, y=frame.bottom + 18, text_anchor="middle"))
        for at, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            if value:
                left = middle + wide * (at - len(kinds) / 2)
                drawn.append(_bar(frame, f"{kind.name}, {name}", kind.colour, value, left, wide))
    return drawn


def _bar(frame: Frame, name: str, colour: int, value: Value, left: float, wide: float) -> Markup:
    top, (low, high) = frame.at_y(value.score), (frame.at_y(end) for end in value.interval)
    x = left + wide / 2
    return tag(
        "g",
        tag("title", _told(name, value)),
        tag("rect", class_="bar", x=left + 1, y=top, width=wide - 2, height=max(0.0, frame.bottom - top), rx=1.5),
        tag("line", class_="whisker row-0", x1=x, x2=x, y1=low, y2=high),
        class_=f"row-{colour}",
    )


def _lines(frame: Frame, lines: Sequence[Sequence[tuple[float, Value]]], kinds: Sequence[Kind]) -> list[Markup]:
    """The curves, and their names at their ends, moved apart if they would overlap."""
    drawn, ends = [], []
    shown = [(kind, line) for kind, line in zip(kinds, lines, strict=True) if line]
    for at, (kind, line) in enumerate(shown):
        aside = ASIDE * (at - (len(shown) - 1) / 2)
        places = [(frame.at_x(x) + aside, frame.at_y(value.score)) for x, value in line]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(tag("polyline", class_=f"curve row-{kind.colour}", points=corners))
        for (x, y), (_, value) in zip(places, line, strict=True):
            low, high = (frame.at_y(end) for end in value.interval)
            told = tag("title", _told(kind.name, value))
            bar, dot = tag("line", x1=x, x2=x, y1=low, y2=high), tag("circle", cx=x, cy=y, r=4)
            drawn.append(tag("g", told, bar, dot, class_=f"point row-{kind.colour}"))
        ends.append((kind, places[-1][1]))
    for (kind, _), y in zip(ends, apart([y for _, y in ends], 14.0), strict=True):
        drawn.append(tag("text", kind.name, class_=f"name row-{kind.colour}", x=frame.right + 6, y=y + 4))
    return drawn


def _told(name: str, value: Value) -> str:
    return f"{name}: {value.score:.1f} %, 95 % interval {spread(value.interval)}"
