"""Pictures: what stands where, and that text stays text."""

from xml.etree import ElementTree

import pytest

from dragoman.report.figures.charts import (
    MOST,
    Curve,
    Frame,
    apart,
    curves,
    kept_bar,
    lengths,
    padded,
    running_mean,
    tag,
    ticks,
)

SVG = "{http://www.w3.org/2000/svg}"


def test_text_and_attributes_are_escaped() -> None:
    drawn = tag("text", "<b>&", tag("tspan", '"'), class_='a"b', stroke_width=1.50)
    assert drawn == '<text class="a&#34;b" stroke-width="1.5">&lt;b&gt;&amp;<tspan>&#34;</tspan></text>'


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (31.2, 58.9, 5, [40, 50]),
        (0, 111, 5, [0, 25, 50, 75, 100]),
        (0, 2.5, 5, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0, 240, 5, [0, 50, 100, 150, 200]),
        (7, 7, 5, [7]),
    ],
)
def test_ticks_are_round(low: float, high: float, about: int, expected: list[float]) -> None:
    assert ticks(low, high, about) == expected


def test_a_frame_maps_values_to_places() -> None:
    frame = Frame(50, 20, 250, 120, x=(0, 10), y=(0, 1))
    assert (frame.at_x(5), frame.at_y(0), frame.at_y(1)) == (150, 120, 20)
    assert padded([10, 20], 0.1, 0.5) == (9, 21)
    assert padded([10, 10], 0.1, 0.5) == (9.5, 10.5)


def test_curves_end_with_name_and_value() -> None:
    lines = [Curve("reference", [(1, 2.0), (2, 1.0), (3, 0.5)], 0), Curve("rationale", [(1, 0.4)], 1)]
    root = ElementTree.fromstring(curves(lines, 2))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "reference 0.75" in texts
    assert "rationale 0.40" in texts
    drawn = [line.get("class") for line in root.iter(f"{SVG}polyline")]
    assert drawn == ["raw row-2", "curve row-2 dashes-0", "raw row-2", "curve row-2 dashes-1"]


def test_of_a_long_training_a_bounded_number_of_steps_is_drawn() -> None:
    line = Curve("loss", [(step, 1 + step % 7) for step in range(1, 5001)], 0)
    root = ElementTree.fromstring(curves([line], 2))
    for drawn in root.iter(f"{SVG}polyline"):
        corners = drawn.get("points", "").split()
        assert len(corners) <= MOST + 1
        assert corners[-1].startswith("242.0,")  # the last step, at the right edge


def test_means_and_distances() -> None:
    assert running_mean([1.0, 2.0, 6.0]) == [1.5, 3.0, 4.0]
    assert apart([10.0, 11.0, 40.0], 5.0) == [10.0, 15.0, 40.0]
    assert apart([11.0, 10.0], 5.0) == [15.0, 10.0]


def test_a_bar_is_as_long_as_what_is_kept() -> None:
    bar = ElementTree.fromstring(kept_bar(50.0, (40.0, 200.0), 2))
    trough, filled = (float(rect.get("width", "nan")) for rect in bar.iter(f"{SVG}rect"))
    assert filled == pytest.approx(trough / 2, abs=0.01)
    whisker = next(line for line in bar.iter(f"{SVG}line") if "whisker" in line.get("class", ""))
    assert float(whisker.get("x2", "nan")) == 120


def test_bars_of_lengths_are_shares_and_named_by_their_bins() -> None:
    root = ElementTree.fromstring(lengths([(16, 50), (24, 150), (32, 0)], 1))
    bars = list(root.iter(f"{SVG}rect"))
    heights = [float(bar.get("height", "nan")) for bar in bars]
    assert heights[0] * 3 == pytest.approx(heights[1], abs=0.05)
    assert heights[2] == 0
    titles = [bar[0].text for bar in bars]
    assert titles == [
        "16–23 tokens: 50 (25.0 %)",
        "24–31 tokens: 150 (75.0 %)",
        "32 and more tokens: 0 (0.0 %)",
    ]
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"16", "24", "32"} <= set(texts)
