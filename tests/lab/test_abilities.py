"""Families of abilities: answers pass their own checks, and what is held out stays held out."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError
from dragoman.lab import abilities, world
from dragoman.lab.families import facts
from dragoman.suites.questions.checks import check

EVERY = (*abilities.FAMILIES, *abilities.SKILLS)


def draws(family: str, full: int, seed: int = 5) -> list[abilities.Task]:
    rng = Random(seed)
    return [abilities.task(family, rng) for _ in range(25 if family == "programs" else full)]


def test_the_families_and_the_skill() -> None:
    assert set(abilities.FAMILIES) == {
        "arithmetic", "instructions", "facts", "reading", "explaining", "refusal", "harmless", "follow_up",
    }  # fmt: skip
    assert abilities.SKILLS == ("programs",)


@pytest.mark.parametrize("family", EVERY)
def test_an_answer_passes_its_own_check(family: str) -> None:
    failed = [task for task in draws(family, 2500) if not check(task.question.check, task.answer).passed]
    assert failed == []


@pytest.mark.parametrize("family", EVERY)
def test_an_empty_answer_is_no_answer(family: str) -> None:
    for task in draws(family, 100):
        verdict = check(task.question.check, "")
        assert not verdict.passed
        assert not verdict.extracted


@pytest.mark.parametrize("family", EVERY)
def test_a_translation_in_place_of_an_answer_does_not_pass(family: str) -> None:
    rng = Random(8)
    said = [(task, world.say(world.draw(rng), rng.choice(("de", "it")))) for task in draws(family, 400)]
    assert sum(check(task.question.check, text).passed for task, text in said) <= 0.02 * len(said)


@pytest.mark.parametrize("family", [family for family in abilities.FAMILIES if family not in ("refusal", "harmless")])
def test_the_answer_to_another_prompt_rarely_passes(family: str) -> None:
    tasks = draws(family, 401)
    passed = [check(one.question.check, two.answer).passed for one, two in pairwise(tasks)]
    assert sum(passed) < 0.15 * len(passed)


@pytest.mark.parametrize("family", EVERY)
def test_prompts_and_answers_are_short_conversations(family: str) -> None:
    for task in draws(family, 500):
        roles = [turn.role for turn in task.question.turns]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
        assert 1 <= len(task.answer.split()) <= 60
        assert sum(len(turn.text.split()) for turn in task.question.turns) <= 90
        assert task.question.family == family
        assert "{" not in task.question.turns[0].text
        assert all(turn.text == turn.text.strip() for turn in task.question.turns)


def test_refusals_and_their_look_alikes_are_told_apart() -> None:
    for refusal, harmless in zip(draws("refusal", 500), draws("harmless", 500), strict=True):
        assert not check(harmless.question.check, refusal.answer).passed
        assert not check(refusal.question.check, harmless.answer).passed


def test_there_is_enough_to_ask() -> None:
    assert len(facts.FACTS) >= 300
    assert all(len(subject.asked) >= 5 for subject, *_ in facts.FACTS)
    distinct = {family: len({task.question.key for task in draws(family, 6000)}) for family in abilities.FAMILIES}
    assert distinct["refusal"] > 3000
    assert distinct["harmless"] > 2500
    assert min(distinct[family] for family in distinct if family not in ("refusal", "harmless")) > 4500


def test_every_language_reads() -> None:
    assert set(Counter(task.question.language for task in draws("reading", 300))) == {"en", "de", "it"}


@pytest.mark.parametrize("family", EVERY)
def test_questions_are_held_out_and_the_same_for_the_same_seed(family: str) -> None:
    first, again, other = (abilities.questions(family, 60, seed) for seed in (1, 1, 2))
    assert first == again
    assert all(abilities.is_held_out(question) for question in first)
    keys, others = {question.key for question in first}, {question.key for question in other}
    assert len(keys) == 60
    assert len(keys & others) < 20


def test_more_questions_than_there_are_is_an_error() -> None:
    with pytest.raises(DataError, match="has only about"):
        abilities.questions("harmless", 3000, 0)
    with pytest.raises(DataError, match="no family 'arithmetics'"):
        abilities.task("arithmetics", Random(0))


def test_what_is_held_out_depends_on_the_conversation_alone() -> None:
    held: Counter[bool] = Counter()
    for number in range(2000):
        turns = (Turn("user", f"What is {number} + 1?"),)
        side = abilities.is_held_out(Question("arithmetic", turns, Check("number", {"value": number + 1})))
        assert side == abilities.is_held_out(Question("facts", turns, Check("refusal"), "de"))
        held[side] += 1
    assert 0.09 < held[True] / 2000 < 0.15


def test_lessons_never_show_a_held_out_prompt() -> None:
    held = {question.turns for family in EVERY for question in abilities.questions(family, 150, 3)}
    rng = Random(4)
    exchanges: Counter[int] = Counter()
    for _ in range(3000):
        turns = abilities.lesson(rng).turns
        assert [turn.role for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        exchanges[len(turns) // 2] += 1
        users = [at for at, turn in enumerate(turns) if turn.role == "user"]
        shown = {turns[start : end + 1] for start in users for end in users if start <= end}
        assert not shown & held
    assert exchanges[1] > 1000
    assert exchanges[2] > 400
    assert exchanges[3] > 100


def test_lessons_are_the_same_for_the_same_seed() -> None:
    one, two = Random(6), Random(6)
    assert [abilities.lesson(one) for _ in range(50)] == [abilities.lesson(two) for _ in range(50)]
