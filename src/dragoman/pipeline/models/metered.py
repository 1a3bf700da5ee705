"""Metering a method, or whatever else asks: how many tokens were generated, and how long the engine took."""

from collections.abc import Generator
from types import TracebackType
from typing import TypeVar

from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.generation.door import Asking

T = TypeVar("T")


class Metered(Generator[Ask, list[Completion], T]):
    """Something that asks, such as a method at work; `spent` has the number of `answers` it was sent, their `tokens`,
    and the engine's `seconds`.

    A cached answer counts at its original cost; one that is asked for twice counts once.
    """

    def __init__(self, making: Asking[T]):
        self.making = making
        self.spent: dict[str, float] = {"answers": 0, "tokens": 0, "seconds": 0.0}
        self._asked: Ask | None = None
        self._counted: set[tuple[str, Sampling, Ids]] = set()

    def send(self, answers: list[Completion] | None) -> Ask:
        if answers is not None and self._asked is not None:
            for prompt, answer in zip(self._asked.prompts, answers, strict=True):
                self._count((self._asked.model, self._asked.sampling, tuple(prompt)), answer)
        self._asked = next(self.making) if answers is None else self.making.send(answers)
        return self._asked

    def throw(
        self,
        kind: BaseException | type[BaseException],
        value: object = None,
        trace: TracebackType | None = None,
    ) -> Ask:
        raise kind if isinstance(kind, BaseException) else kind(value)

    def _count(self, what: tuple[str, Sampling, Ids], answer: Completion) -> None:
        if what in self._counted:
            return
        self._counted.add(what)
        self.spent["answers"] += 1
        self.spent["tokens"] += len(answer.ids)
        self.spent["seconds"] += answer.seconds
