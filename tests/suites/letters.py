"""What tests of judged benchmarks share: speakers whose ids are letters, and the end of a suite."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dragoman.generation.ask import Ask, Completion, Ids
from dragoman.recipe.judging import Evaluation
from dragoman.suites import Asking, Graded, JudgedSuite, Speaker, kinds
from tests.suites.mute import Mute


class Letters(Mute):
    """A speaker whose ids are the letters of what is said; a judge may be another one, with a stop token of its own."""

    def __init__(self, context: int | None = None, judge: "Letters | None" = None, stop: Ids = (0,)):
        self.context, self.judge, self.stop = context, judge, stop

    def of(self, model: str) -> "Letters":
        return (self.judge or self) if model == "judge" else self

    def turns(self, turns: Any) -> Ids:
        return tuple(map(ord, "|".join(turn.text for turn in turns)))

    def chat(self, text: str) -> Ids:
        return tuple(map(ord, text))

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


def asking(kind: type[JudgedSuite[Any]], **options: Any) -> Callable[[str, Any, Speaker, Evaluation], Asking]:
    """How a suite asks that goes by its name, with these options."""
    return kind(kind.kind, kinds()[kind.kind].model_validate({"kind": kind.kind, **options})).ask


def texts(asked: Ask) -> list[str]:
    """The prompts of an ask, as they were said."""
    return ["".join(map(chr, prompt)) for prompt in asked.prompts]


def said(text: str, finish: Any = "stop") -> Completion:
    return Completion((), text, finish)


def ended(suite: Any, answers: list[Completion]) -> Graded:
    """What a suite comes to with the last answers, as it is read back from the disk."""
    with pytest.raises(StopIteration) as stopped:
        suite.send(answers)
    (graded,) = stopped.value.value
    return Graded.from_json(json.loads(json.dumps(graded.to_json())))
