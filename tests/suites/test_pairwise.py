"""A model against the backbone: both orders, who wins, and what order and length did."""

from typing import Any

import pytest

from dragoman.generation.ask import Completion
from dragoman.recipe.judging import Evaluation, Judge
from dragoman.suites.pairwise import PROMPT, Pairwise, verdict
from tests.suites.letters import Letters, asking, ended, texts

pairwise = asking(Pairwise)
SETTINGS = Evaluation(judge=Judge(model="org/judge", max_tokens=40), max_tokens=3000)


def material(*instructions: str) -> dict[str, Any]:
    return {"texts": [], "items": [{"instruction": text, "subject": "s"} for text in instructions]}


def said(*answers: str) -> list[Completion]:
    return [Completion((), text, "failed" if text == "-" else "stop") for text in answers]


def test_both_orders() -> None:
    names = ["i1", "i2", "i3", "i4", "i5", "i6 {first}"]
    suite = pairwise("radis", material(*names), Letters(judge=Letters(stop=(9,))), SETTINGS)
    ask = next(suite)
    assert (ask.model, texts(ask), ask.sampling.temperature, ask.sampling.max_tokens) == ("radis", names, 0.0, 3000)
    ask = suite.send(said("ours", " our {second} \n", "us", "our", "me", "mine"))
    assert (ask.model, texts(ask), ask.sampling.stop) == ("backbone", names, (0,))
    ask = suite.send(said("them", "they", "they", "their", "me\n", "yours"))
    assert (ask.model, ask.sampling.max_tokens, ask.sampling.stop, len(ask.prompts)) == ("judge", 40, (9,), 10)
    asked = texts(ask)
    assert asked[0] == PROMPT.format(instruction="i1", first="ours", second="them")
    assert asked[1] == PROMPT.format(instruction="i1", first="them", second="ours")
    assert "[Answer of A]\nour {second}\n[End" in asked[2]
    assert "[Instruction]\ni6 {first}\n[End" in asked[8]
    wins, ties = ("It is [[A]]", "[[B]]"), ("[[A]]", "[[A]]")  # the latter names whichever comes first
    graded = ended(suite, said(*wins, *wins, *ties, "[[B]]", "[[A]]", "[[A]]", "[[A]] or [[B]]"))
    assert [item.value for item in graded.items] == [100.0, 100.0, 50.0, 0.0, 50.0, None]
    assert (graded.name, graded.kept, graded.side, graded.score) == ("pairwise", False, "instruction", 60.0)
    assert graded.notes == {"no judgement": 1, "verdicts that could not be read": 1}
    assert graded.facts == {
        "wins": 2,
        "ties": 2,
        "losses": 1,
        "same answers": 1,
        "wins less losses": 20.0,
        "verdicts that change with the order": 25.0,
        "verdicts for the first answer": 62.5,
        "characters": (4 + 12 + 2 + 3 + 2 + 4) / 6,
        "characters of the backbone": (4 + 4 + 4 + 5 + 2 + 5) / 6,
        "wins of the longer answer": 100.0,  # of the first two pairs only one differs in length, and of the lost one
    }
    assert graded.items[2].told["verdicts"] == ["model", "backbone"]
    assert graded.items[4].told == {"instruction": "i5", "answer": "me", "backbone": "me", "same": True}
    assert graded.signature.startswith("pairwise|against:backbone|judge:org/judge|prompt:own-")
    assert "|orders:both|decoding:greedy|tokens:3000|judgement:40|version:dragoman-" in graded.signature


def test_what_goes_wrong_is_counted() -> None:
    names = ["a" * 9, "b", "c", "d", "e"]
    suite = pairwise("radis", material(*names), Letters(context=9, judge=Letters(context=len(PROMPT))), SETTINGS)
    assert texts(next(suite)) == names[1:]
    suite.send(said("-", "ours", "o", "l" * 99))
    ask = suite.send(said("t", "-", "t", "t"))
    assert len(ask.prompts) == 2
    graded = ended(suite, said("-", "[[A]]"))
    assert [item.value for item in graded.items] == [None] * 5
    assert graded.notes == {
        "no room": 1,
        "failed": 1,
        "failed at the backbone": 1,
        "failed at the judge": 1,
        "no room at the judge": 1,
    }
    assert graded.score is None
    assert graded.items[2].told["answer"] == "ours"


def test_the_backbone_is_not_compared_with_itself() -> None:
    with pytest.raises(StopIteration) as stopped:
        next(pairwise("backbone", material("a"), Letters(), SETTINGS))
    assert stopped.value.value == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Because. [[A]]", "A"),
        ("[[C]] [[C]]", "C"),
        ("[[A]], [[B]] or [[C]]", None),
        ("[A]", None),
        ("[[D]]", None),
        ("", None),
    ],
)
def test_verdicts(text: str, named: str | None) -> None:
    assert verdict(text) == named
