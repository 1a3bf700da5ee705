"""Drift where users look: the terminal, the page and Markdown; and nowhere among what is kept."""

import copy
import io
import re
from html import unescape
from typing import Any

import pytest
from rich.console import Console

from dragoman.report.page.page import Details, page
from dragoman.report.remarks import remarks
from dragoman.report.tables.readme import markdown
from dragoman.report.terminal import show
from dragoman.report.verdict import verdict
from dragoman.scoring.results import RowResults
from dragoman.suites.drift.suite import DriftResult
from tests.plain_card import Card, scorecard
from tests.report.verdict_card import result

SUMS: dict[str, Any] = {
    "general": {"a": (10.0, 1.0, 2.0), "b": (30.0, 9.0, 4.0)},
    "translation": {"c": (20.0, 11.0, 9.0)},
}
STILL = {kind: {key: (three[0], 0.0, 0.0) for key, three in texts.items()} for kind, texts in SUMS.items()}
LACKING = "its vocabulary is not the backbone's"


def measured(passed: int, drift: DriftResult | None) -> RowResults:
    found = result({"de-en": 0.2}, {"facts": passed})
    return RowResults(found.translation, found.abilities, drift=drift)


ROWS = {
    "backbone": measured(90, DriftResult("KL|x", STILL)),
    "radis": measured(80, DriftResult("KL|x", SUMS)),
    "other": measured(50, DriftResult("KL|x", {}, LACKING)),
}


@pytest.fixture(scope="module")
def card() -> Card:
    return scorecard(ROWS, bootstrap=50)


def without(card: Card) -> Card:
    left = copy.deepcopy(card)
    for row in left["rows"]:
        row.pop("drift", None)
    return left


def shown(card: Card, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(card, console)
    return [line.rstrip() for line in console.file.getvalue().split("\n")]  # type: ignore[attr-defined]


def test_it_is_the_mean_per_token_with_its_making(card: Card) -> None:
    backbone, radis, other = (row["drift"] for row in card["rows"])
    general = radis["kinds"]["general"]
    assert (general["texts"], general["tokens"]) == (2, 40)
    assert general["forward"]["mean"] == pytest.approx(10 / 40)
    assert general["reverse"]["mean"] == pytest.approx(6 / 40)
    assert general["forward"]["interval"] == pytest.approx([1 / 10, 9 / 30])
    assert radis["signature"] == "KL|x|interval:bs:50"
    assert backbone["kinds"]["general"]["forward"]["mean"] == 0
    assert (other["kinds"], other["lacking"]) == ({}, LACKING)
    twice = scorecard({**ROWS, "radis": [ROWS["radis"]] * 2}, bootstrap=50)
    assert twice["rows"][1]["drift"]["kinds"]["general"]["forward"]["seeds"] == pytest.approx([0.25, 0.25])
    assert twice["rows"][1]["drift"]["signature"].endswith("|trainings:2")


def test_what_is_kept_and_the_verdict_know_nothing_of_it(card: Card) -> None:
    plain = scorecard({row: RowResults(one.translation, one.abilities) for row, one in ROWS.items()}, bootstrap=50)
    assert without(card) == plain
    assert verdict(card) == verdict(plain)


def test_it_has_lines_of_its_own_in_the_terminal(card: Card) -> None:
    lines = [line.split() for line in shown(card, 150)]
    assert ["on", "general", "prompts", "0.000", "0.250", "0.100–0.300", "–"] in lines
    assert ["on", "translation", "requests", "0.000", "0.550", "0.550–0.550", "–"] in lines
    narrow = shown(card, 60)
    assert any(line.split() == ["radis", "0.250", "0.550"] for line in narrow)
    assert not [line for line in shown(without(card), 150) if "rift" in line]


def test_a_sentence_says_what_it_is_and_who_has_none(card: Card) -> None:
    said = " ".join(remarks(card))
    assert "on general prompts along the backbone's own answers and on translation requests along the" in said
    assert "0 is the backbone itself, lower is better, and it is no part of RP" in said
    assert f"other has no drift: {LACKING}." in said


def test_it_stands_on_the_page_and_in_markdown(card: Card) -> None:
    html = page(card, Details("moved"))
    (part,) = re.findall(r"Drift from the backbone <small>.*?</tbody>", html, re.DOTALL)
    cells = re.findall(r"<td>(.*?)</td>", unescape(re.sub(r"\s+", " ", part)))
    assert len(cells) == 6
    assert ">0.250<" in cells[1]
    assert "0.100–0.300 · reverse 0.150 · n 2" in cells[1]
    assert LACKING in cells[2]
    assert "| drift on general prompts, nats a token, lower is closer | 0.000 | 0.250 | – |" in markdown(card)
    alone = scorecard({row: RowResults(drift=one.drift) for row, one in ROWS.items()}, bootstrap=50)
    assert "Drift from the backbone <small>" in page(alone, Details("moved"))
    assert "Drift from the backbone" not in page(without(card), Details("still"))
