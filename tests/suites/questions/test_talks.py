"""Whether an answer is one at all."""

import pytest

from dragoman.suites.questions.talks import talks
from dragoman.suites.questions.verdict import NOTHING, Verdict

SAID = "Good morning! How are you today?"
LOOP = "I am fine and you are fine and " * 8


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        ("Good morning! I'm well, thank you. How are you?", True),
        ("Hello!", True),
        ("Fine.", True),
        ("I am fine. In German one would say: Guten Morgen! But let us speak English today, my friend.", True),
        ("Guten Morgen! Wie geht es dir heute?", False),  # a translation
        ("Ich freue mich, dass du fragst. Mir geht es sehr gut.", False),  # an answer in another language
        ("早上好！你今天怎么样？", False),
        ("good morning, how are you today", False),  # a copy
        (f"Question: {SAID}", False),
        (LOOP, False),
    ],
)
def test_an_answer_is_in_the_questions_language_and_neither_copy_nor_loop(answer: str, passed: bool) -> None:
    assert talks(answer, SAID) == Verdict(passed)


def test_without_letters_there_is_no_answer() -> None:
    assert talks("", SAID) == talks(" ...\n", SAID) == NOTHING


def test_the_language_is_the_questions() -> None:
    asked = "Guten Morgen! Wie geht es dir?"
    assert talks("Mir geht es sehr gut, vielen Dank!", asked, "de").passed
    assert not talks("I am very well today, thank you!", asked, "de").passed
