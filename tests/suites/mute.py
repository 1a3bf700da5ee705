"""A speaker that says nothing: what suites are given in tests says as much as the test needs, and no more."""

from collections.abc import Sequence

from dragoman.corpora.records import Pair, Question, Turn
from dragoman.generation.ask import Ids
from dragoman.prompts.examples import AnsweredPrompt


class Mute:
    """Has all that suites may ask of a speaker; whatever a test did not expect to be said fails it."""

    stop: Ids = (0,)
    context: int | None = None
    alone: bool = False

    def of(self, model: str) -> "Mute":
        raise NotImplementedError

    def chat(self, text: str) -> Ids:
        raise NotImplementedError

    def turns(self, turns: Sequence[Turn]) -> Ids:
        raise NotImplementedError

    def written(self, text: str) -> Ids:
        raise NotImplementedError

    def referenced(self, record: Pair) -> AnsweredPrompt:
        raise NotImplementedError

    def question(self, question: Question) -> Ids:
        raise NotImplementedError

    def decode(self, ids: Sequence[int]) -> str:
        raise NotImplementedError

    def length(self, text: str) -> int:
        raise NotImplementedError

    def translate(self, pair: Pair) -> Ids:
        raise NotImplementedError

    def after(self, answer: str, pair: Pair) -> str:
        raise NotImplementedError
