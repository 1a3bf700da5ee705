"""Question files."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.question_files import read_questions
from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError

GOOD = {"family": "sums", "prompt": "1 + 1?", "check": {"name": "number", "arguments": {"value": 2}}}


def written(folder: Path, *records: Any) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(record if isinstance(record, str) else json.dumps(record) for record in records))
    return path


def test_questions(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "text": "Be brief."},
        {"role": "user", "text": "Hallo"},
        {"role": "assistant", "text": "Hallo!"},
        {"role": "user", "text": "Wie spät?"},
    ]
    path = written(tmp_path, GOOD, {"family": "talk", "turns": turns, "check": {"name": "any"}, "language": "de"})
    first, second = read_questions(path)
    assert first == Question("sums", (Turn("user", "1 + 1?"),), Check("number", {"value": 2}), "en")
    assert second.turns[2] == Turn("assistant", "Hallo!")
    assert (second.language, second.check) == ("de", Check("any", {}))


def test_all_faults_with_their_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        GOOD,
        {**GOOD, "famly": "x"},
        {**GOOD, "turns": []},
        {"family": "", "check": "number", "turns": [{"role": "bot", "text": "x"}]},
        {**{key: GOOD[key] for key in ("family", "check")}, "turns": [{"role": "assistant", "text": "x"}]},
        {"prompt": "x", "check": {"name": "number", "value": 2}},
    )
    with pytest.raises(DataError) as error:
        read_questions(path)
    assert str(error.value).split("\n") == [
        f"{path}, line 2: unknown key 'famly'; known are family, prompt, turns, check, language",
        f"{path}, line 3: a question needs either 'prompt' or 'turns'",
        f"{path}, line 4: 'family' must be some text",
        f"{path}, line 4: turn 1: the role must be one of system, user, assistant, not 'bot'",
        f'{path}, line 4: \'check\' must be an object with a "name" and, where the check needs some, "arguments"',
        f"{path}, line 5: the last of the 'turns' must be the user's",
        f"{path}, line 6: 'family' is missing: the group of questions that are scored together",
        f'{path}, line 6: \'check\' may have "name" and "arguments" (an object), nothing else',
    ]


def test_many_faults_are_summed_up(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"… and 5 more$"):
        read_questions(written(tmp_path, *[{**GOOD, "prompt": 1}] * 25))


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "has no questions in it"), ('{"family": }', r"line 1, column 12: not valid JSON"), ("3", "a JSON object")],
)
def test_not_questions(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_questions(written(tmp_path, text))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*none\.jsonl"):
        read_questions(tmp_path / "none.jsonl")
