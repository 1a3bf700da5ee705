"""pass@k: the estimate, what is asked for it, and HumanEval's own solutions."""

import gzip
import json
from collections.abc import Generator
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError, EngineError
from dragoman.generation.ask import Ask, Completion
from dragoman.recipe.judging import Code, Evaluation
from dragoman.sandbox import sandbox
from dragoman.sandbox.sandbox import Protection
from dragoman.suites.humaneval.pass_at_k import judged_programs, pass_at_k, programs_drawn
from dragoman.suites.humaneval.problems import humaneval
from tests.suites.mute import Mute

TEST = "def check(candidate):\n    assert candidate(1) == 2\n"


def problem(name: str, prompt: str = "") -> Question:
    head = prompt or f"def {name}(x):\n"
    arguments = {"prompt": head, "test": TEST, "entry_point": name}
    return Question("humaneval", (Turn("user", f"Complete {name}."),), Check("unit_tests", arguments))


class Plain(Mute):
    """A speaker whose prompts are as long as the question."""

    stop = (0,)

    def __init__(self, context: int | None = None):
        self.context = context

    def question(self, question: Question) -> tuple[int, ...]:
        return tuple(range(len(question.turns[0].text)))


def run(suite: Generator[Ask, list[Completion], Any], answers: list[list[Any]]) -> tuple[list[Ask], Any]:
    """What a suite asks, and what it comes to when it is given some answers, in turn."""
    asks = [next(suite)]
    for given in answers:
        said = [one if isinstance(one, Completion) else Completion((1, 0), one, "stop") for one in given]
        try:
            asks.append(suite.send(said))
        except StopIteration as end:
            return asks, end.value
    raise AssertionError("more is asked than there are answers")


def test_the_estimate_is_the_share_of_choices_in_which_one_passes() -> None:
    for samples in range(1, 8):
        for correct in range(samples + 1):
            for k in range(1, samples + 1):
                chosen = list(combinations([True] * correct + [False] * (samples - correct), k))
                share = sum(any(one) for one in chosen) / len(chosen)
                assert pass_at_k(samples, correct, k) == pytest.approx(share, abs=1e-12)
    assert pass_at_k(200, 7, 1) == pytest.approx(7 / 200)
    assert pass_at_k(10_000, 1, 100) == pytest.approx(1 - comb(9_999, 100) / comb(10_000, 100))
    assert pass_at_k(200, 150, 100) == 1.0


@pytest.mark.parametrize(("samples", "correct", "k"), [(5, 2, 6), (5, 6, 1), (5, 2, 0), (0, 0, 1), (5, -1, 1)])
def test_what_cannot_be_estimated(samples: int, correct: int, k: int) -> None:
    with pytest.raises(DataError, match=f"pass@{k} can't be estimated from {samples} samples"):
        pass_at_k(samples, correct, k)


def test_each_prompt_is_asked_as_often_as_there_are_samples_each_time_with_another_seed() -> None:
    settings = Evaluation(seed=2, max_tokens=90, code=Code(samples=3, k=(1, 2), temperature=0.8, top_p=0.9))
    questions = [problem("f"), problem("g")]
    right, wrong = "    return x + 1", "    return x"
    asks, found = run(
        programs_drawn("vanilla", questions, Plain(), settings), [[right, wrong], [wrong, "No."], [right, wrong]]
    )
    assert [ask.model for ask in asks] == ["vanilla"] * 3
    assert {tuple(ask.prompts) for ask in asks} == {tuple(Plain().question(question) for question in questions)}
    assert {(one.temperature, one.top_p, one.max_tokens) for one in (ask.sampling for ask in asks)} == {(0.8, 0.9, 90)}
    assert [ask.sampling.seed for ask in asks] == [2_000_006, 2_000_007, 2_000_008]
    one, two = found
    assert (one.name, two.name) == ("humaneval", "humaneval@2")
    assert [item.value for item in one.items] == [pytest.approx(200 / 3), 0]
    assert [item.value for item in two.items] == [pytest.approx(100), 0]
    assert one.items[1].told == {"samples": 3, "passed": 0, "why": {"wrong": 2, "no program": 1}, "answer": wrong}
    assert one.side == "skill"
    assert not one.kept
    assert one.notes == {"wrong": 3, "no program": 1}
    assert one.facts == {"k": 1, "samples": 6, "passed": 2}
    assert two.signature.startswith(
        "pass@2|estimate:unbiased|samples:3|temperature:0.8|top_p:0.9|seed:2|max_tokens:90|sandbox:8s,4s-cpu|version:"
    )


def test_what_was_not_answered_is_counted() -> None:
    settings = Evaluation(code=Code(samples=2, k=(1, 2)))
    questions = [problem("f"), problem("long_name"), problem("g")]
    right = "    return x + 1"
    refused = Completion((), "", "failed", why="busy")
    asks, (one, two) = run(
        programs_drawn("m", questions, Plain(context=len("Complete long_name.")), settings),
        [[right, refused], [Completion((1,), right, "length"), right]],
    )
    assert [len(ask.prompts) for ask in asks] == [2, 2]
    assert [item.value for item in one.items] == [100, 0, 100]
    assert [item.value for item in two.items] == [100, 0, None]
    assert one.notes == {"cut off": 1, "failed": 1, "no room": 1, "no program": 2}


def test_nothing_is_asked_where_programs_cannot_be_run_or_there_are_no_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Question("facts", (Turn("user", "?"),), Check("number", {"value": 1}))
    with pytest.raises(DataError, match="facts: pass@k takes questions with unit tests, not number"):
        next(programs_drawn("m", [other], Plain(), Evaluation()))
    monkeypatch.setattr(sandbox, "protections", lambda: (Protection("starting processes", False),))
    monkeypatch.delenv(sandbox.UNSAFE, raising=False)
    with pytest.raises(EngineError, match="starting processes"):
        next(programs_drawn("m", [problem("f")], Plain(), Evaluation()))


def test_what_a_program_calls_its_exceptions_stays_out_of_the_notes() -> None:
    names = [f"\x1b[31mEVIL{number}\n" for number in range(3)]
    answers = [f"    raise type({name!r}, (Exception,), {{}})\n" for name in names]
    answers += ["raise type('\x1b[31m', (Exception,), {})\n\ndef f(x): pass", "    import json\n    json.loads('[')"]
    (found,) = judged_programs([problem("f", "def f(x):\n    'Adds.'\n")], [answers], [1])
    assert found.notes == {"raised Exception": 4, "raised ValueError": 1}


def test_answers_that_are_not_as_many_as_the_problems() -> None:
    with pytest.raises(DataError, match="there are 2 problems, and answers to 1"):
        judged_programs([problem("f"), problem("g")], [["    return x + 1"]], [1])


@pytest.mark.parametrize("whole", [False, True], ids=["what follows the prompt", "the function in a block"])
def test_the_canonical_solutions_pass(any_data: Path, whole: bool) -> None:
    path = any_data / "humaneval" / "HumanEval.jsonl.gz"
    problems = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    answers = [
        [f"```python\n{one['prompt']}{one['canonical_solution']}\n```" if whole else one["canonical_solution"]]
        for one in problems
    ]
    (found,) = judged_programs(humaneval(path), answers, [1])
    assert [one["task_id"] for one, item in zip(problems, found.items, strict=True) if item.value != 100] == []
    assert (len(found.items), found.score, found.notes) == (len(problems), 100, {})


def test_human_evals_own_examples_come_to_its_authors_number(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.sandbox.programs.TEST_SECONDS", 3)
    folder = real_data / "humaneval"
    samples = [json.loads(line)["completion"] for line in (folder / "example_samples.jsonl").read_text().splitlines()]
    (found,) = judged_programs(humaneval(folder / "example_problem.jsonl"), [samples], [1])
    assert found.score == 50
    assert found.items[0].told["passed"] == 3
