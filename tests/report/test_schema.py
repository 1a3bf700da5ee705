"""The scorecard's JSON Schema says what scorecards are."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

import dragoman
from dragoman.scoring.scorecard.card import SCHEMA
from tests.report.graded_card import graded_card

WRITTEN = json.loads((Path(dragoman.__file__).parent / "scoring" / "scorecard" / "scorecard.schema.json").read_text())


def test_it_is_a_schema_of_the_same_number() -> None:
    Draft202012Validator.check_schema(WRITTEN)
    assert WRITTEN["properties"]["schema"] == {"const": SCHEMA}


@pytest.mark.parametrize("made", [{}, {"seeds": 3}, {"rows": ("backbone",)}])
def test_scorecards_are_valid(made: dict) -> None:
    card = json.loads(json.dumps(graded_card(**made), allow_nan=False))
    Draft202012Validator(WRITTEN).validate(card)
    del card["rows"][0]["abilities"]["gsm8k"]["signature"]
    with pytest.raises(ValidationError, match="signature"):
        Draft202012Validator(WRITTEN).validate(card)


def test_a_scorecard_of_questions_with_a_rule_is_valid(card: dict) -> None:
    Draft202012Validator(WRITTEN).validate(json.loads(json.dumps(card, allow_nan=False)))
    with pytest.raises(ValidationError):
        Draft202012Validator(WRITTEN).validate({**card, "schema": SCHEMA - 1})
