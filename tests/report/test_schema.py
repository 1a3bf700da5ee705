"""The scorecard's JSON Schema says what scorecards are."""

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from dragoman.rationales.report import RationaleReport
from dragoman.scoring.scorecard.json_schema import FILE, written
from dragoman.scoring.scorecard.schema import SCHEMA
from tests.plain_card import Card
from tests.report.graded_card import graded_card
from tests.report.study_card import study_card

WRITTEN = json.loads(FILE.read_text(encoding="utf-8"))


def test_it_is_made_of_the_types() -> None:
    assert written() == FILE.read_text(encoding="utf-8"), (
        "write it anew: python -m dragoman.scoring.scorecard.json_schema"
    )
    open_ = {name for name, one in WRITTEN["$defs"].items() if one["additionalProperties"] is not False}
    assert open_ == {"Group"}
    assert WRITTEN["$defs"]["Group"]["additionalProperties"] == {"$ref": "#/$defs/Score"}


def test_it_is_a_schema_of_the_same_number() -> None:
    Draft202012Validator.check_schema(WRITTEN)
    assert WRITTEN["properties"]["schema"]["const"] == SCHEMA


@pytest.mark.parametrize("made", [{}, {"seeds": 3}, {"rows": ("backbone",)}])
def test_scorecards_are_valid(made: dict) -> None:
    card = json.loads(json.dumps(graded_card(**made), allow_nan=False))
    Draft202012Validator(WRITTEN).validate(card)
    del card["rows"][0]["abilities"]["gsm8k"]["signature"]
    with pytest.raises(ValidationError, match="signature"):
        Draft202012Validator(WRITTEN).validate(card)


def test_a_scorecard_of_questions_with_a_rule_is_valid(card: Card) -> None:
    Draft202012Validator(WRITTEN).validate(json.loads(json.dumps(card, allow_nan=False)))
    with pytest.raises(ValidationError):
        Draft202012Validator(WRITTEN).validate({**card, "schema": SCHEMA - 1})


def test_scorecards_made_up_for_tests_are_valid() -> None:
    for made in (study_card(), study_card(skill=True, comet=True)):
        made["rows"][2]["rationales"] = RationaleReport(total=1).to_json()
        Draft202012Validator(WRITTEN).validate(made)
        made["rows"][2]["rationales"] = {"total": 1}
        with pytest.raises(ValidationError):
            Draft202012Validator(WRITTEN).validate(made)
