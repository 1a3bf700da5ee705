"""Question files."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError
from dragoman.suites.questions.checks import check
from dragoman.suites.questions.question_files import read_entries, read_questions, repeated

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
    path = written(tmp_path, GOOD, {"family": "talk", "turns": turns, "check": {"name": "refusal"}, "language": "de"})
    first, second = read_questions(path)
    assert first == Question("sums", (Turn("user", "1 + 1?"),), Check("number", {"value": 2}), "en")
    assert second.turns[2] == Turn("assistant", "Hallo!")
    assert (second.language, second.check) == ("de", Check("refusal", {}))


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
        f"{path}, line 2: unknown key 'famly'. Did you mean 'family'? "
        "Known are family, prompt, turns, check, answer, language",
        f"{path}, line 3: a question needs either 'prompt' or 'turns'",
        f"{path}, line 4: 'family' must be some text",
        f"{path}, line 4: turn 1: the role must be one of system, user, assistant, not 'bot'",
        f'{path}, line 4: \'check\' must be an object with a "name" and, where the check needs some, "arguments"',
        f"{path}, line 5: the last of the 'turns' must be the user's",
        f"{path}, line 6: 'family' is missing: the group of questions that are scored together",
        f'{path}, line 6: \'check\' may have "name" and "arguments" (an object), nothing else',
    ]


def test_a_line_that_is_no_object_hides_no_other_fault(tmp_path: Path) -> None:
    path = written(
        tmp_path, {**GOOD, "famly": "x"}, "{broken", '"Größe?"', GOOD, r'{"prompt": "\ud83d", "answer": "x"}'
    )
    with pytest.raises(DataError) as error:
        read_questions(path)
    told = str(error.value).split("\n")
    assert [one.removeprefix(f"{path}, ")[:6] for one in told] == ["line 2", "line 3", "line 5", "line 1"]
    assert told[1] == f'{path}, line 3: a JSON object is needed, not "Größe?"'
    assert "half a character" in told[2]
    assert "unknown key 'famly'" in told[3]


def test_other_faults_of_a_line_hide_no_check_that_cannot_be_run(tmp_path: Path) -> None:
    unknown, unfit = {"name": "nummber"}, {"name": "number", "arguments": {"value": "seven"}}
    path = written(tmp_path, GOOD, {"prompt": "2?", "check": unknown}, {**GOOD, "prompt": 3, "check": unfit})
    with pytest.raises(DataError) as error:
        read_questions(path)
    first, second, third, fourth = str(error.value).split("\n")
    assert first == f"{path}, line 2: 'family' is missing: the group of questions that are scored together"
    assert second.startswith(f"{path}, line 2: There is no check 'nummber'. Did you mean 'number'?")
    assert third == f"{path}, line 3: 'prompt' must be some text"
    assert fourth == f"{path}, line 3: Check 'number': value must be a number, not 'seven'."


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


def test_a_prompt_and_its_answer(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"prompt": "Capital of Italy?", "answer": "Rome"},
        {"prompt": "A colour of the flag?", "answer": ["green", "white", "red"]},
        {"prompt": "6 * 7?", "answer": 42},
    )
    first, second, third = read_questions(path)
    assert first == Question("questions", (Turn("user", "Capital of Italy?"),), Check("equals", {"values": ["Rome"]}))
    assert second.check.arguments == {"values": ["green", "white", "red"]}
    assert third.check.arguments == {"values": ["42"]}
    assert check(first.check, "rome.").passed


def test_an_answer_beside_a_check_is_a_right_answer_to_try(tmp_path: Path) -> None:
    (entry,) = read_entries(written(tmp_path, {**GOOD, "answer": "The answer is 2."}))
    assert (entry.answers, entry.question.check.name) == (("The answer is 2.",), "number")


def test_a_bare_text_where_a_list_belongs_is_one_item(tmp_path: Path) -> None:
    """As a list of its letters every answer with one of them would be right."""
    bare = {"name": "contains", "arguments": {"any": "Paris"}}
    path = written(
        tmp_path,
        {**GOOD, "check": bare},
        {**GOOD, "prompt": "2?", "check": {"name": "equals", "arguments": {"values": "Paris", "exact": True}}},
        {**GOOD, "prompt": "3?", "check": {"name": "all_of", "arguments": {"checks": [bare]}}},
    )
    contains, equals, all_of = (question.check for question in read_questions(path))
    assert contains.arguments == {"any": ["Paris"]}
    assert [check(one, "a").passed for one in (contains, equals, all_of)] == [False] * 3
    assert [check(one, "Paris").passed for one in (contains, equals, all_of)] == [True] * 3


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("nummber", {"value": 1}, "There is no check 'nummber'. Did you mean 'number'?"),
        ("contains", {"text": "x"}, "Check 'contains' takes no text. It takes: all, any, none, prefix."),
        ("contains", {"any": ["x", None]}, "any must be a list of texts, in quotes; None is none."),
        ("contains", {}, "needs any, all or none: without them every answer is right"),
        ("contains", {"any": []}, "needs any, all or none: without them every answer is right"),
        ("contains", {"any": ["x", " "]}, "one of its texts is empty"),
        ("equals", {"values": []}, "values is empty, so no answer could be right"),
        ("equals", {"values": [2.5]}, "2.5 is none"),
        ("equals", {"values": ["x"], "exact": "yes"}, "exact must be true or false, not 'yes'"),
        ("number", {"value": "seven"}, "value must be a number, not 'seven'"),
        ("number", {"value": True}, "value must be a number, not True"),
        ("number", {"value": 1, "after": 3}, "after must be some text, not 3"),
        ("count", {"text": "x", "times": 1.5}, "times must be a whole number, not 1.5"),
        ("word_count", {}, "needs exactly, at_least or at_most"),
        ("case", {"form": "title"}, "form must be lower or upper, not 'title'"),
        ("squad", {"values": ["x"], "language": "de", "extract": "last"}, "extract must be first_line or whole"),
        ("json_key", {"key": "a", "value": [1]}, "value must be some text or a number or true or false or null"),
        ("letter", {"value": "AB"}, "takes a value of A, B, C, D, not 'AB'"),
        ("program", {"function": "f", "cases": [[1, 2]]}, "each of the cases is a list of two"),
        ("program", {"function": "f", "cases": "f(1)"}, "cases must be a list, not 'f(1)'"),
        ("all_of", {"checks": [{"name": "case", "arguments": {"form": "x"}}]}, "form must be lower or upper"),
        ("all_of", {"checks": [{"name": "case", "arguments": "upper"}]}, "takes parts like"),
    ],
)
def test_a_check_that_cannot_be_run_is_an_error_with_its_line(
    tmp_path: Path, name: str, arguments: dict[str, Any], said: str
) -> None:
    path = written(tmp_path, GOOD, {**GOOD, "prompt": "2 + 2?", "check": {"name": name, "arguments": arguments}})
    with pytest.raises(DataError) as error:
        read_questions(path)
    assert str(error.value).startswith(f"{path}, line 2: ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"prompt": "1?"}, "a question needs an 'answer', or a 'check' that judges answers"),
        ({"prompt": "1?", "answer": ""}, "'answer' must be some text, or a list of texts"),
        ({"prompt": "1?", "answer": None}, "'answer' must be some text, or a list of texts"),
        ({"prompt": "1?", "answer": []}, "'answer' is an empty list"),
        ({"prompt": "1?", "answer": ["x", True]}, "'answer' must be some text, or a list of texts"),
        ({"prompt": "1?", "answer": 2.5}, "the answer 2.5 must be in quotes"),
        ({"question": "1?", "answer": "x"}, "unknown key 'question'. Known are"),
    ],
)
def test_what_is_wrong_with_an_answer(tmp_path: Path, record: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as error:
        read_questions(written(tmp_path, record))
    assert said in str(error.value)


def test_the_same_question_again_counts_once(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, {**GOOD, "family": "other"}, GOOD, GOOD, {**GOOD, "prompt": "1 + 1 = ?"})
    assert [one.family for one in read_questions(path)] == ["sums", "other", "sums"]
    assert repeated(read_entries(path)) == {"sums": 2}


def test_the_same_question_with_another_answer_is_a_mistake(tmp_path: Path) -> None:
    path = written(
        tmp_path, {"prompt": "1?", "answer": "x"}, {"prompt": "2?", "answer": "x"}, {"prompt": "1?", "answer": "y"}
    )
    with pytest.raises(DataError, match=r"line 3: the question of line 1, with another check"):
        read_questions(path)
