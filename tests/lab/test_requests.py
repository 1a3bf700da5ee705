"""The lab's requests without answers."""

import pytest

from dragoman.corpora.records import Question
from dragoman.errors import DataError
from dragoman.lab import abilities
from dragoman.lab.requests import COPYING, KINDS, requests


@pytest.mark.parametrize("kind", [*KINDS, "qa-de", "choice-it"])
def test_requests_are_different_and_end_with_the_user(kind: str) -> None:
    made = requests(kind, 30, 0)
    assert len({one.key for one in made}) == 30
    assert {(one.kind, one.turns[-1].role) for one in made} == {(kind, "user")}
    assert requests(kind, 30, 0) == made != requests(kind, 30, 1)


@pytest.mark.parametrize("family", abilities.FAMILIES)
def test_nothing_is_among_them_that_evaluation_asks(family: str) -> None:
    asked = {question.turns for question in abilities.questions(family, 40, 0)}
    made = requests(family, 400, 0)
    assert not asked & {one.turns for one in made}
    assert not any(
        abilities.is_held_out(Question("", one.turns, abilities.questions(family, 1, 0)[0].check)) for one in made
    )


def test_copying_is_no_family() -> None:
    assert COPYING not in (*abilities.FAMILIES, *abilities.SKILLS, *abilities.LANGUAGE_FAMILIES)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"lab-requests has no prompts of the kind 'poems'; it has arithmetic, .*copying"
    ):
        requests("poems", 3, 0)
