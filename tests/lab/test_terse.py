"""The lab's general instruction data: right, short, and nothing that is kept for evaluation."""

from random import Random

from dragoman.lab import abilities
from dragoman.lab.terse import FAMILIES, _short, instructions
from dragoman.suites.questions.checks import check

ASKED = {question.turns for family in FAMILIES for question in abilities.questions(family, 100, 0)}


def test_the_same_seed_gives_the_same_different_requests() -> None:
    drawn = instructions(300, 0)
    assert drawn == instructions(300, 0) != instructions(300, 1)
    assert len({dialogue.turns[0].text for dialogue in drawn}) == 300


def test_no_prompt_is_held_out_and_none_is_a_conversation() -> None:
    assert all(len(dialogue.turns) == 2 and dialogue.turns[:1] not in ASKED for dialogue in instructions(1000, 0))


def test_answers_are_short_and_pass_their_checks() -> None:
    rng = Random(3)
    for family in FAMILIES:
        for _ in range(60):
            task = abilities.task(family, rng)
            assert check(task.question.check, _short(task)).passed, task
    answers = [dialogue.turns[-1].text for dialogue in instructions(1000, 0)]
    assert sum(len(answer.split()) for answer in answers) / len(answers) < 6  # the backbone would take eight
    assert not any("=" in answer for answer in answers)
