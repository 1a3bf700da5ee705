"""Questions with a rule: answering and judging those of all suites; and the suite of the user's own file.

Questions are answered greedily, all together, and judged by the checks in `checks.py`.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict, cast

from dragoman.corpora.records import Check, Question, Role, Turn
from dragoman.generation.ask import Ask, Completion, Sampling, made_in
from dragoman.paths import existing
from dragoman.recipe.judging import Benchmark, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.sandbox.sandbox import require
from dragoman.store import Digests
from dragoman.suites._graded import Graded
from dragoman.suites._judge import asked
from dragoman.suites._suite import Count, Notes, QuestionSuite, Shown, Speaker
from dragoman.suites.humaneval.pass_at_k import programs_drawn
from dragoman.suites.questions import drawn
from dragoman.suites.questions.checks import check, runs_programs, verified
from dragoman.suites.questions.question_files import distinct, read_entries, read_questions, repeated


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, its answer and the verdict; `extracted` is false if no answer could be read from it."""

    question: Question
    answer: str
    passed: bool
    extracted: bool
    cut_off: bool
    part: float | None = None
    """How much of it is right, from 0 to 1, if the check gives partial credit (F1); otherwise all or nothing."""

    @property
    def credit(self) -> float:
        return float(self.passed) if self.part is None else self.part


class CheckJson(TypedDict):
    """A `Check` as stored on disk."""

    name: str
    arguments: dict[str, object]


class AnsweredJson(TypedDict):
    """An `Answered` as stored on disk. Earlier versions have neither parts nor subjects."""

    family: str
    language: str
    subject: NotRequired[str]
    turns: list[list[str]]
    """Role and text, and an input if it is apart from the text."""
    check: CheckJson
    answer: str
    passed: bool
    extracted: bool
    cut_off: bool
    part: NotRequired[float | None]


class AbilitiesJson(TypedDict):
    """An `AbilityResult` as stored on disk."""

    max_tokens: int
    skills: NotRequired[list[str]]
    made_in: NotRequired[str]
    items: list[AnsweredJson]


@dataclass(frozen=True, slots=True)
class AbilityResult:
    """All questions in the order asked, the maximal length of answers, and which families are skills."""

    items: tuple[Answered, ...]
    max_tokens: int
    skills: tuple[str, ...] = ()
    """Patterns of families that are to be learnt rather than kept, besides those that always are."""
    made_in: str = ""
    """What the answers were made in (`ask.made_in`); empty if unknown."""

    @property
    def families(self) -> dict[str, tuple[Answered, ...]]:
        names = dict.fromkeys(item.question.family for item in self.items)
        return {name: tuple(item for item in self.items if item.question.family == name) for name in names}

    def to_json(self) -> AbilitiesJson:
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
    def from_json(data: AbilitiesJson) -> "AbilityResult":
        return AbilityResult(
            tuple(
                Answered(
                    question=Question(
                        family=row["family"],
                        turns=tuple(Turn(cast(Role, role), *rest) for role, *rest in row["turns"]),
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

    A question that leaves no room for an answer in the model's context is not asked, and is wrong. Before anything is
    asked, raises `DataError` if a check is unknown, and `EngineError` if a check runs programs and this machine can't
    do that safely.
    """
    for question in questions:
        verified(question.check)
    if [question for question in questions if runs_programs(question.check)]:
        require()
    prompts = [speak.question(question) for question in questions]
    sampling = Sampling(max_tokens=settings.max_tokens, stop=speak.stop)
    completions = yield from asked(model, prompts, speak, sampling, "test questions")
    judged = tuple(_judged(question, found) for question, found in zip(questions, completions, strict=True))
    how = made_in([completion for completion in completions if completion])
    return AbilityResult(judged, settings.max_tokens, settings.skills, how)


@dataclass(frozen=True, slots=True)
class QuestionResults:
    """The results for a draw's questions: those with one greedy answer, and programs that were sampled."""

    abilities: AbilityResult | None
    programs: tuple[Graded, ...] = ()


def questions_asked(
    model: str, questions: Sequence[Question], speak: Speaker, settings: Evaluation, *, several: bool
) -> Generator[Ask, list[Completion], QuestionResults]:
    """Asks the questions of a draw. If the recipe wants `several` programs for each problem, these are sampled."""
    apart = settings.code.samples > 1
    programs = [question for question in questions if apart and question.check.name == "unit_tests"]
    ruled = [question for question in questions if not (apart and question.check.name == "unit_tests")]
    answered = (yield from abilities(model, ruled, speak, settings)) if ruled else None
    drawn = (yield from programs_drawn(model, programs, speak, settings)) if programs and several else []
    return QuestionResults(answered, tuple(drawn))


def _judged(question: Question, completion: Completion | None) -> Answered:
    if completion is None:
        return Answered(question, "", passed=False, extracted=False, cut_off=False)
    verdict = check(question.check, completion.text)
    cut_off = completion.finish == "length"
    return Answered(question, completion.text, verdict.passed, verdict.extracted, cut_off, verdict.part)


ENDING = ".jsonl"


class OwnFile(QuestionSuite):
    """For each family as many questions as the recipe says; in other draws as many again, if the file has so many."""

    kind = "questions"
    title = "a file of questions"
    fixed = False

    @classmethod
    def match(cls, name: str) -> Benchmark | None:
        return Benchmark(kind=cls.kind, path=name) if name.endswith(ENDING) else None

    @classmethod
    def names(cls) -> Sequence[str]:
        return ()

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {}

    def check(self, recipe: Recipe) -> None:
        if [question for question in read_questions(existing(Path(self.name))) if runs_programs(question.check)]:
            require()

    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        found = drawn.drawn(read_questions(existing(Path(self.name))), number, settings)
        return found, Counter() if number else self.notes(settings)

    def notes(self, settings: Evaluation) -> Notes:
        if not Path(self.name).is_file():
            return Counter()
        entries, found = read_entries(Path(self.name)), Counter[str]()
        for family, again in repeated(entries).items():
            found[f"left out of {family}: repeats of the same question"] = again
        return found + drawn.left_out([one.question for one in distinct(entries)], settings)

    def count(self, settings: Evaluation) -> Count | None:
        if not Path(self.name).is_file():
            return None
        return drawn.count(read_questions(Path(self.name)), settings)

    def places(self) -> dict[str, str]:
        return {"evaluate": self.name}

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        return {"contents": digests.of(existing(Path(self.name))), "repeated": "once"}


SUITES = (OwnFile,)
