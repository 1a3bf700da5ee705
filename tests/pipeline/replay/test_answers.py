"""Answers to replay prompts become examples."""

import pytest

from dragoman.corpora.records import Request, Turn
from dragoman.generation.ask import Ask, Completion, Sampling
from dragoman.lab import BACKBONE
from dragoman.pipeline.replay.answers import Answered, answers
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker

SAMPLING = Sampling(16, (2,), 1.0)


@pytest.fixture(scope="module")
def speak() -> Speaker:
    return Speaker(Renderer.load(BACKBONE))


def asked(*texts: str) -> list[Request]:
    return [Request((Turn("user", text),)) for text in texts]


def told(requests: list[Request], speak: Speaker, longest: int, *completions: Completion) -> tuple[Ask, Answered]:
    making = answers(requests, speak, SAMPLING, longest)
    ask = next(making)
    with pytest.raises(StopIteration) as end:
        making.send(list(completions))
    found: Answered = end.value.value
    return ask, found


def test_an_answer_is_an_example_with_the_end_that_the_engine_returned(speak: Speaker) -> None:
    ids = speak.renderer.encode("Hello.")
    ended, cut = Completion((*ids, 2), "Hello.", "stop"), Completion(ids, "Hello.", "length")
    ask, found = told(asked("Hi", "Ho"), speak, 99, ended, cut)
    assert ask.prompts == [speak.chat("Hi"), speak.chat("Ho")]
    assert (ask.model, ask.sampling) == ("backbone", SAMPLING)
    segments = [[(one.name, one.ids, one.weight) for one in example.segments] for example in found.examples]
    answer = ("replay", ids, 1.0)
    assert segments == [
        [("prompt", speak.chat("Hi"), 0.0), answer, ("end", (2,), 1.0)],
        [("prompt", speak.chat("Ho"), 0.0), answer],
    ]
    assert found.cut_off == 1


def test_a_conversation_of_several_turns_is_answered_at_its_end(speak: Speaker) -> None:
    turns = (Turn("user", "2+2?"), Turn("assistant", "4"), Turn("user", "And 3?"))
    ask, _ = told([Request(turns)], speak, 99, Completion((25, 2), "6", "stop"))
    assert ask.prompts == [speak.turns(turns)]


def test_what_has_no_answer_is_counted(speak: Speaker) -> None:
    nothing, failed = Completion((2,), "", "stop"), Completion((), "", "failed", why="too long")
    ask, found = told(asked("Hi", "Ho", "word " * 99), speak, 50, nothing, failed)
    assert len(ask.prompts) == 2
    assert not found.examples
    assert +found.left_out == {
        "longer than 50 tokens": 1,
        "answered with nothing": 1,
        "not answered: the request failed": 1,
    }
