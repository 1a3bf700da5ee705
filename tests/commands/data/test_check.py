"""`dragoman data check`: what it tells of question files, and its exit code."""

import json
from pathlib import Path

from typer.testing import CliRunner

from dragoman.cli import app


def number(value: int, answer: str = "", prompt: str = "") -> dict[str, object]:
    check = {"name": "number", "arguments": {"value": value}}
    told = {"answer": answer} if answer else {}
    return {"family": "sums", "prompt": prompt or f"What is {value}?", "check": check, **told}


def written(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def told(*paths: Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["data", "check", *map(str, paths)])
    return result.exit_code, result.output.splitlines()


def test_a_sound_file_is_told_by_family(tmp_path: Path) -> None:
    talk = {"family": "talk", "prompt": "Hi.", "answer": ["Hello", "Hi"]}
    path = written(
        tmp_path / "own.jsonl", number(1, "The answer is 1."), talk, number(2), number(1, "The answer is 1.")
    )
    assert told(path) == (
        0,
        [
            str(path),
            "  sums: 3 questions, 2 distinct; checks: number (2); gold answers: 2 of 2 pass",
            "    asked further up as well, counted once: line 4",
            "  talk: 1 question, 1 distinct; checks: equals (1); gold answers: 2 of 2 pass",
        ],
    )


def test_an_answer_that_does_not_pass_its_check(tmp_path: Path) -> None:
    path = written(tmp_path / "own.jsonl", number(1), number(2, "The answer is 3."), number(4, "It is 4."))
    code, lines = told(path)
    assert code == 1
    assert "gold answers: 0 of 2 pass" in lines[1]
    assert lines[2:] == [
        f"{path}, line 2: the answer 'The answer is 3.' does not pass the check 'number'",
        f"{path}, line 3: the answer 'It is 4.' does not pass the check 'number', which finds nothing to judge in it",
    ]


def test_faults_of_all_files_with_their_lines(tmp_path: Path) -> None:
    one = written(tmp_path / "one.jsonl", number(1), {"prompt": "x", "answr": "y", "family": "sums"})
    two = written(tmp_path / "two.jsonl", number(1))
    code, lines = told(one, two, tmp_path / "none.jsonl")
    assert code == 1
    assert lines[0].startswith(f"{one}, line 2: unknown key 'answr'. Did you mean 'answer'?")
    assert str(two) in lines
    assert f"there is no file {tmp_path / 'none.jsonl'}" in lines[-1]


def test_more_than_are_asked(tmp_path: Path) -> None:
    code, lines = told(written(tmp_path / "own.jsonl", *map(number, range(101))))
    assert (code, lines[2]) == (0, "    100 of them are asked, unless a recipe says otherwise (evaluation.questions)")
