"""The frontier of a row: a point for each strength, joined from the backbone on."""

from xml.etree import ElementTree

from dragoman.analysis.results import ScaleResult, Strength
from dragoman.report.analyses.frontier import markdown, picture, remarks
from dragoman.scoring.scorecard.schema import Scorecard
from tests.report.svg import SVG, centre, markers
from tests.report.verdict_card import card

ROWS = {
    "backbone": ({"de-en": 0.5}, {"sums": 90, "facts": 90}),
    "new-scale=0.5": ({"de-en": 0.3}, {"sums": 80, "facts": 88}),
    "new": ({"de-en": 0.1}, {"sums": 40, "facts": 80}),
}


def found(made: Scorecard, picked: float | None = 0.5) -> ScaleResult:
    strengths: list[Strength] = [
        {
            "strength": strength,
            "row": row["name"],
            "skill": 1.0,
            "skill_interval": None,
            "gain": None,
            "gain_interval": None,
            "kept": row["retention"],
            "kept_interval": row["retention_interval"],
            "keeps": strength == picked,
        }
        for strength, row in zip((0.0, 0.5, 1.0), made["rows"], strict=True)
    ]
    return {
        "recipe": "small",
        "backbone": "lab",
        "row": "new",
        "skill": "translation, chrF++",
        "keep": 0.85,
        "by_layer": False,
        "noise": None,
        "strengths": strengths,
        "picked": picked,
    }


def test_points_have_their_strengths_as_names_and_a_line_leads_through_them() -> None:
    made = card(ROWS)
    drawn = picture(made, found(made))
    assert drawn is not None
    root = ElementTree.fromstring(drawn)
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class", "").startswith("name")]
    assert {*names} == {"0.5", "1", "backbone"}
    (line,) = root.iter(f"{SVG}polyline")
    corners = [tuple(map(float, corner.split(","))) for corner in line.get("points", "").split()]
    for corner, place in zip(corners, map(centre, markers(root)), strict=True):
        assert all(abs(one - other) < 0.1 for one, other in zip(corner, place, strict=True))
    assert [x for x, _ in corners] == sorted(x for x, _ in corners)


def test_without_translation_there_is_no_picture() -> None:
    made = card({name: ({}, passed) for name, (_, passed) in ROWS.items()})
    assert picture(made, found(made)) is None


def test_the_table_and_the_rule_are_said() -> None:
    made = card(ROWS)
    lines = markdown(found(made)).splitlines()
    assert lines[0] == "# new of small at several strengths"
    assert lines[2] == "| strength | translation, chrF++ | gained | kept of all (RP), % |  |"
    assert lines[5].startswith("| 0.5 | 1.0 |")
    assert lines[5].endswith("| picked |")
    assert lines[6].endswith("| too little |")
    assert (
        remarks(found(made))[0]
        == "Picked: 0.5, the highest strength that keeps 85 % by the lower end of its 95 % interval."
    )


def test_a_pick_inside_the_noise_floor_says_so() -> None:
    close = found(card(ROWS))
    for one, low in zip(close["strengths"], (100.0, 85.4, 83.8), strict=True):
        one["kept_interval"] = [low, low + 5]
    close["noise"] = 1.5
    moves = "Asked other questions, the backbone itself moves by 1.5 points of RP"
    hangs = ". The pick hangs on a smaller difference (0.5 passes by 0.4, 1 misses by 1.2); more questions "
    assert remarks(close)[-1] == f"{moves}{hangs}(evaluation.questions) make it firmer."
    close["strengths"][1]["kept_interval"] = [86.6, 90.0]
    assert "(1 misses by 1.2)" in remarks(close)[-1]
    close["strengths"][2]["kept_interval"] = [83.4, 90.0]
    assert remarks(close)[-1] == f"{moves}; the pick hangs on more than that."


def test_a_strength_below_the_pick_decides_nothing() -> None:
    close = found(card(ROWS), 1.0)
    for one, low in zip(close["strengths"], (100.0, 85.1, 89.0), strict=True):
        one["kept_interval"] = [low, low + 5]
    close["noise"] = 1.5
    assert remarks(close)[-1].endswith("; the pick hangs on more than that.")
    close["picked"] = None  # and where none is, any of them might have been
    close["strengths"][1]["keeps"] = close["strengths"][2]["keeps"] = False
    close["strengths"][1]["kept_interval"] = [84.6, 90.0]
    assert "That nothing is picked hangs on a smaller difference (0.5 misses by 0.4)" in remarks(close)[-1]


def test_why_nothing_is_picked() -> None:
    made = card(ROWS)
    told = remarks(found(made, None))[0]
    assert told.startswith(
        "Nothing is picked: no strength keeps 85 % by the lower end of its 95 % interval; the best is 0.5, "
    )
    unknown = found(made, None)
    for one in unknown["strengths"]:
        one["kept"] = one["kept_interval"] = None
    assert remarks(unknown)[0] == "Nothing is picked: no ability was judged of which the backbone has any."


def test_strengths_of_the_first_layer_begin_beside_the_backbone() -> None:
    made = card(ROWS)
    rising = found(made, 0.0)
    rising["by_layer"] = True
    for one, strength in zip(rising["strengths"], (0.0, 0.0, 0.5), strict=True):
        one["strength"] = strength
    lines = markdown(rising).splitlines()
    assert lines[4].startswith("| backbone |")
    assert lines[4].endswith("|  |")
    assert lines[5].startswith("| 0 |")
    assert lines[5].endswith("| picked |")
    assert "they rise evenly to 1" in remarks(rising)[1]
    drawn = picture(made, rising)
    assert drawn is not None
    named = ElementTree.fromstring(drawn).iter(f"{SVG}text")
    assert {text.text for text in named if text.get("class", "").startswith("name")} == {"backbone", "0", "0.5"}
