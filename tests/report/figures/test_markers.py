"""Colours and shapes of rows: that they can be told apart, by everybody."""

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

import dragoman.report
from dragoman.report.figures.markers import COLOURS, SIGN, colour_of, fitted, key, marker, style_of_dots
from tests.report.colour_vision import SIGHTS, contrast, difference
from tests.report.svg import centre

SHEET = Path(dragoman.report.__file__).parent / "templates" / "colours.css"
LIGHT, DARK = SHEET.read_text(encoding="utf-8").split("@media")


def test_the_measure_of_difference_is_right() -> None:
    """Red and green of one lightness look alike to those who see neither."""
    assert difference("#ffffff", "#000000", SIGHTS["all colours"]) == pytest.approx(100.0, abs=0.01)
    assert difference("#c46b5c", "#8e8a3f", SIGHTS["all colours"]) > 30
    assert difference("#c46b5c", "#8e8a3f", SIGHTS["deuteranopia"]) < 12
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("sheet", [LIGHT, DARK], ids=["light", "dark"])
def test_eight_rows_can_be_told_apart_and_read(sheet: str) -> None:
    colours = [found for at in range(COLOURS) for found in re.findall(rf"--row-{at}: (#\w{{6}});", sheet)]
    assert len(colours) == COLOURS
    for sight in SIGHTS.values():
        assert min(difference(one, other, sight) for one, other in combinations(colours, 2)) > 13
    (paper,) = re.findall(r"--paper: (#\w{6});", sheet)
    assert min(contrast(colour, paper) for colour in colours) > 4.5


def test_each_row_has_a_shape_of_its_own_in_charts_and_headings() -> None:
    drawn = [ElementTree.fromstring(marker(colour, 10, 20, 6)) for colour in range(COLOURS)]
    assert {centre(one) for one in drawn} == {(10, 20)}
    assert drawn[0].tag == "circle"
    assert len({one.get("points") for one in drawn[1:]}) == COLOURS - 1
    rules = style_of_dots().split("\n")
    assert len(rules) == len({rule.partition("{")[2] for rule in rules}) == COLOURS


def test_with_many_rows_colours_repeat_but_not_the_backbones() -> None:
    assert [colour_of(place) for place in range(17)] == [*range(8), *range(1, 8), 1, 2]


def test_a_key_has_as_many_lines_as_it_takes() -> None:
    drawn, tall = key([("backbone", 0), ("vanilla", 1), ("radis-of-a-stronger-model", 2)], 8, 100, 260)
    texts = [next(group.iter("text")) for group in map(ElementTree.fromstring, drawn)]
    assert [text.get("x") for text in texts][::2] == ["24", "24"]
    assert tall == 40


def test_a_long_name_keeps_both_ends() -> None:
    assert fitted("radis", 100) == "radis"
    short = fitted("radis-with-rationales-of-a-stronger-model", 20 * SIGN)
    assert short == "radis-wit…nger-model"
