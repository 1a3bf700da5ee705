"""Which questions of each family a draw asks, with and without a limit."""

from collections import Counter

import pytest

from dragoman.corpora.records import Check, Question, Turn
from dragoman.recipe.judging import Evaluation
from dragoman.suites.questions import drawn


def asked(family: str, count: int) -> list[Question]:
    check = Check("equals", {"values": ["yes"]})
    return [Question(family, (Turn("user", f"{family} {number}?"),), check) for number in range(count)]


QUESTIONS = asked("few", 4) + asked("many", 30) + asked("some", 9)


def counts(number: int, settings: Evaluation, limit: int | None = None) -> dict[str, int]:
    return Counter(one.family for one in drawn.drawn(QUESTIONS, number, settings, limit))


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        (None, {"few": 4, "many": 10, "some": 9}),
        (23, {"few": 4, "many": 10, "some": 9}),
        (100, {"few": 4, "many": 10, "some": 9}),
        (16, {"few": 4, "many": 6, "some": 6}),  # few has no more
        (7, {"few": 3, "many": 2, "some": 2}),
        (2, {"few": 1, "many": 1}),
    ],
)
def test_a_limit_is_shared_evenly(limit: int | None, found: dict[str, int]) -> None:
    settings = Evaluation(questions=10, noise_seeds=0)
    assert counts(0, settings, limit) == found
    assert drawn.count(QUESTIONS, settings, limit).once == sum(found.values())


def test_other_draws_share_no_question_with_the_first() -> None:
    settings = Evaluation(questions=10, noise_seeds=2)
    draws = [{one.key for one in drawn.drawn(QUESTIONS, number, settings, 9)} for number in range(3)]
    assert [counts(number, settings, 9) for number in range(3)] == [
        {"few": 3, "many": 3, "some": 3},
        {"many": 3, "some": 3},
        {"many": 3, "some": 3},
    ]
    assert sum(map(len, draws)) == len(set().union(*draws))
    assert drawn.count(QUESTIONS, settings, 9).again == 6


def test_what_is_left_out_is_counted_with_its_reason() -> None:
    settings = Evaluation(questions=10, noise_seeds=2)
    assert drawn.remaining(QUESTIONS, settings, 9) == {"few": (0, 1), "many": (6, 21), "some": (6, 0)}
    assert drawn.left_out(QUESTIONS, settings) == {"of many asked of the backbone alone for its noise floor": 20}
    few = Evaluation(questions=10, noise_seeds=0)
    assert drawn.left_out(QUESTIONS, few) == {"left out of many: more than evaluation.questions (10)": 20}
