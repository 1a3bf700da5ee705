"""Figure 1: what stands where, and that names can be read."""

from itertools import combinations
from xml.etree import ElementTree

import pytest

from dragoman.report.figures.charts import NARROW, TICK
from dragoman.report.figures.figure1 import HEIGHT, TALL, WIDTH, Point, plane
from dragoman.report.figures.markers import SIGN
from tests.report.svg import SVG, centre, markers


def names(root: ElementTree.Element) -> dict[str, tuple[float, float]]:
    found = (text for text in root.iter(f"{SVG}text") if "name" in text.get("class", ""))
    return {text.text or "": (float(text.get("x", "nan")), float(text.get("y", "nan"))) for text in found}


def test_better_stands_to_the_right_and_more_kept_above() -> None:
    points = [
        Point("backbone", 40.0, (38.0, 42.0), 100.0, (100.0, 100.0), 0),
        Point("<i>vanilla</i>", 60.0, (58.0, 62.0), 30.0, (25.0, 35.0), 1),
    ]
    root = ElementTree.fromstring(plane(points, 3.0, "skill", "kept"))
    (left, high), (right, low) = map(centre, markers(root))
    assert left < right
    assert high < low
    band = next(rect for rect in root.iter(f"{SVG}rect"))
    assert float(band.get("y", "nan")) < high < float(band.get("y", "nan")) + float(band.get("height", "nan"))
    assert "<i>vanilla</i>" in names(root)
    assert "<i>vanilla</i>: skill 60.0, 30.0 % kept" in [title.text for title in root.iter(f"{SVG}title")]
    assert not list(ElementTree.fromstring(plane(points, None, "skill", "kept")).iter(f"{SVG}rect"))


@pytest.mark.parametrize("spread", [0.0, 0.4, 1.5])
def test_names_of_points_close_together_cover_neither_each_other_nor_a_point(spread: float) -> None:
    """Eight rows in one place, or nearly; a wide one apart keeps the frame."""
    labels = ["vanilla", "radis", "seq_kd", "sdft_rewrite", "multitask", "radis-weaker", "radis-stronger", "radis-half"]
    points = [
        Point(name, 60 + spread * i, (59 + spread * i, 61 + spread * i), 90 - spread * i, (88, 92), i % 8)
        for i, name in enumerate(labels)
    ]
    points.append(Point("backbone", 30.0, (28, 32), 100.0, (100, 100), 0))
    root = ElementTree.fromstring(plane(points, 2.0, "skill", "kept"))
    boxes = {name: (x, y - TALL + 4, x + SIGN * len(name), y + 4) for name, (x, y) in names(root).items()}
    assert len(boxes) == 9
    for one, other in combinations(boxes.values(), 2):
        assert not (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])
    for x, y in map(centre, markers(root)):
        assert not [name for name, box in boxes.items() if box[0] < x < box[2] and box[1] < y < box[3]]
    assert all(box[0] >= 0 and box[2] <= WIDTH for box in boxes.values())


@pytest.mark.parametrize("narrow", [True, False])
def test_names_that_have_no_room_stand_in_a_key_below_the_frame(narrow: bool) -> None:
    """On a phone, and where eight long names would cover each other."""
    labels = [f"radis-with-{what}-rationales-of-a-stronger-and-larger-model-of-the-same-family" for what in "abcdefg"]
    points = [Point(name, 60.0, (59, 61), 90.0, (88, 92), at + 1) for at, name in enumerate(labels)]
    points.append(Point("backbone", 30.0, (28, 32), 100.0, (100, 100), 0))
    root = ElementTree.fromstring(plane(points, 2.0, "skill", "kept", narrow=narrow))
    assert len(markers(root)) == 2 * len(points)  # in the frame and in the key
    places = names(root)
    assert min(y for _, y in places.values()) > (380 if narrow else HEIGHT)
    width, height = (float(part) for part in root.get("viewBox", "").split()[2:])
    assert width == (NARROW if narrow else WIDTH)
    assert max(y for _, y in places.values()) < height
    assert all(x + SIGN * len(name) <= width for name, (x, _) in places.items())
    assert len(places) == 8  # shortened names differ


@pytest.mark.parametrize(("kept", "widest"), [(30.0, "100 %"), (97.0, "102.5 %"), (100.0, "102 %")])
def test_there_is_room_for_the_longest_tick(kept: float, widest: str) -> None:
    points = [
        Point("backbone", 40.0, (38.0, 42.0), 100.0, (100.0, 100.0), 0),
        Point("radis", 60.0, (58.0, 62.0), kept, (kept - 1, kept + 1), 1),
    ]
    root = ElementTree.fromstring(plane(points, None, "skill", "kept"))
    ticks = {text.text or "": text for text in root.iter(f"{SVG}text") if text.get("text-anchor") == "end"}
    labels = {label: float(text.get("x", "nan")) for label, text in ticks.items() if label.endswith(" %")}
    assert widest in labels
    assert min(end - TICK * len(label) for label, end in labels.items()) >= 0
    assert {text.get("class") for label, text in ticks.items() if label in labels} == {"tick"}


def test_each_training_is_a_small_dot_beside_the_mean() -> None:
    seeds = ((49.0, 88.0), (50.0, 90.0), (51.0, 92.0))
    point = Point("radis", 50.0, (48.0, 52.0), 90.0, (87.0, 93.0), 2, seeds)
    root = ElementTree.fromstring(plane([point], None, "skill", "kept"))
    dots = [circle for circle in root.iter(f"{SVG}circle") if circle.get("class") == "seed row-2"]
    places = [(float(dot.get("cx", "nan")), float(dot.get("cy", "nan"))) for dot in dots]
    (mean,) = markers(root)
    assert places[1] == centre(mean)
    assert places[0][0] < places[1][0] < places[2][0]
    assert places[0][1] > places[1][1] > places[2][1]
