"""Charts as inline SVG, drawn by hand: a few shapes and some text, everything escaped.

Colours come from the page's style sheet through classes (`row-0`, `segment-1`, …), so that a picture follows the
reader's light or dark setting.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

Interval = tuple[float, float]

NARROW = 360.0  # width of a picture whose text can be read on a phone
MOST = 400  # corners of a line
TICK = 7.3  # mean width of a letter of a tick's label, in the widest of its fonts
GAP = 8.0  # between a tick's label and the frame


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
    """Round numbers within the bounds, about this many."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * factor for factor in (1, 2, 2.5, 5, 10) if scale * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * k, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def padded(values: Sequence[float], share: float = 0.12, least: float = 1.0) -> Interval:
    """Bounds around the values, with some margin."""
    low, high = min(values), max(values)
    air = max((high - low) * share, least)
    return low - air, high + air


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle in the picture, and the values at its edges."""

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


def room_for_ticks(y: Interval, about: int = 5, unit: str = "") -> float:
    """How much room the labels that `axes` writes need to the left of a frame with these values."""
    return GAP + TICK * max(len(f"{value:g}{unit}") for value in ticks(*y, about))


def axes(frame: Frame, x_label: str, y_label: str, about_x: int = 6, about_y: int = 5, unit: str = "") -> list[Markup]:
    """Lines and numbers around a frame, and the labels of its two axes."""
    drawn = []
    for value in ticks(*frame.y, about_y):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        drawn.append(tag("text", f"{value:g}{unit}", class_="tick", x=frame.left - GAP, y=y + 4, text_anchor="end"))
    for value in ticks(*frame.x, about_x):
        x = frame.at_x(value)
        drawn.append(tag("line", class_="notch", x1=x, x2=x, y1=frame.bottom, y2=frame.bottom + 4))
        drawn.append(tag("text", f"{value:g}", class_="tick", x=x, y=frame.bottom + 18, text_anchor="middle"))
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=frame.right, y1=frame.bottom, y2=frame.bottom))
    drawn.append(tag("text", x_label, class_="label", x=frame.right, y=frame.bottom + 36, text_anchor="end"))
    drawn.append(tag("text", y_label, class_="label", x=frame.left, y=frame.top - 14))
    return drawn


@cache
def style_sheet() -> str:
    """The colours and lines of all pictures, for one that stands alone."""
    folder = Path(__file__).parents[1] / "templates"
    return "".join((folder / name).read_text(encoding="utf-8") for name in ("colours.css", "charts.css"))


def svg(width: float, height: float, title: str, children: Sequence[Markup]) -> Markup:
    """A picture with a title for those who cannot see it."""
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
class Curve:
    """A loss over the steps; `dashes` is the index of its kind of segment.

    With `dots`, every point was measured on the same text, and is shown as it is.
    """

    name: str
    points: Sequence[tuple[float, float]]
    dashes: int
    dots: bool = False

    @property
    def shown(self) -> list[float]:
        """The values of its line: their running mean, since every step is of other text; or as they are."""
        values = [y for _, y in self.points]
        return values if self.dots else running_mean(values)


def curves(
    lines: Sequence[Curve],
    colour: int,
    top: float | None = None,
    measure: str = "loss",
    title: str = "Loss of each segment over the steps",
    digits: int = 2,
) -> Markup:
    """One row's losses by step, or another measure: the values, faint, and their running mean, with the last value
    beside the name. The row gives the colour, a kind of segment its dashes. A curve with dots has no mean: the dots
    are joined.
    """
    width, height = NARROW, 240.0
    steps = [x for line in lines for x, _ in line.points]
    values = [y for line in lines for _, y in line.points]
    frame = Frame(40, 34, width - 118, height - 48, (0, max(steps)), (0, 1.05 * (top or max(values)) or 1.0))
    drawn = axes(frame, "step", measure, about_x=4, about_y=4)
    ends: list[float] = []
    for line in lines:
        joined = _path(frame, [(x, y) for (x, _), y in zip(line.points, line.shown, strict=True)])
        if not line.dots:
            drawn.append(tag("polyline", class_=f"raw row-{colour}", points=_path(frame, line.points)))
        drawn.append(tag("polyline", class_=f"curve row-{colour} dashes-{line.dashes}", points=joined))
        for x, y in line.points if line.dots else ():
            place = {"cx": frame.at_x(x), "cy": frame.at_y(min(y, frame.y[1]))}
            drawn.append(tag("circle", class_=f"measured row-{colour}", r=3, **place))
        ends.append(frame.at_y(min(line.shown[-1], frame.y[1])))
    for line, y in zip(lines, apart(ends, 17.0), strict=True):
        label = f"{line.name} {line.shown[-1]:.{digits}f}"
        drawn.append(tag("text", label, class_=f"name row-{colour}", x=frame.right + 6, y=y + 4))
    return svg(width, height, title, drawn)


def _path(frame: Frame, points: Sequence[tuple[float, float]]) -> str:
    """The corners of a line; for a long training only every so many-th step, and the last, so that a page stays
    small.
    """
    every = math.ceil(len(points) / MOST)
    shown = [*points[:-1:every], *points[-1:]]
    return " ".join(f"{frame.at_x(x):.1f},{frame.at_y(min(y, frame.y[1])):.1f}" for x, y in shown)


def running_mean(values: Sequence[float]) -> list[float]:
    """The mean of each value and its neighbours, a fortieth of all on either side."""
    reach = max(1, len(values) // 40)
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved so that no two are nearer than `gap`, in the same order."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    return moved


def lengths(bins: Sequence[tuple[int, int]], colour: int) -> Markup:
    """The number of texts of each length; a bin is named by the number of tokens at which it begins."""
    width, height = NARROW, 210.0
    total = sum(count for _, count in bins)
    shares = [100 * count / total for _, count in bins]
    frame = Frame(50, 34, width - 12, height - 48, (0, len(bins)), (0, 1.08 * max(shares)))
    drawn = []
    for value in ticks(*frame.y, 4):
        y = frame.at_y(value)
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=frame.right, y1=y, y2=y))
        drawn.append(tag("text", f"{value:g} %", class_="tick", x=frame.left - 8, y=y + 4, text_anchor="end"))
    gap = 1.5
    every = math.ceil(len(bins) / 9)  # more names than that would run into each other
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
    return svg(width, height, "Lengths of the rationales", drawn)


def kept_bar(retention: float, interval: Interval, colour: int) -> Markup:
    """A small bar from 0 to the retention with its interval; the hairline is the backbone's 100 %."""
    width, height, full = 120.0, 12.0, 100.0
    scale = full / 125.0 * width / 100.0

    def at(value: float) -> float:
        return min(max(value, 0.0), 125.0) * scale

    return svg(
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


def part_bar(share: float, colour: int) -> Markup:
    """A small bar for a share from 0 to 1; the number is written beside it."""
    width = 120.0
    filled = width * min(max(share, 0.0), 1.0)
    return tag(
        "svg",
        tag("rect", class_="trough", x=0, y=2, width=width, height=4, rx=2),
        tag("rect", class_=f"bar row-{colour}", x=0, y=2, width=filled, height=4, rx=2),
        viewBox=f"0 0 {width:g} 8",
        xmlns="http://www.w3.org/2000/svg",
        aria_hidden="true",
        class_="chart",
    )
