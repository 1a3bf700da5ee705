"""Pictures side by side, and the sweeps that they are made of."""

from itertools import pairwise
from xml.etree import ElementTree

from dragoman.report.figures.panels import Bars, Curves, Kind, Value, bars, curves
from dragoman.report.figures.sweeps import picture, sweeps
from tests.report.crossalpaca_card import crossalpaca_card, rows

SVG = "{http://www.w3.org/2000/svg}"


def found(drawn: str, name: str, kind: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(drawn)
    return [one for one in root.iter(f"{SVG}{name}") if kind in one.get("class", "").split()]


def test_bars_are_as_high_as_their_scores() -> None:
    values = [Value(20, (10, 30)), None, Value(40, (35, 48))]
    drawn = bars([Bars("<qa>", [("de", values)], 45.0)], [Kind("a", 1), Kind("b", 2), Kind("c", 3)], "t", "en")
    legend, first, second = (
        found(drawn, "rect", "bar")[:3],
        *(float(one.get("height", "")) for one in found(drawn, "rect", "bar")[3:]),
    )
    assert len(legend) == 3
    assert second == 2 * first
    (line,) = [
        one for one in found(drawn, "line", "dotted") if one.get("x1") != one.get("x2") and one.get("y1") != "38"
    ]
    tall = 250 - 40 - 26
    assert float(line.get("y1", "")) == round(64 + 26 + tall * (1 - 45 / 50), 2)
    assert "&lt;qa&gt;" in drawn


def test_curves_leave_out_what_has_no_value() -> None:
    line = [(0.0, Value(20, (10, 30))), (100.0, Value(40, (30, 50)))]
    drawn = curves([Curves("qa", [line, []])], [Kind("de", 1), Kind("it", 2)], "t", "share")
    (curve,) = found(drawn, "polyline", "curve")
    (x, y), (right, higher) = (map(float, corner.split(",")) for corner in curve.get("points", "").split())
    assert right > x
    assert higher < y
    assert [text.text for text in found(drawn, "text", "name")] == ["de"]


def test_names_at_the_ends_of_curves_do_not_cover_each_other() -> None:
    lines = [[(0.0, Value(20, (10, 30))), (1.0, Value(40 + at / 10, (30, 50)))] for at in range(3)]
    drawn = curves([Curves("qa", lines)], [Kind(name, at) for at, name in enumerate("abc")], "t", "share")
    places = sorted(float(text.get("y", "")) for text in found(drawn, "text", "name"))
    assert min(b - a for a, b in pairwise(places)) >= 13.9


def test_rows_that_differ_in_one_option_are_a_sweep() -> None:
    made = {sweep.key: sweep for sweep in sweeps(rows())}
    assert list(made) == ["de-cross-amount", "de-cross-directions", "it-cross-amount", "it-cross-directions"]
    amount = made["it-cross-amount"]
    assert amount.numeric
    assert dict(amount.rows) == {0.25: "it-cross-0.25", 0.5: "it-cross-0.5", 0.75: "it-cross-0.75", 1.0: "it-cross"}
    assert dict(made["de-cross-directions"].rows) == {
        "both": "de-cross",
        "en-x": "de-cross-en-x",
        "x-en": "de-cross-x-en",
    }
    assert sweeps({"a": ("radis", {"share": 0.5}), "b": ("radis", {"share": 1.0})}) == []


def test_a_sweep_is_drawn_over_all_that_was_judged() -> None:
    amount, directions, *_ = sweeps(rows())
    drawn = picture(crossalpaca_card(), amount)
    assert drawn is not None
    assert [text.text for text in found(drawn, "text", "head")] == [
        "qa, %",
        "choice, %",
        "reasoning, %",
        "kept of all (RP), %",
    ]
    assert len(found(drawn, "polyline", "curve")) == 3 * 3 + 1
    drawn = picture(crossalpaca_card(), directions)
    assert drawn is not None
    assert len(found(drawn, "rect", "bar")) == 3 + 3 * (3 * 3 + 1)
    assert picture(crossalpaca_card() | {"rows": crossalpaca_card()["rows"][:2]}, amount) is None


def test_settings_that_lie_far_apart_are_drawn_at_equal_ratios() -> None:
    rates = {"a": 1e-5, "b": 1e-4, "c": 1e-3}
    (sweep,) = sweeps(
        {row: ("vanilla", {"training.learning_rate": rate, "limit": None}) for row, rate in rates.items()}
    )
    assert (sweep.key, dict(sweep.rows)) == ("a-learning_rate", {rate: row for row, rate in rates.items()})
    drawn = curves(
        [Curves("qa", [[(rate, Value(20, (10, 30))) for rate in rates.values()]])], [Kind("", 1)], "t", "rate"
    )
    (curve,) = found(drawn, "polyline", "curve")
    left, middle, right = (float(corner.split(",")[0]) for corner in curve.get("points", "").split())
    assert abs((middle - left) - (right - middle)) < 0.2
    assert right - left > 100
