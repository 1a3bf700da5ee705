"""HumanEval's pass@k: how likely it is that at least one of k sampled programs passes its tests.

With n samples, c of which pass, the estimate for k is 1 - C(n-c, k) / C(n, k): the share of all choices of k samples
that contain a passing one. It has no bias, as HumanEval's authors show. Each program runs in the sandbox.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from dragoman import __version__
from dragoman.corpora.records import Question
from dragoman.errors import DataError
from dragoman.generation.ask import Ask, Completion, Sampling
from dragoman.json_values import as_text
from dragoman.recipe.judging import Evaluation
from dragoman.sandbox.programs import TEST_CPU, TEST_SECONDS, completed, work_of
from dragoman.sandbox.sandbox import outcomes, require
from dragoman.suites._graded import Graded, Item
from dragoman.suites._judge import asked, counted, fits
from dragoman.suites._suite import Speaker

_SEEDS = 1_000_003  # between the seeds of two evaluations, so that their samples have seeds of their own
NO_CODE = "no program"


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """The unbiased estimate of pass@k from `samples` programs of which `correct` passed.

    `DataError` unless 0 < k <= samples and 0 <= correct <= samples.
    """
    if not 0 < k <= samples or not 0 <= correct <= samples:
        raise DataError(f"pass@{k} can't be estimated from {samples} samples of which {correct} passed")
    missed = 1.0
    for drawn in range(k):  # without a passing one among those drawn before
        missed *= max(0, samples - correct - drawn) / (samples - drawn)
    return 1.0 - missed


@dataclass(frozen=True, slots=True)
class JudgedPrograms:
    """The programs of one question: how many there are, how many passed, and why the others did not."""

    samples: int
    correct: int
    why: Mapping[str, int]


def programs_drawn(
    model: str, questions: Sequence[Question], speak: Speaker, settings: Evaluation
) -> Generator[Ask, list[Completion], list[Graded]]:
    """Asks every question `settings.code.samples` times, each time with another seed, and returns every pass@k.

    A question that leaves no room for an answer in the model's context is not asked, and counts as failed. Before
    anything is asked, `DataError` is raised if a question has no unit tests, and `EngineError` if programs can't be
    run.
    """
    _check(questions)
    require()
    code = settings.code
    prompts = [speak.question(question) for question in questions]
    answers: list[list[Completion]] = [[] for _ in questions]
    room = [fits(speak, prompt) for prompt in prompts]
    for number in range(code.samples):
        sampling = Sampling(
            max_tokens=settings.max_tokens,
            stop=speak.stop,
            temperature=code.temperature,
            top_p=code.top_p,
            seed=settings.seed * _SEEDS + number,
        )
        purpose = f"programs, {number + 1} of {code.samples}"
        given = yield from asked(model, prompts, speak, sampling, purpose)
        for held, completion in zip(answers, given, strict=True):
            if completion:
                held.append(completion)
    told = [[one.text for one in held if one.finish != "failed"] for held in answers]
    notes = {
        "cut off": sum(one.finish == "length" for held in answers for one in held),
        "failed": sum(one.finish == "failed" for held in answers for one in held),
        "no room": room.count(False),
    }
    full = [texts if there else [""] * code.samples for texts, there in zip(told, room, strict=True)]
    how = f"temperature:{code.temperature:g}|top_p:{code.top_p:g}|seed:{settings.seed}|max_tokens:{settings.max_tokens}"
    return judged_programs(questions, full, code.k, how, notes)


def judged_programs(
    questions: Sequence[Question],
    answers: Sequence[Sequence[str]],
    ks: Sequence[int],
    how: str = "given",
    notes: Mapping[str, int] | None = None,
) -> list[Graded]:
    """Every pass@k, in the order of `ks`, for a model's answers: one or more programs for each question.

    An answer is run as it stands after the prompt if that compiles; otherwise the code in it is, as by `completed`.
    `how` says in the signature how the answers were made. A question with fewer than k answers has no value.
    `DataError` if the number of answers differs from that of the questions, or a question has no unit tests;
    `EngineError` if programs can't be run safely.
    """
    _check(questions)
    if len(questions) != len(answers):
        raise DataError(f"there are {len(questions)} problems, and answers to {len(answers)}")
    judged = _judged(questions, answers)
    wrong = Counter(notes or {})
    for one in judged:
        wrong.update(one.why)
    return [_graded(questions, answers, judged, k, how, wrong) for k in ks]


def _judged(questions: Sequence[Question], answers: Sequence[Sequence[str]]) -> list[JudgedPrograms]:
    """Runs each distinct program once."""
    codes = [
        [completed(answer, _told(given, "prompt"), _told(given, "entry_point")) for answer in texts]
        for given, texts in zip(questions, answers, strict=True)
    ]
    places = list(dict.fromkeys((at, code) for at, held in enumerate(codes) for code in held if code))
    works = []
    for at, code in places:
        given = questions[at]
        works.append(work_of(code, _told(given, "entry_point"), _told(given, "test"), _told(given, "prompt")))
    found = dict(zip(places, outcomes(works), strict=True))
    judged = []
    for at, held in enumerate(codes):
        fared = [found[at, code] if code else None for code in held]
        why = Counter(one.why if one else NO_CODE for one in fared if one is None or not one.passed)
        judged.append(JudgedPrograms(len(held), sum(one is not None and one.passed for one in fared), why))
    return judged


def _told(question: Question, name: str) -> str:
    return as_text(question.check.arguments[name])


def _graded(
    questions: Sequence[Question],
    answers: Sequence[Sequence[str]],
    judged: Sequence[JudgedPrograms],
    k: int,
    how: str,
    notes: Mapping[str, int],
) -> Graded:
    family = questions[0].family if questions else "humaneval"
    items = tuple(
        Item(
            question.key,
            100 * pass_at_k(one.samples, one.correct, k) if one.samples >= k else None,
            question.subject,
            {"samples": one.samples, "passed": one.correct, "why": dict(one.why), "answer": _first(texts)},
        )
        for question, texts, one in zip(questions, answers, judged, strict=True)
    )
    samples = "/".join(map(str, sorted({one.samples for one in judged})))
    signature = (
        f"pass@{k}|estimate:unbiased|samples:{samples}|{how}|sandbox:{TEST_SECONDS}s,{TEST_CPU}s-cpu"
        f"|version:dragoman-{__version__}"
    )
    facts = {"k": k, "samples": sum(one.samples for one in judged)}
    facts["passed"] = sum(one.correct for one in judged)
    name = family if k == 1 else f"{family}@{k}"
    return Graded(name, "skill", signature, items, kept=False, notes=counted(notes), facts=facts)


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""


def _check(questions: Sequence[Question]) -> None:
    for question in questions:
        if question.check.name != "unit_tests":
            raise DataError(f"{question.family}: pass@k takes questions with unit tests, not {question.check.name}")
