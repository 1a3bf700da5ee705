"""Markers: the colour and shape that a row has in every chart, table and heading, and keys that explain them.

The colours stand in `templates/colours.css`, where they can be told apart by readers who do not see red or green; the
shapes are for everybody who sees no colour at all.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup

from dragoman.report.figures.charts import tag

COLOURS = 8  # that the style sheet has for rows; the backbone keeps the first for itself
SIGN = 8.1  # mean width of a letter of a name, in the widest of its fonts
LINE = 20.0  # height of a line of a key
_ARM = 0.4  # half the width of a cross's arms
_REACH = 1.4  # of the furthest corner of any shape, for a radius of 1

Corner = tuple[float, float]


def colour_of(place: int) -> int:
    """The index of the colour and shape of the row at a place; with many rows they repeat, but not the backbone's."""
    return place if place < COLOURS else 1 + (place - 1) % (COLOURS - 1)


def _turned(corners: Sequence[Corner], degrees: float) -> tuple[Corner, ...]:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple((x * cos - y * sin, x * sin + y * cos) for x, y in corners)


_SQUARE: tuple[Corner, ...] = ((-0.87, -0.87), (0.87, -0.87), (0.87, 0.87), (-0.87, 0.87))
_TRIANGLE: tuple[Corner, ...] = ((0.0, -1.25), (1.15, 0.8), (-1.15, 0.8))
_ROOF: tuple[Corner, ...] = ((-_ARM, -_ARM), (-_ARM, -1.25), (_ARM, -1.25))  # a third of an arm of a cross
_CROSS = tuple(corner for quarter in range(4) for corner in _turned(_ROOF, 90 * quarter))
_STAR = tuple(_turned([(0.0, -1.4 if point % 2 == 0 else -0.6)], 36 * point)[0] for point in range(10))
_SHAPES: Sequence[Sequence[Corner]] = (
    (),  # a circle
    _SQUARE,
    _TRIANGLE,
    _turned(_SQUARE, 45),
    _turned(_TRIANGLE, 180),
    _CROSS,
    _STAR,
    _turned(_CROSS, 45),
)
"""The corners of each row's marker, around the origin, about as large as a circle of radius 1."""


def marker(colour: int, x: float, y: float, radius: float) -> Markup:
    """A row's marker; its colour comes from the class of what it is put in."""
    corners = _SHAPES[colour]
    if not corners:
        return tag("circle", class_="marker", cx=x, cy=y, r=radius)
    points = " ".join(f"{radius * right:.1f},{radius * down:.1f}" for right, down in corners)
    return tag("polygon", class_="marker", points=points, transform=f"translate({x:.2f} {y:.2f})")


def style_of_dots() -> str:
    """A style sheet that gives each `.dot` in a heading the shape of its row's marker."""
    rules = [".dot { clip-path: circle(36%); }"]
    for colour, corners in enumerate(_SHAPES):
        places = ", ".join(f"{50 + 50 * x / _REACH:.0f}% {50 + 50 * y / _REACH:.0f}%" for x, y in corners)
        rules += [f".row-{colour} .dot {{ clip-path: polygon({places}); }}"] if corners else []
    return "\n".join(rules)


def key(rows: Sequence[tuple[str, int]], left: float, top: float, width: float) -> tuple[list[Markup], float]:
    """The names of rows beside their markers, in as many lines as it takes; and the height of that."""
    drawn, x, y = [], left, top
    for name, colour in rows:
        shown = fitted(name, width - 18)
        wide = 18 + SIGN * len(shown)
        if x > left and x + wide > left + width:
            x, y = left, y + LINE
        label = tag("text", shown, class_="name", x=x + 16, y=y + LINE - 6)
        drawn.append(tag("g", marker(colour, x + 6, y + LINE - 10, 5), label, class_=f"point row-{colour}"))
        x += wide + 14
    return drawn, y + LINE - top


def fitted(name: str, width: float) -> str:
    """The name, or its two ends if it is wider than that."""
    most = max(5, int(width / SIGN))
    if len(name) <= most:
        return name
    return f"{name[: (most - 1) // 2]}…{name[-(most // 2) :]}"
