"""Figure 1 of the paper: skill learnt on the x axis, abilities kept on the y axis, a point for each row.

Small dots are the trainings with single seeds. Names are placed where they cover neither each other nor a point, as
close to their own as they can; a hairline leads to a name that had to go further away. Where there is no room for all,
as on a phone, a key below the frame has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dragoman.report import abilities, translation
from dragoman.report.figures.charts import NARROW, Frame, Interval, axes, padded, room_for_ticks, svg, tag
from dragoman.report.figures.markers import COLOURS, SIGN, colour_of, key, marker
from dragoman.report.phrases import plain
from dragoman.scoring.scorecard.schema import Ability, Row, Score, Scorecard, ends

Box = tuple[float, float, float, float]  # left, top, right, bottom

WIDTH, HEIGHT = 640.0, 440.0
TALL = 15.0  # height of a name
_TURNS = ((1, -1), (-1, -1), (1, 1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))
_REACHES = (9.0, 18.0, 30.0, 46.0, 66.0, 90.0, 120.0)


@dataclass(frozen=True, slots=True)
class Point:
    """A row in the plane of skill and retention; `colour` is the row's index."""

    name: str
    x: float
    x_interval: Interval
    y: float
    y_interval: Interval
    colour: int
    seeds: tuple[tuple[float, float], ...] = ()
    """The points of single trainings, if there are several."""


def skill_title(card: Scorecard) -> str:
    """The label of the x axis: translation, or the first skill if no translation was judged."""
    if translation.translated(card):
        return f"translation, {translation.metric_title(card, translation.main(card))}"
    return next((f"{plain(skill)}, % passed" for skill in abilities.skills(card)), "")


def skill_of(card: Scorecard, row: Row) -> Score | Ability | None:
    """A row's score on the x axis; None if it was not judged."""
    if translation.translated(card):
        return translation.group_score(row, "all", translation.main(card))
    found = next((row["skills"].get(skill) for skill in abilities.skills(card)), None)
    return found if found and found["score"] is not None and found["interval"] else None


def points_of(card: Scorecard) -> list[Point]:
    """The rows that have a score and a retention."""
    found = (_point(row, skill_of(card, row), colour_of(place)) for place, row in enumerate(card["rows"]))
    return [point for point in found if point]


def _point(row: Row, score: Score | Ability | None, colour: int) -> Point | None:
    skill, kept = score and score["score"], row["retention"]
    if score is None or skill is None or kept is None:
        return None
    seeds = zip(score["seeds"], row["retention_seeds"], strict=True) if len(row["seeds"]) > 1 else ()
    return Point(
        name=row["name"],
        x=skill,
        x_interval=ends(score["interval"] or [skill, skill]),
        y=kept,
        y_interval=ends(row["retention_interval"] or [kept, kept]),
        colour=colour,
        seeds=tuple((x, y) for x, y in seeds if x is not None),
    )


def plane(
    points: Sequence[Point],
    noise: float | None,
    x_label: str,
    y_label: str,
    style: str = "",
    *,
    narrow: bool = False,
    joined: Sequence[Sequence[Point]] = (),
) -> Markup:
    """Skill to the right, abilities kept upwards, with error bars; the noise floor is a band around 100 %.

    With a `style` sheet the picture can stand alone. A `narrow` one is for a phone. Through points that are `joined`
    leads a line, in their order and the first one's colour.
    """
    width, height = (NARROW, 380.0) if narrow else (WIDTH, HEIGHT)
    xs = [value for point in points for value in (point.x, *point.x_interval, *(x for x, _ in point.seeds))]
    ys = [value for point in points for value in (point.y, *point.y_interval, *(y for _, y in point.seeds))]
    low, high = padded([*ys, 100.0], 0.1, 4.0)
    kept = (0.0 if low < 60 else low, high)
    left = max(52.0, room_for_ticks(kept, unit=" %"))
    frame = Frame(left, 40, width - 16, height - 50, padded(xs, 0.14, 1.0), kept)
    drawn = [tag("style", style)] if style else []
    written: list[Box] = []
    if noise:
        top, bottom = frame.at_y(min(100 + noise, frame.y[1])), frame.at_y(max(100 - noise, frame.y[0]))
        drawn.append(
            tag("rect", class_="noise", x=frame.left, y=top, width=frame.right - frame.left, height=bottom - top)
        )
        drawn.append(tag("text", "noise floor", class_="tick", x=frame.left + 6, y=bottom + 14))
        written = [(frame.left, bottom, frame.left + 76, bottom + 18)]
    drawn += axes(frame, x_label, y_label, about_x=4 if narrow else 6, unit=" %")
    for some in joined:
        corners = " ".join(f"{frame.at_x(point.x):.1f},{frame.at_y(point.y):.1f}" for point in some)
        drawn.append(tag("polyline", class_=f"curve row-{some[0].colour} dashes-2", points=corners))
    drawn += [dot for point in points for dot in _dots(frame, point)]
    drawn += [_cross(frame, point, x_label) for point in points]
    names, free = _names(frame, points, written)
    if len(points) <= COLOURS and (narrow or not free):
        names, tall = key([(point.name, point.colour) for point in points], 8, height, width - 16)
        height += tall
    return svg(width, height, f"{y_label} against {x_label}", [*drawn, *names])


def _dots(frame: Frame, point: Point) -> list[Markup]:
    return [
        tag("circle", class_=f"seed row-{point.colour}", cx=frame.at_x(x), cy=frame.at_y(y), r=2.4)
        for x, y in point.seeds
    ]


def _cross(frame: Frame, point: Point, x_label: str) -> Markup:
    x, y = frame.at_x(point.x), frame.at_y(point.y)
    left, right, bottom, top = _reach(frame, point)
    return tag(
        "g",
        tag("title", f"{point.name}: {x_label} {point.x:.1f}, {point.y:.1f} % kept"),
        tag("line", x1=left, x2=right, y1=y, y2=y),
        tag("line", x1=x, x2=x, y1=bottom, y2=top),
        marker(point.colour, x, y, 6),
        class_=f"point row-{point.colour}",
    )


def _reach(frame: Frame, point: Point) -> tuple[float, float, float, float]:
    """The ends of the error bars: left, right, bottom, top."""
    left, right = (frame.at_x(end) for end in point.x_interval)
    bottom, top = (frame.at_y(min(max(end, frame.y[0]), frame.y[1])) for end in point.y_interval)
    return left, right, bottom, top


def _names(frame: Frame, points: Sequence[Point], written: Sequence[Box]) -> tuple[list[Markup], bool]:
    """All names, and the hairlines to those that are far from their points; and whether all are free to read."""
    solid = [*written]
    solid += [box for point in points for box in _solid(frame, point)]
    thin = [box for point in points for box in _bars(frame, point)]
    drawn, free = [], True
    for point in sorted(points, key=lambda point: (-point.y, point.x)):
        x, y = frame.at_x(point.x), frame.at_y(point.y)
        box = _place(frame, x, y, SIGN * len(point.name), solid, thin)
        free &= _outside(frame, box) == 0 and not any(_shared(box, other) for other in solid)
        solid.append(box)
        near = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
        if abs(near[0] - x) + abs(near[1] - y) > 30:
            drawn.append(tag("line", class_=f"leader row-{point.colour}", x1=x, y1=y, x2=near[0], y2=near[1]))
        drawn.append(tag("text", point.name, class_=f"name row-{point.colour}", x=box[0], y=box[3] - 4))
    return drawn, free


def _place(frame: Frame, x: float, y: float, width: float, solid: Sequence[Box], thin: Sequence[Box]) -> Box:
    """The free place for a name that is nearest to its point; if none is free, the one that covers least."""
    best: tuple[float, Box] | None = None
    for reach in _REACHES:
        for turn, (right, down) in enumerate(_TURNS):
            left = x + reach if right > 0 else x - reach - width if right < 0 else x - width / 2
            top = y - TALL / 2 + down * reach
            box = (left, top, left + width, top + TALL)
            cost = 50 * _outside(frame, box) + sum(4 * _shared(box, other) for other in solid)
            cost += sum(3 * _shared(box, other) for other in thin) + reach + turn
            if best is None or cost < best[0]:
                best = (cost, box)
    assert best is not None
    return best[1]


def _outside(frame: Frame, box: Box) -> float:
    """How far a box reaches beyond the frame, and the room above it."""
    across = max(0.0, frame.left - box[0]) + max(0.0, box[2] - frame.right)
    return across + max(0.0, 18 - box[1]) + max(0.0, box[3] - frame.bottom)


def _solid(frame: Frame, point: Point) -> list[Box]:
    places = [(frame.at_x(point.x), frame.at_y(point.y), 7.0)]
    places += [(frame.at_x(x), frame.at_y(y), 3.0) for x, y in point.seeds]
    return [(x - r, y - r, x + r, y + r) for x, y, r in places]


def _bars(frame: Frame, point: Point) -> list[Box]:
    x, y = frame.at_x(point.x), frame.at_y(point.y)
    left, right, bottom, top = _reach(frame, point)
    return [(left, y - 1.5, right, y + 1.5), (x - 1.5, top, x + 1.5, bottom)]


def _shared(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0
