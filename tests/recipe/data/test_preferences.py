import pytest
from pydantic import ValidationError

from dragoman.recipe.data.preferences import Preferences


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({}, "needs a file or a corpus"),
        ({"file": "a.jsonl", "corpus": "lab-ratings"}, "needs a file or a corpus"),
        ({"corpus": "lab-ratings"}, "needs the direction of its translations"),
        ({"file": "a.jsonl", "margin": -1}, "greater than or equal to 0"),
    ],
)
def test_what_a_recipe_cannot_say(said: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Preferences.model_validate(said)


def test_names() -> None:
    assert Preferences(file="there/choices.jsonl").name == "choices.jsonl"
    assert Preferences(corpus="lab-ratings", direction="de-en").name == "lab-ratings"
