"""Faulty ratings in recipes, and what is said about them."""

from pathlib import Path

import pytest

from tests.recipe.test_load import loaded, said

RECIPE = """\
name: small
backbone: lab
evaluate: [lab]
data: {data}
methods: {methods}
"""
LAB = "{ratings: [{corpus: lab-ratings, direction: de-en}]}"


def recipe(data: str, methods: str = "[parrot]") -> str:
    return RECIPE.format(data=data, methods=methods)


ORIGINS = "data.ratings[0]: needs one of these: a file, a source with its outputs, or a corpus"

FAULTS: dict[str, tuple[str, str]] = {
    "no origin": (
        recipe("{ratings: [{direction: de-en}]}"),
        ORIGINS,
    ),
    "two origins": (
        recipe("{ratings: [{file: a.tsv, corpus: lab-ratings, direction: de-en}]}"),
        ORIGINS,
    ),
    "outputs of no source": (
        recipe("{ratings: [{file: a.tsv, direction: de-en, outputs: [{file: a, scores: b}]}]}"),
        "data.ratings[0]: needs a source and outputs together",
    ),
    "a source of no outputs": (
        recipe("{ratings: [{source: a.de, direction: de-en}]}"),
        "data.ratings[0]: needs a source and outputs together",
    ),
    "worse errors above": (
        recipe("{ratings: [{file: a.jsonl, direction: de-en, minor: -3, major: -2}]}"),
        "data.ratings[0]: has major errors at -2, above minor ones at -3",
    ),
    "no direction": (recipe("{ratings: [{file: a.tsv}]}"), "data.ratings[0].direction: is missing"),
    "a language": (recipe("{ratings: [{file: a.tsv, direction: de}]}"), "'de' is not a direction"),
    "no ratings": (
        recipe("{train: {corpus: lab}}"),
        "parrot learns from rated translations, and the recipe names none; write some under data, as in `ratings: [",
    ),
    "a method of pairs": (
        recipe(LAB, "[parrot, vanilla]"),
        "vanilla learns pairs or conversations, and the recipe has",
    ),
    "no part": (recipe(LAB, "[{parrot: {parts: []}}]"), "parts"),
    "another placeholder": (
        recipe(LAB, "[{parrot: {error_guided: ['Into [TGT].###With [ERR] in [BAD]']}}]"),
        "has the placeholder [BAD]",
    ),
    "a place for errors that none fills": (
        recipe(LAB, "[{parrot: {contrastive: ['Into [TGT].###With [ERR]']}}]"),
        "has the placeholder [ERR]",
    ),
    "no hint": (recipe(LAB, "[{parrot: {error_guided: ['Into [TGT].']}}]"), "'Into [TGT].' has no hint after `###`"),
    "no place for an error": (
        recipe(LAB, "[{parrot: {error_guided: ['Into [TGT].###Bad']}}]"),
        "has no place for an error, [SEV] or [ERR]",
    ),
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_told(text: str, expected: str, tmp_path: Path) -> None:
    assert expected in "\n".join(said(tmp_path, text))


def test_ratings_may_be_all_there_is(tmp_path: Path) -> None:
    found = loaded(tmp_path, recipe(LAB))
    assert found.data.ratings[0].corpus == "lab-ratings"
    (options,) = (method["parrot"] for method in found.methods)
    assert options["margin"] == 1
