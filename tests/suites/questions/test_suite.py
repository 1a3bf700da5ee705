"""The ability suite: what it asks and how it judges."""

import json

import pytest

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.judging import Evaluation
from dragoman.suites.questions.suite import AbilityResult, abilities
from tests.suites.mute import Mute


class Letters(Mute):
    """A speaker whose token ids are the letters of the last turn."""

    stop: Ids = (0,)
    context: int | None = None

    def question(self, question: Question) -> Ids:
        return tuple(map(ord, question.turns[-1].text))


def question(text: str, check: Check, family: str = "facts") -> Question:
    return Question(family, (Turn("user", text),), check)


QUESTIONS = [
    question("Capital of Italy?", Check("equals", {"values": ["Rome"]})),
    question("Capital of France?", Check("equals", {"values": ["Paris"]})),
    question("1 + 1?", Check("number", {"value": 2}), "arithmetic"),
    question("2 + 2?", Check("number", {"value": 4}), "arithmetic"),
]


def test_it_asks_once_greedily_and_judges_every_answer() -> None:
    suite = abilities("vanilla", QUESTIONS, Letters(), Evaluation(max_tokens=33))
    ask = next(suite)
    prompts = [tuple(map(ord, question.turns[0].text)) for question in QUESTIONS]
    assert ask == Ask("vanilla", prompts, Sampling(max_tokens=33, stop=(0,)), "test questions")
    answers = [
        Completion((1, 0), "Rome.", "stop"),
        Completion((1, 0), "London", "stop"),
        Completion((1, 0), "One and one make 3. The answer is 2.", "stop"),
        Completion((1,), "I think that", "length"),
    ]
    with pytest.raises(StopIteration) as stopped:
        suite.send(answers)
    result: AbilityResult = stopped.value.value
    assert [(item.passed, item.extracted, item.cut_off) for item in result.items] == [
        (True, True, False),
        (False, True, False),
        (True, True, False),
        (False, False, True),
    ]
    assert {family: len(items) for family, items in result.families.items()} == {"facts": 2, "arithmetic": 2}
    assert AbilityResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_question_without_room_for_an_answer_is_not_asked_and_is_wrong() -> None:
    speak = Letters()
    speak.context = len("Capital of Italy?")  # as long as the first question, shorter than the second
    suite = abilities("vanilla", QUESTIONS, speak, Evaluation())
    ask = next(suite)
    assert [len(prompt) for prompt in ask.prompts] == [6, 6]
    with pytest.raises(StopIteration) as stopped:
        suite.send([Completion((1, 0), "The answer is 2.", "stop"), Completion((1, 0), "The answer is 4.", "stop")])
    result: AbilityResult = stopped.value.value
    assert [(item.answer, item.passed, item.extracted) for item in result.items] == [
        ("", False, False),
        ("", False, False),
        ("The answer is 2.", True, True),
        ("The answer is 4.", True, True),
    ]


def test_an_unknown_check_is_said_before_anything_is_asked() -> None:
    suite = abilities("vanilla", [question("?", Check("guess"))], Letters(), Evaluation())
    with pytest.raises(DataError, match="no check 'guess'"):
        next(suite)
