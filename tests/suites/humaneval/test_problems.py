"""Benchmarks as questions."""

import json
from pathlib import Path

import pytest

from dragoman.corpora.records import Check
from dragoman.errors import DataError
from dragoman.suites.humaneval.problems import humaneval

PROBLEM = {"task_id": "t/0", "prompt": "\ndef f(x):\n", "entry_point": "f", "test": "def check(f): ...", "more": 1}


def test_a_problem_becomes_a_request_to_complete_it(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(json.dumps(PROBLEM) + "\n\n")
    (question,) = humaneval(path)
    assert question.family == "humaneval"
    assert [turn.role for turn in question.turns] == ["user"]
    assert question.turns[0].text.endswith("```python\ndef f(x):\n```")
    arguments = {"prompt": "\ndef f(x):\n", "test": "def check(f): ...", "entry_point": "f"}
    assert question.check == Check("unit_tests", arguments)
    assert question.texts == (PROBLEM["prompt"],)


def test_another_file(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl"
    path.write_text(json.dumps(PROBLEM) + "\n" + json.dumps({"prompt": "x"}) + "\n")
    with pytest.raises(DataError, match=r"line 2: 'test', 'entry_point' must be text, as in HumanEval"):
        humaneval(path)


def test_all_problems_are_there(real_data: Path) -> None:
    questions = humaneval(real_data / "humaneval" / "HumanEval.jsonl.gz")
    assert len(questions) == len({question.key for question in questions}) == 164
