"""Which families are near to general prompts of some kinds."""

import pytest

from dragoman import suites
from dragoman.recipe.schema import Recipe
from dragoman.suites.probes.suite import FAMILIES, NEAR

EVERYDAY = ["advice", "maths", "refusal", "science"]


def recipe(*evaluate: str) -> Recipe:
    return Recipe.model_validate({"name": "x", "backbone": "lab", "evaluate": evaluate})


@pytest.mark.parametrize(
    ("evaluate", "scores", "near"),
    [
        ("lab", ["arithmetic", "harmless", "refusal", "facts"], ["arithmetic", "refusal"]),
        ("probes", ["facts", "harmless", "talking", "refusal"], ["facts", "harmless", "refusal"]),
        ("probes-b", ["facts-b", "talking-b"], ["facts-b"]),
        ("xstest", ["xstest", "xstest-unsafe"], ["xstest", "xstest-unsafe"]),
        ("gsm8k", ["gsm8k", "ifeval"], ["gsm8k"]),
    ],
)
def test_a_suite_says_which_of_its_families(evaluate: str, scores: list[str], near: list[str]) -> None:
    assert suites.near_to(recipe(evaluate), EVERYDAY, scores) == near


def test_a_kind_may_be_a_familys_name_or_the_suites() -> None:
    assert suites.near_to(recipe("lab"), ["harmless", "copying"], ["facts", "harmless"]) == ["harmless"]
    assert suites.near_to(recipe("probes"), ["probes"], list(FAMILIES)) == list(FAMILIES)
    assert suites.near_to(recipe("lab"), ["maths"], ["harness:gsm8k"]) == []


def test_what_is_near_to_the_probes_is_a_family_of_theirs() -> None:
    assert {family for families in NEAR.values() for family in families} <= FAMILIES.keys()
