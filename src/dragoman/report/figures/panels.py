"""Panels: small pictures side by side, one per benchmark, with bars by language or curves over an option's values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dragoman.report.figures.charts import NARROW, Frame, Interval, apart, padded, svg, tag, ticks
from dragoman.report.figures.markers import SIGN, marker
from dragoman.report.phrases import spread

ACROSS = 3  # side by side
WIDTH, TALL = 760.0, 250.0  # of the picture, and of a line of panels
ASIDE = 3.5  # between the intervals of two curves at one place
WIDELY = 30  # times the least value, from which on an axis is logarithmic
LETTER = 6.8  # mean width of a letter of a legend


@dataclass(frozen=True, slots=True)
class Value:
    """A score with its interval, both in percent."""

    score: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Kind:
    """What the bars or curves of one colour are. `colour` is a row's index; where they are no rows, a `mark`'s."""

    name: str
    colour: int
    mark: bool = False

    @property
    def css(self) -> str:
        return f"{'segment' if self.mark else 'row'}-{self.colour}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where panels stand below a title and a legend: three side by side, or one below the other on a phone."""

    count: int
    narrow: bool
    top: float
    """The height of what stands above the first panel."""

    @property
    def across(self) -> int:
        return 1 if self.narrow else ACROSS

    @property
    def width(self) -> float:
        return NARROW if self.narrow else WIDTH

    @property
    def height(self) -> float:
        return self.top + TALL * math.ceil(self.count / self.across)

    @property
    def step(self) -> float:
        """The width of a panel."""
        return self.width / min(self.across, max(2, self.count))

    @property
    def places(self) -> list[tuple[float, float]]:
        """The left and upper edge of each panel."""
        across = self.across
        return [(place % across * self.step, self.top + place // across * TALL) for place in range(self.count)]


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


def bars(
    panels: Sequence[Bars],
    kinds: Sequence[Kind],
    title: str,
    reference: str = "",
    style: str = "",
    *,
    narrow: bool = False,
) -> Markup:
    """Panels with bars, each on a scale of its own, from 0. `reference` explains the dotted lines.

    With a `style` sheet the picture can stand alone. A `narrow` one is for a phone.
    """
    layout, head = _headed(len(panels), kinds, title, reference, narrow)
    drawn: list[Markup] = []
    for panel, (left, top) in zip(panels, layout.places, strict=True):
        tops = [value.interval[1] for _, some in panel.groups for value in some if value]
        tops += [panel.reference] if panel.reference is not None else []
        high = max(10, 10 * math.ceil(max(tops, default=0) / 10))
        frame = Frame(left + 40, top + 26, left + layout.step - 12, top + TALL - 40, (0, 1), (0, high))
        drawn += [*_ruled(frame, panel.title), *_groups(frame, panel, kinds), *_dotted(frame, panel.reference)]
    return _picture(layout, [*head, *drawn], title, style)


def curves(
    panels: Sequence[Curves],
    kinds: Sequence[Kind],
    title: str,
    x_label: str,
    reference: str = "",
    style: str = "",
    *,
    narrow: bool = False,
) -> Markup:
    """Panels with curves, each on a scale of its own, all with the same x axis: logarithmic if values lie far apart."""
    layout, head = _headed(len(panels), kinds, title, reference, narrow)
    values = sorted({x for panel in panels for line in panel.lines for x, _ in line})
    place = math.log10 if values[0] > 0 and values[-1] >= WIDELY * values[0] else float
    places = [place(x) for x in values]
    across = padded(places, 0.06, 0.0) if len(places) > 1 else (places[0] - 1, places[0] + 1)
    names = 14 + SIGN * max(len(kind.name) for kind in kinds)  # room for them beside the curves
    drawn: list[Markup] = []
    for panel, (left, top) in zip(panels, layout.places, strict=True):
        ends = [end for line in panel.lines for _, value in line for end in value.interval]
        ends += [panel.reference] if panel.reference is not None else []
        low, high = padded(ends, 0.1, 2.0)
        within = (max(0.0, low), min(max(100.0, *ends), high))
        frame = Frame(left + 40, top + 26, left + layout.step - names, top + TALL - 40, across, within)
        drawn += [*_ruled(frame, panel.title), *_dotted(frame, panel.reference)]
        for x in values:
            at = frame.at_x(place(x))
            drawn.append(tag("line", class_="notch", x1=at, x2=at, y1=frame.bottom, y2=frame.bottom + 4))
            drawn.append(tag("text", f"{x:g}", class_="tick", x=at, y=frame.bottom + 18, text_anchor="middle"))
        drawn.append(tag("text", x_label, class_="tick", x=frame.right, y=frame.bottom + 34, text_anchor="end"))
        drawn += _lines(frame, [[(place(x), value) for x, value in line] for line in panel.lines], kinds)
    return _picture(layout, [*head, *drawn], title, style)


def _headed(count: int, kinds: Sequence[Kind], title: str, reference: str, narrow: bool) -> tuple[Layout, list[Markup]]:
    """Where everything goes; and the title and the legend, in as many lines as it takes."""
    right = (NARROW if narrow else WIDTH) - 8
    drawn = [tag("text", title, class_="label", x=8, y=18)]
    x, y = 8.0, 42.0
    named = [(kind.name, kind) for kind in kinds if kind.name]
    for name, kind in [*named, *([(reference, None)] if reference else [])]:
        wide = (17 if kind else 29) + LETTER * len(name)
        if x > 8 and x + wide > right:
            x, y = 8.0, y + 18
        if kind:
            drawn.append(tag("rect", class_=f"bar {kind.css}", x=x, y=y - 10, width=11, height=11, rx=2))
        else:
            drawn.append(tag("line", class_="dotted", x1=x, x2=x + 22, y1=y - 4, y2=y - 4))
        drawn.append(tag("text", name, class_="label", x=x + (17 if kind else 29), y=y))
        x += wide + 18
    return Layout(count, narrow, y + 22), drawn


def _picture(layout: Layout, drawn: Sequence[Markup], title: str, style: str) -> Markup:
    styled = [tag("style", style)] if style else []
    return svg(layout.width, layout.height, title, [*styled, *drawn])


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
                drawn.append(_bar(frame, f"{kind.name}, {name}", kind.css, value, left, wide))
    return drawn


def _bar(frame: Frame, name: str, css: str, value: Value, left: float, wide: float) -> Markup:
    top, (low, high) = frame.at_y(value.score), (frame.at_y(end) for end in value.interval)
    x = left + wide / 2
    return tag(
        "g",
        tag("title", _told(name, value)),
        tag("rect", class_="bar", x=left + 1, y=top, width=wide - 2, height=max(0.0, frame.bottom - top), rx=1.5),
        tag("line", class_="whisker row-0", x1=x, x2=x, y1=low, y2=high),
        class_=css,
    )


def _lines(frame: Frame, lines: Sequence[Sequence[tuple[float, Value]]], kinds: Sequence[Kind]) -> list[Markup]:
    """The curves, and their names at their ends, moved apart if they would overlap."""
    drawn, ends = [], []
    shown = [(kind, line) for kind, line in zip(kinds, lines, strict=True) if line]
    for at, (kind, line) in enumerate(shown):
        aside = ASIDE * (at - (len(shown) - 1) / 2)
        places = [(frame.at_x(x) + aside, frame.at_y(value.score)) for x, value in line]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(tag("polyline", class_=f"curve {kind.css}", points=corners))
        for (x, y), (_, value) in zip(places, line, strict=True):
            low, high = (frame.at_y(end) for end in value.interval)
            told = tag("title", _told(kind.name, value))
            bar, dot = tag("line", x1=x, x2=x, y1=low, y2=high), marker(kind.colour, x, y, 4)
            drawn.append(tag("g", told, bar, dot, class_=f"point {kind.css}"))
        ends.append((kind, places[-1][1]))
    for (kind, _), y in zip(ends, apart([y for _, y in ends], 14.0), strict=True):
        drawn.append(tag("text", kind.name, class_=f"name {kind.css}", x=frame.right + 6, y=y + 4))
    return drawn


def _told(name: str, value: Value) -> str:
    return f"{name}: {value.score:.1f} %, 95 % interval {spread(value.interval)}"
