"""Instructions whose answers are compared (AlpacaEval's, and our own): reading, drawing and answering them."""

from collections.abc import Generator, Sequence
from typing import TypedDict

from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.judging import Evaluation
from dragoman.suites._judge import asked
from dragoman.suites._suite import Material, Speaker

Answering = Generator[Ask, list[Completion], list[Completion | str]]
ANSWER_TOKENS = 2048
"""The longest answer, as most published models were given."""


class Instruction(TypedDict):
    """An instruction, and the part of the benchmark that it belongs to."""

    instruction: str
    subject: str


class Instructions(Material):
    """What a suite asks."""

    items: list[Instruction]


def answers(model: str, instructions: Sequence[str], speak: Speaker, settings: Evaluation) -> Answering:
    """Greedy answers to instructions; in place of a missing one, the reason."""
    prompts = [speak.chat(instruction) for instruction in instructions]
    sampling = Sampling(max_tokens=answer_tokens(settings), stop=speak.stop)
    return (yield from answered(model, prompts, speak, sampling, "instructions"))


def answered(model: str, prompts: Sequence[Ids | None], speak: Speaker, sampling: Sampling, purpose: str) -> Answering:
    """The completions of prompts; in place of a missing one, the reason: `""` if there was nothing to ask."""
    found = yield from asked(model, prompts, speak, sampling, purpose)
    return [_or_why(prompt, completion) for prompt, completion in zip(prompts, found, strict=True)]


def _or_why(prompt: Ids | None, completion: Completion | None) -> Completion | str:
    if completion is None:
        return "" if prompt is None else "no room"
    return "failed" if completion.finish == "failed" else completion


def answer_tokens(settings: Evaluation) -> int:
    """The longest answer to an instruction, in tokens."""
    return max(settings.max_tokens, ANSWER_TOKENS)
