"""The ability suite: what is kept. Questions are answered greedily and judged by rule."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import compress
from typing import Any, Protocol

from dragoman.corpora.records import Check, Question, Turn
from dragoman.generation.ask import Ask, Completion, Ids, Sampling, made_in
from dragoman.recipe.judging import Evaluation
from dragoman.sandbox.sandbox import require
from dragoman.suites.questions.checks import check, verify

# Families that are a skill to be learnt. They are judged like abilities, and are no part of what is kept.
SKILLS = ("programs", "humaneval")


def is_skill(family: str, patterns: Sequence[str] = ()) -> bool:
    """Whether a family is to be learnt rather than kept: always, or by one of a recipe's patterns (`*-de`)."""
    return family in SKILLS or any(fnmatchcase(family, pattern) for pattern in patterns)


class Speaker(Protocol):
    """What the suite needs of `prompts.speak.Speaker`."""

    @property
    def stop(self) -> Ids: ...

    @property
    def context(self) -> int | None: ...

    def question(self, question: Question) -> Ids: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, its answer and the verdict; `extracted` is false where no answer could be read out of it."""

    question: Question
    answer: str
    passed: bool
    extracted: bool
    cut_off: bool
    part: float | None = None
    """How much of it is right, from 0 to 1, where the check can tell (F1); else all or nothing."""

    @property
    def credit(self) -> float:
        return float(self.passed) if self.part is None else self.part


@dataclass(frozen=True, slots=True)
class AbilityResult:
    """All questions in the order asked, the longest answer that was allowed, and which families are skills."""

    items: tuple[Answered, ...]
    max_tokens: int
    skills: tuple[str, ...] = ()
    """Patterns of families that are to be learnt rather than kept, beside those that always are."""
    made_in: str = ""
    """What the answers were made in (`ask.made_in`); empty where nobody says."""

    @property
    def families(self) -> dict[str, tuple[Answered, ...]]:
        names = dict.fromkeys(item.question.family for item in self.items)
        return {name: tuple(item for item in self.items if item.question.family == name) for name in names}

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return {
            "max_tokens": self.max_tokens,
            "skills": list(self.skills),
            "made_in": self.made_in,
            "items": [
                {
                    "family": item.question.family,
                    "language": item.question.language,
                    "subject": item.question.subject,
                    "turns": [
                        [turn.role, turn.text, turn.input] if turn.input else [turn.role, turn.text]
                        for turn in item.question.turns
                    ],
                    "check": {"name": item.question.check.name, "arguments": dict(item.question.check.arguments)},
                    "answer": item.answer,
                    "passed": item.passed,
                    "extracted": item.extracted,
                    "cut_off": item.cut_off,
                    "part": item.part,
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
                        turns=tuple(Turn(*turn) for turn in row["turns"]),
                        check=Check(row["check"]["name"], row["check"]["arguments"]),
                        language=row["language"],
                        subject=row.get("subject", ""),
                    ),
                    answer=row["answer"],
                    passed=row["passed"],
                    extracted=row["extracted"],
                    cut_off=row["cut_off"],
                    part=row.get("part"),
                )
                for row in data["items"]
            ),
            data["max_tokens"],
            tuple(data.get("skills", ())),
            data.get("made_in", ""),
        )


def abilities(
    model: str, questions: Sequence[Question], speak: Speaker, settings: Evaluation
) -> Generator[Ask, list[Completion], AbilityResult]:
    """Asks all questions, greedily, and returns the judged answers.

    One that leaves no room for an answer in the model's context is not asked, and is wrong. Raises `DataError`
    before anything is asked where a check is not a known one, and `EngineError` where a check runs programs and this
    machine can't do that safely.
    """
    for question in questions:
        verify(question.check)
    if [question for question in questions if question.check.name in ("program", "unit_tests")]:
        require()
    prompts = [speak.question(question) for question in questions]
    fits = [speak.context is None or len(prompt) < speak.context for prompt in prompts]
    sampling = Sampling(max_tokens=settings.max_tokens, stop=speak.stop)
    completions = yield Ask(model, list(compress(prompts, fits)), sampling, "test questions")
    answers = iter(completions)
    judged = (
        _judged(question, next(answers) if room else None) for question, room in zip(questions, fits, strict=True)
    )
    return AbilityResult(tuple(judged), settings.max_tokens, settings.skills, made_in(completions))


def _judged(question: Question, completion: Completion | None) -> Answered:
    if completion is None:
        return Answered(question, "", passed=False, extracted=False, cut_off=False)
    verdict = check(question.check, completion.text)
    cut_off = completion.finish == "length"
    return Answered(question, completion.text, verdict.passed, verdict.extracted, cut_off, verdict.part)
