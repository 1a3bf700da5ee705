"""docs/questions.md: its checks, arguments and examples are those of the code."""

import inspect
import json
import re
from pathlib import Path

import pytest

from dragoman.suites.questions.checks import CHECKS, check, verified
from dragoman.suites.questions.question_files import KEYS, read_entries
from tests import ROOT

PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def examples(text: str) -> list[str]:
    return re.findall(r"^```json\n(.*?)```$", text, re.MULTILINE | re.DOTALL)


def test_the_page_has_every_check_and_every_key() -> None:
    assert set(SECTIONS) == set(CHECKS)
    assert {key for key in KEYS if f"| `{key}` |" in PAGE} == set(KEYS)


@pytest.mark.parametrize("name", CHECKS)
def test_arguments_and_their_defaults(name: str) -> None:
    parameters = list(inspect.signature(CHECKS[name]).parameters.values())[1:]
    said = {key: default or None for key, default in re.findall(r"^- `(\w+)(?: = ([^`]*))?`: ", SECTIONS[name], re.M)}
    plain = {
        one.name: None
        if one.default is one.empty
        else json.dumps([] if one.default == () else one.default, ensure_ascii=False)
        for one in parameters
    }
    assert said == plain


@pytest.mark.parametrize("name", CHECKS)
def test_the_example_names_the_check_and_its_answer_passes(name: str, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text("".join(examples(SECTIONS[name])), encoding="utf-8")
    entries = read_entries(tmp_path / "own.jsonl")
    assert {entry.question.check.name for entry in entries} == {name}
    for entry in entries:
        assert entry.answers
        assert verified(entry.question.check) == entry.question.check
        assert all(check(entry.question.check, answer).passed for answer in entry.answers)


def test_the_other_examples_are_questions(tmp_path: Path) -> None:
    others = [example for example in examples(PAGE) if all(example not in section for section in SECTIONS.values())]
    assert len(others) == 3
    for example in others:
        (tmp_path / "own.jsonl").write_text(example, encoding="utf-8")
        assert read_entries(tmp_path / "own.jsonl")
