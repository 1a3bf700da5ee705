"""Pictures as inline SVG, drawn by hand: a few shapes and some text, everything escaped.

Colours come from the page's style sheet through classes (`row-0`, `segment-1`, …), so that a
picture follows the reader's light or dark setting.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Interval = tuple[float, float]


def tag(name: str, *children: str, **attributes: str | float) -> Markup:
    """An element. Text children and attribute values are escaped; `class_` and `stroke_width` name attributes."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value)) for key, value in attributes.items()
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inside)


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers within the bounds, about so many."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * factor for factor in (1, 2, 2.5, 5, 10) if scale * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * k, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def padded(values: Sequence[float], share: float = 0.12, least: float = 1.0) -> Interval:
    """Bounds around the values, with some air."""
    low, high = min(values), max(values)
    air = max((high - low) * share, least)
    return low - air, high + air


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of the picture, and the values at its edges."""

    left: float
    top: float
    right: float
    bottom: float
    x: Interval
    y: Interval

    def at_x(self, value: float) -> float:
        return self.left + (value - self.x[0]) / (self.x[1] - self.x[0]) * (self.right - self.left)

    def at_y(self, value: float) -> float:
        return self.bottom - (value - self.y[0]) / (self.y[1] - self.y[0]) * (self.bottom - self.top)


def _axes(frame: Frame, x_label: str, y_label: str, about_x: int = 6, about_y: int = 5, unit: str = "") -> list[Markup]:
    drawn = []
    for value in ticks(*frame.y, about_y):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        drawn.append(tag("text", f"{value:g}{unit}", class_="tick", x=frame.left - 8, y=y + 4, text_anchor="end"))
    for value in ticks(*frame.x, about_x):
        x = frame.at_x(value)
        drawn.append(tag("line", class_="notch", x1=x, x2=x, y1=frame.bottom, y2=frame.bottom + 4))
        drawn.append(tag("text", f"{value:g}", class_="tick", x=x, y=frame.bottom + 18, text_anchor="middle"))
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom))
    drawn.append(tag("text", x_label, class_="label", x=frame.right, y=frame.bottom + 36, text_anchor="end"))
    drawn.append(tag("text", y_label, class_="label", x=frame.left, y=frame.top - 14))
    return drawn


def _svg(width: float, height: float, title: str, children: Sequence[Markup]) -> Markup:
    return tag(
        "svg",
        tag("title", title),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        class_="chart",
    )


@dataclass(frozen=True, slots=True)
class Point:
    """A row of the table in the plane of skill and retention; `colour` counts the rows."""

    name: str
    x: float
    x_interval: Interval
    y: float
    y_interval: Interval
    colour: int


def plane(points: Sequence[Point], noise: float | None, x_label: str, y_label: str, style: str = "") -> Markup:
    """Skill to the right, abilities kept upwards, with error bars; the noise floor is a band around 100 %.

    With a `style` sheet inside, the picture stands on its own.
    """
    width, height = 640.0, 420.0
    xs = [value for point in points for value in (point.x, *point.x_interval)]
    ys = [value for point in points for value in (point.y, *point.y_interval)]
    low, high = padded([*ys, 100.0], 0.1, 4.0)
    frame = Frame(52, 40, width - 16, height - 50, padded(xs, 0.14, 1.0), (0.0 if low < 60 else low, high))
    drawn = [tag("style", style)] if style else []
    if noise:
        top, bottom = frame.at_y(min(100 + noise, frame.y[1])), frame.at_y(max(100 - noise, frame.y[0]))
        drawn.append(
            tag("rect", class_="noise", x=frame.left, y=top, width=frame.right - frame.left, height=bottom - top)
        )
        drawn.append(tag("text", "noise floor", class_="tick", x=frame.left + 6, y=bottom + 14))
    drawn += _axes(frame, x_label, y_label, unit=" %")
    taken: list[Interval] = []
    for point in sorted(points, key=lambda point: -point.y):
        drawn.append(_cross(frame, point))
        drawn.append(_name(frame, point, taken))
    return _svg(width, height, f"{y_label} against {x_label}", drawn)


def _cross(frame: Frame, point: Point) -> Markup:
    x, y = frame.at_x(point.x), frame.at_y(point.y)
    left, right = (frame.at_x(end) for end in point.x_interval)
    bottom, top = (frame.at_y(min(max(end, frame.y[0]), frame.y[1])) for end in point.y_interval)
    tip = f"{point.name}: {point.x:.1f} chrF++, {point.y:.1f} % kept"
    return tag(
        "g",
        tag("title", tip),
        tag("line", x1=left, x2=right, y1=y, y2=y),
        tag("line", x1=x, x2=x, y1=bottom, y2=top),
        tag("circle", cx=x, cy=y, r=6),
        class_=f"point row-{point.colour}",
    )


def _name(frame: Frame, point: Point, taken: list[Interval]) -> Markup:
    """The name beside its point, on the side with room, and moved off the names already there."""
    x, y = frame.at_x(point.x), frame.at_y(point.y) - 10
    while any(abs(y - other) < 16 and abs(x - near) < 100 for near, other in taken):
        y += 16
    taken.append((x, y))
    leftwards = x > frame.left + 0.75 * (frame.right - frame.left)
    return tag(
        "text",
        point.name,
        class_=f"name row-{point.colour}",
        x=x - 10 if leftwards else x + 10,
        y=y,
        text_anchor="end" if leftwards else "start",
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """A loss over the steps; `colour` counts the kinds of segments."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int


def curves(lines: Sequence[Curve], top: float | None = None) -> Markup:
    """Losses by step: what was measured, faint, and its running mean, with the last value beside the name."""
    width, height = 520.0, 280.0
    steps = [x for line in lines for x, _ in line.points]
    values = [y for line in lines for _, y in line.points]
    frame = Frame(44, 34, width - 130, height - 48, (0, max(steps)), (0, 1.05 * (top or max(values)) or 1.0))
    drawn = _axes(frame, "step", "loss", about_x=5, about_y=4)
    ends: list[float] = []
    for line in lines:
        smooth = running_mean([y for _, y in line.points])
        raw = " ".join(f"{frame.at_x(x):.1f},{frame.at_y(min(y, frame.y[1])):.1f}" for x, y in line.points)
        mean = " ".join(
            f"{frame.at_x(x):.1f},{frame.at_y(min(y, frame.y[1])):.1f}"
            for (x, _), y in zip(line.points, smooth, strict=True)
        )
        drawn.append(tag("polyline", class_=f"raw segment-{line.colour}", points=raw))
        drawn.append(tag("polyline", class_=f"curve segment-{line.colour}", points=mean))
        ends.append(frame.at_y(min(smooth[-1], frame.y[1])))
    for line, y in zip(lines, apart(ends, 17.0), strict=True):
        last = running_mean([value for _, value in line.points])[-1]
        label = f"{line.name} {last:.2f}"
        drawn.append(tag("text", label, class_=f"name segment-{line.colour}", x=frame.right + 10, y=y + 4))
    return _svg(width, height, "Loss of each segment over the steps", drawn)


def running_mean(values: Sequence[float]) -> list[float]:
    """The mean of each value and its neighbours, a fortieth of all on either side."""
    reach = max(1, len(values) // 40)
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved so that no two are nearer than `gap`; their order stays."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    return moved


def lengths(bins: Sequence[tuple[int, int]], colour: int) -> Markup:
    """How many texts there are of each length; a bin is named by the number of tokens at which it begins."""
    width, height = 520.0, 220.0
    total = sum(count for _, count in bins)
    shares = [100 * count / total for _, count in bins]
    frame = Frame(44, 34, width - 12, height - 48, (0, len(bins)), (0, 1.08 * max(shares)))
    drawn = []
    for value in ticks(*frame.y, 4):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        drawn.append(tag("text", f"{value:g} %", class_="tick", x=frame.left - 8, y=y + 4, text_anchor="end"))
    gap = 1.5
    every = math.ceil(len(bins) / 16)  # more names than that would run into each other
    for place, ((low, count), share) in enumerate(zip(bins, shares, strict=True)):
        left, right, top = frame.at_x(place), frame.at_x(place + 1), frame.at_y(share)
        following = bins[place + 1][0] - 1 if place + 1 < len(bins) else None
        named = f"{low}" if following == low else f"{low}–{following}" if following is not None else f"{low} and more"
        drawn.append(
            tag(
                "rect",
                tag("title", f"{named} tokens: {count:,} ({share:.1f} %)"),
                class_=f"bar row-{colour}",
                x=left + gap,
                y=top,
                width=right - left - 2 * gap,
                height=frame.bottom - top,
            )
        )
        if place % every == 0:
            drawn.append(tag("text", f"{low}", class_="tick", x=left, y=frame.bottom + 18, text_anchor="middle"))
            drawn.append(tag("line", class_="notch", x1=left, x2=left, y1=frame.bottom, y2=frame.bottom + 4))
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom))
    drawn.append(tag("text", "tokens", class_="label", x=frame.right, y=frame.bottom + 36, text_anchor="end"))
    drawn.append(tag("text", "rationales", class_="label", x=frame.left, y=frame.top - 14))
    return _svg(width, height, "Lengths of the rationales", drawn)


def kept_bar(retention: float, interval: Interval, colour: int) -> Markup:
    """A small bar from 0 to the retention with its interval; the hairline is the backbone's 100 %."""
    width, height, full = 120.0, 12.0, 100.0
    scale = full / 125.0 * width / 100.0

    def at(value: float) -> float:
        return min(max(value, 0.0), 125.0) * scale

    return _svg(
        width,
        height,
        f"{retention:.0f} % kept",
        [
            tag("rect", class_="trough", x=0, y=4, width=at(100), height=4, rx=2),
            tag("rect", class_=f"bar row-{colour}", x=0, y=4, width=at(retention), height=4, rx=2),
            tag("line", class_=f"whisker row-{colour}", x1=at(interval[0]), x2=at(interval[1]), y1=6, y2=6),
            tag("line", class_="axis", x1=at(100), x2=at(100), y1=1, y2=11),
        ],
    )
