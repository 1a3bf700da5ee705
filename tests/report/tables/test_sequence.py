"""The table of skills taught one after the other, on a scorecard made by hand."""

import pytest

from dragoman.report.tables import sequence
from dragoman.report.tables.paper import tables
from dragoman.report.terminal import terminal
from dragoman.screen import console
from tests.plain_card import Card
from tests.report.study_card import study_card

GERMAN, ITALIAN = ("en-de", "de-en"), ("en-it", "it-en")


@pytest.fixture
def card() -> Card:
    """vanilla, then radis, then seq_kd: German, Italian, and the skill."""
    made = study_card(skill=True)
    rows = {row["name"]: row for row in made["rows"]}
    taught = {
        "vanilla": ({"directions": list(GERMAN), "lessons": []}, None),
        "radis": ({"directions": list(ITALIAN), "lessons": []}, "vanilla"),
        "seq_kd": ({"directions": [], "lessons": ["lab-programs"]}, "radis"),
    }
    part = {"families": ["facts"], "retention": 97.0, "seeds": [], "interval": [90.0, 104.0], "signature": "RP"}
    for name, (learnt, before) in taught.items():
        rows[name]["learnt"] = learnt
        if before:
            rows[name]["after"] = {"row": before, "kept": part}
    return made


def test_each_step_of_a_chain_has_a_line_with_op_and_bwt(card: Card) -> None:
    (table,) = tables(card)["sequence"]
    titles = [column.title for column in table.columns]
    assert titles[:5] == ["en↔de", "en↔it", "programs", "OP", "BWT"]
    assert [line.name for line in table.lines] == ["backbone", "vanilla", "radis", "seq_kd"]
    found = {
        line.name: [None if cell.value is None else round(cell.value, 2) for cell in line.cells] for line in table.lines
    }
    assert found["backbone"][:5] == [41.5, 43.5, 12.0, None, None]
    assert found["vanilla"][:5] == [63.5, 65.75, 55.0, 63.5, 0.0]
    assert found["radis"][:5] == [62.55, 64.75, 52.0, round((62.55 + 64.75) / 2, 2), round((62.55 - 63.5) / 2, 2)]
    last = found["seq_kd"]
    assert last[3] == round((46.5 + 48.0 + 18.0) / 3, 2)
    assert last[4] == round(((46.5 - 63.5) + (48.0 - 64.75) + 0) / 3, 2)
    assert (found["vanilla"][-1], last[-1]) == (None, 97.0)


def test_rows_that_learn_from_all_have_one_skill(card: Card) -> None:
    rows = {row["name"]: row for row in card["rows"]}
    for name in ("vanilla", "radis", "seq_kd"):
        del rows[name]["learnt"]
    table = sequence.table(card, {name: name for name in rows})
    assert table
    assert [column.title for column in table.columns][:3] == ["translation", "programs", "OP"]


def test_there_is_none_without_a_chain() -> None:
    assert "sequence" not in tables(study_card())


def test_the_terminal_tells_what_is_kept_of_the_row_before(card: Card) -> None:
    card["rows"] = [row for row in card["rows"] if row["name"] in ("backbone", "vanilla", "radis")]
    card["pairs"] = [pair for pair in card["pairs"] if {pair["row"], pair["other"]} <= {"backbone", "vanilla", "radis"}]
    screen = console(width=140)
    with screen.capture() as said:
        screen.print(terminal(card, 140))
    assert "of the row before, %" in said.get()
