"""Scorecards of earlier versions are read as those of this one."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dragoman.errors import DataError
from dragoman.report.tables.readme import markdown
from dragoman.scoring.scorecard.json_schema import json_schema
from dragoman.scoring.scorecard.read import read_scorecard
from tests.report.study_card import study_card

LATER = ("unit", "kept", "notes", "facts", "f1", "subjects", "subject_mean")


def test_what_is_there_is_read_as_it_is(tmp_path: Path) -> None:
    card = study_card(comet=True)
    (tmp_path / "card.json").write_text(json.dumps(card))
    assert read_scorecard(tmp_path / "card.json") == card


def test_a_part_that_is_missing_or_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    card = study_card(skill=True)
    card["rows"][1]["abilities"]["facts"]["n"] = "ten"
    path.write_text(json.dumps(card))
    with pytest.raises(DataError, match=r"holds no whole scorecard: rows\.1\.abilities\.facts\.n: Input should be"):
        read_scorecard(path)
    del card["rows"][1]["abilities"]["facts"]["n"]
    path.write_text(json.dumps(card))
    with pytest.raises(DataError, match=r"holds no whole scorecard: rows\.1\.abilities\.facts\.n: Field required"):
        read_scorecard(path)
    more = {**study_card(skill=True), "from": "elsewhere"}  # what is there besides is let be
    path.write_text(json.dumps(more))
    assert read_scorecard(path)["rows"]


def test_fields_that_an_earlier_version_lacks_are_added(tmp_path: Path) -> None:
    card = study_card(skill=True)
    shown = markdown(card)
    for row in card["rows"]:
        for name in ("trace", "rationales", "retention_signature", "cost"):
            del row[name]
        for ability in [*row["abilities"].values(), *row["skills"].values()]:
            for name in LATER:
                del ability[name]
    for pair in card["pairs"]:
        del pair["metrics"]
    del card["noise"]["left_out"]
    (tmp_path / "card.json").write_text(json.dumps(card))
    read = read_scorecard(tmp_path / "card.json")
    Draft202012Validator(json_schema()).validate(read)
    assert markdown(read) == shown
    assert read["rows"][1]["abilities"]["facts"]["kept"]
    assert not read["rows"][1]["skills"]["programs"]["kept"]
