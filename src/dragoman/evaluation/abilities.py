"""The ability suite: what is kept. Questions are answered greedily and judged by rule."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dragoman.corpora.records import Check, Question, Turn
from dragoman.evaluation.checks import check, verify
from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.recipe.schema import Evaluation

# Families that are a skill to be learnt. They are judged like abilities, and are no part of what is kept.
SKILLS = ("programs", "humaneval")


class Speaker(Protocol):
    """What the suite needs of `prompts.speak.Speaker`."""

    @property
    def stop(self) -> Ids: ...

    def question(self, question: Question) -> Ids: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, its answer and the verdict; `extracted` is false where no answer could be read out of it."""

    question: Question
    answer: str
    passed: bool
    extracted: bool
    cut_off: bool


@dataclass(frozen=True, slots=True)
class AbilityResult:
    """All questions in the order asked, and the longest answer that was allowed."""

    items: tuple[Answered, ...]
    max_tokens: int

    @property
    def families(self) -> dict[str, tuple[Answered, ...]]:
        names = dict.fromkeys(item.question.family for item in self.items)
        return {name: tuple(item for item in self.items if item.question.family == name) for name in names}

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return {
            "max_tokens": self.max_tokens,
            "items": [
                {
                    "family": item.question.family,
                    "language": item.question.language,
                    "turns": [[turn.role, turn.text] for turn in item.question.turns],
                    "check": {"name": item.question.check.name, "arguments": dict(item.question.check.arguments)},
                    "answer": item.answer,
                    "passed": item.passed,
                    "extracted": item.extracted,
                    "cut_off": item.cut_off,
                }
                for item in self.items
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "AbilityResult":
        return AbilityResult(
            tuple(
                Answered(
                    question=Question(
                        family=row["family"],
                        turns=tuple(Turn(role, text) for role, text in row["turns"]),
                        check=Check(row["check"]["name"], row["check"]["arguments"]),
                        language=row["language"],
                    ),
                    answer=row["answer"],
                    passed=row["passed"],
                    extracted=row["extracted"],
                    cut_off=row["cut_off"],
                )
                for row in data["items"]
            ),
            data["max_tokens"],
        )


def abilities(
    model: str, questions: Sequence[Question], speak: Speaker, settings: Evaluation
) -> Generator[Ask, list[Completion], AbilityResult]:
    """Asks all questions, greedily, and returns the judged answers.

    Raises `DataError` before anything is asked where a check is not a known one.
    """
    for question in questions:
        verify(question.check)
    sampling = Sampling(max_tokens=settings.max_tokens, stop=speak.stop)
    completions = yield Ask(model, [speak.question(question) for question in questions], sampling, "test questions")
    return AbilityResult(
        tuple(_judged(question, completion) for question, completion in zip(questions, completions, strict=True)),
        settings.max_tokens,
    )


def _judged(question: Question, completion: Completion) -> Answered:
    verdict = check(question.check, completion.text)
    return Answered(question, completion.text, verdict.passed, verdict.extracted, completion.finish == "length")
