"""What is said of replay, and what was kept near to it and far from it: in the terminal, in Markdown, on the page."""

import copy

import pytest

from dragoman.report.page.page import Details, page
from dragoman.report.remarks import remarks
from dragoman.report.tables.readme import markdown
from tests.plain_card import Card
from tests.report.test_terminal import line, shown

NEAR = ["arithmetic", "facts"]


@pytest.fixture
def practised(study: Card) -> Card:
    """The eight rows, of which `radis` learnt prompts of two families besides."""
    rows = study["rows"]
    replay = {"prompts": {"lab-requests": {"facts": 40, "arithmetic": 40}, "own": {"": 1000}}, "share": 0.1}
    rows[2]["replay"] = replay | {"near": {"facts": 0, "arithmetic": 0}, "near_families": NEAR, "overlapping": 0}
    far = [name for name in rows[0]["abilities"] if name not in NEAR]
    for place, row in enumerate(rows):
        row["near"] = part(NEAR, 100.0 - 4 * place)
        row["far"] = part(far, 100.0 - 10 * place)
    return study


def part(families: list[str], kept: float) -> dict:
    first = kept == 100
    interval = [kept - (not first), kept + (not first)]
    return {"families": families, "retention": kept, "seeds": [], "interval": interval, "signature": "RP|"}


def test_what_was_kept_near_and_far_stands_below_what_was_kept_of_all(practised: Card) -> None:
    """A file has a row for each measure, in blocks; a terminal a line for each of many models."""
    lines = shown(practised)
    assert line(lines, "near to replay, %") == ["100", "96", "95–97", "92", "91–93"]
    assert line(lines, "far from replay, %") == ["100", "90", "89–91", "80", "79–81"]
    by_row = shown(practised, on_terminal=True)
    apart = next(place for place, one in enumerate(by_row) if "kept apart (RP), %" in one)
    assert line(by_row[apart:], "vanilla") == ["96", "95–97", "90", "89–91"]
    assert max(map(len, by_row)) <= 110


def test_the_remark_names_the_families_and_what_is_not_known(practised: Card) -> None:
    (told,) = [one for one in remarks(practised) if "general prompts" in one]
    assert (
        "RP is shown apart; near are arithmetic and facts, all others far: follow up, harmless, instructions, reading "
        "and refusal. Of what kind 1,000 of own are is not known: any family may have been practised with them."
    ) in told
    for row in practised["rows"]:
        del row["far"]
    (told,) = [one for one in remarks(practised) if "general prompts" in one]
    assert "near are arithmetic and facts, none is far." in told


def test_markdown_and_the_page_have_both(practised: Card) -> None:
    few = copy.deepcopy(practised)
    few["rows"] = few["rows"][:3]
    found = markdown(few)
    assert "| kept near to replay, % | 100 | 96 (95–97) | 92 (91–93) |" in found
    assert "| kept far from replay, % | 100 | 90 (89–91) | 80 (79–81) |" in found
    drawn = page(practised, Details("study"))
    assert "<th>kept near to replay</th>" in drawn
    assert "89–91 · mean of 5" in drawn


def test_without_near_families_nothing_is_shown_apart(study: Card) -> None:
    assert "replay" not in "\n".join([*shown(study), markdown(study), page(study, Details("study"))])
