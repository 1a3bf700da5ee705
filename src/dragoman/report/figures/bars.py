"""Horizontal bars of shares with their intervals, and a dot for each part that makes up the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dragoman.report.figures.charts import Frame, Interval, svg, tag, ticks
from dragoman.report.phrases import spread


@dataclass(frozen=True, slots=True)
class Bar:
    """A share in percent with its interval; `dots` are the shares of single parts, by name."""

    name: str
    share: float
    interval: Interval
    dots: Sequence[tuple[str, float]] = ()


def bars(rows: Sequence[Bar], title: str, dots: str = "", style: str = "", colour: int = 2) -> Markup:
    """One bar below the other. `dots` explains the dots; with a `style` sheet the picture can stand alone."""
    width, step, left, top = 680.0, 34.0, 200.0, 44.0
    height = top + step * len(rows) + 44
    frame = Frame(left, top, width - 110, top + step * len(rows), (0.0, 100.0), (0.0, 1.0))
    drawn = [tag("style", style)] if style else []
    drawn.append(tag("text", title, class_="label", x=8, y=18))
    for value in ticks(0, 100, 5):
        x = frame.at_x(value)
        drawn.append(tag("line", class_="grid", x1=x, x2=x, y1=frame.top, y2=frame.bottom))
        drawn.append(tag("text", f"{value:g} %", class_="tick", x=x, y=frame.bottom + 18, text_anchor="middle"))
    drawn += [_row(frame, row, top + step * (place + 0.5), colour) for place, row in enumerate(rows)]
    drawn.append(tag("line", class_="axis", x1=left, x2=left, y1=frame.top, y2=frame.bottom))
    if dots:
        drawn.append(tag("text", dots, class_="tick", x=frame.right, y=frame.bottom + 36, text_anchor="end"))
    return svg(width, height, title, drawn)


def _row(frame: Frame, row: Bar, y: float, colour: int) -> Markup:
    low, high = (frame.at_x(end) for end in row.interval)
    end = frame.at_x(row.share)
    said = f"{row.share:.0f} %"
    marks = [
        tag("circle", tag("title", f"{name}: {share:.0f} %"), cx=frame.at_x(share), cy=y + 10, r=3.2)
        for name, share in row.dots
    ]
    return tag(
        "g",
        tag("title", f"{row.name}: {said}, 95 % interval {spread(row.interval, 0)}"),
        tag("text", row.name, class_="label", x=frame.left - 10, y=y + 2, text_anchor="end"),
        tag("rect", class_=f"bar row-{colour}", x=frame.left, y=y - 9, width=end - frame.left, height=12, rx=2),
        tag("line", class_="whisker row-0", x1=low, x2=high, y1=y - 3, y2=y - 3),
        tag("g", *marks, class_="point row-0"),
        tag("text", said, class_="label", x=frame.right + 14, y=y + 2),
        tag("text", spread(row.interval, 0), class_="tick", x=frame.right + 56, y=y + 2),
    )
