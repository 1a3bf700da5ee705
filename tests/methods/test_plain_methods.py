"""Vanilla and multi-task: plain answers, token by token."""

from dataclasses import replace

import pytest

from dragoman.corpora.records import Dialogue, Turn
from dragoman.errors import DataError
from dragoman.methods import available
from dragoman.methods.multitask import Options as MultitaskOptions
from dragoman.methods.multitask import multitask
from dragoman.methods.vanilla import Options, vanilla
from dragoman.prompts.speak import Speaker
from tests.methods.method_kit import CHAT, PAIR, RECORDS, Known, plain, segments, told


def test_how_many_examples_each_method_makes_and_who_sees_instruction_data() -> None:
    found = {name: (method.examples, method.sees) for name, method in available().items()}
    assert found.pop("seq_kd") == (2, ())
    assert found.pop("multitask") == (1, ("instructions",))
    assert found.pop("pretrain") == (1, ("texts",))
    assert found.pop("parrot") == (1, ("ratings",))
    assert found.pop("cpo") == (1, ("preferences",))
    assert [name for name, method in available().items() if method.only] == ["cpo", "pretrain"]
    assert found == dict.fromkeys(
        ("vanilla", "radis", "sdft_rewrite", "keep", "alpaca", "crossalpaca", "bayling"), (1, ())
    )


def test_vanilla_learns_the_reference_of_pairs_and_conversations(vocabulary: tuple[Speaker, Known]) -> None:
    speak, known = vocabulary
    asks, lesson = told(vanilla(RECORDS, speak, Options()))
    assert not asks
    assert [segments(example) for example in lesson.examples] == plain(known)
    assert [example.key for example in lesson.examples] == [PAIR.key, CHAT.key]
    assert not lesson.notes


def test_multitask_learns_every_answer_of_a_conversation(vocabulary: tuple[Speaker, Known]) -> None:
    speak, known = vocabulary
    asks, lesson = told(multitask([*RECORDS, replace(CHAT, turns=CHAT.turns[:2])], speak, MultitaskOptions()))
    assert not asks
    first = [("prompt", known.first[0], 0), ("answer", known.first[1], 1), ("end", known.end, 1)]
    second = [("prompt", known.second[0], 0), ("answer", known.second[1], 1), ("end", known.end, 1)]
    assert [segments(example) for example in lesson.examples] == [plain(known)[0], first + second, first]
    assert lesson.notes == {"conversations of sums.json": 2}


@pytest.mark.parametrize(
    ("turns", "what"),
    [
        ((), "a conversation from sums.json without turns does not end with an answer"),
        (CHAT.turns[:1], "that begins '2\\+2\\?' does not end with an answer of the assistant"),
        ((*CHAT.turns[:3], Turn("assistant", " \n")), "does not end with an answer of the assistant"),
        (CHAT.turns[1:2], "that begins '4' ends with an answer that no turn of the user asks for"),
    ],
)
def test_a_conversation_without_an_answer_to_learn_is_refused(
    lab: tuple[Speaker, Known], turns: tuple[Turn, ...], what: str
) -> None:
    with pytest.raises(DataError, match=what):
        told(vanilla([Dialogue(turns, "sums.json")], lab[0], Options()))
