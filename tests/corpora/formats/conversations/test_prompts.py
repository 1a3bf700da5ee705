"""Prompts without answers in their forms: what is read, what is left out, and what is said about faults."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.conversations.prompts import choose, read
from dragoman.corpora.records import Request, Turn
from dragoman.errors import DataError

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi "},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "1 + 1?"},
]


def written(folder: Path, *records: Any, name: str = "some.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def asked(*texts: str, kind: str = "") -> list[Request]:
    return [Request((Turn("user", text),), kind, "some") for text in texts]


def test_conversations_and_single_prompts_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, {"kind": "talk", "messages": TALK}, {"prompt": " Why?\n", "id": 3})
    turns = Turn("system", "Be brief."), Turn("user", "Hi"), Turn("assistant", "Hello."), Turn("user", "1 + 1?")
    assert list(read(path, "some", Counter())) == [Request(turns, "talk", "some"), *asked("Why?")]


def test_a_text_file_has_a_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("Who are you?\n\n  Tell me {a joke}. \n")
    assert list(read(path, "some", Counter())) == asked("Who are you?", "Tell me {a joke}.")


def test_empty_prompts_and_half_characters_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_text('{"prompt": " "}\n{"prompt": "\\ud83d"}\n{"prompt": "Hi"}\n')
    dropped: Counter[str] = Counter()
    assert list(read(path, "some", dropped)) == asked("Hi")
    assert dropped == {"empty": 1, "with half a character": 1}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"text": "Hi"}, "needed is 'messages' that end with the user's, or 'prompt'; there is 'text'"),
        ({"prompt": 3}, "'prompt' must be text, not 3"),
        ({"prompt": "Hi", "kind": 3}, "'kind' must be text, not 3"),
        ({"messages": []}, """'messages' must be a list of {"role", "content"} objects, not []"""),
        ({"messages": ["Hi"]}, """message 1 must be an object with "role" and "content", not 'Hi'"""),
        ({"messages": [*TALK, TALK[-1]]}, "message 5: the role must be assistant here, not 'user'"),
        ({"messages": [TALK[2]]}, "message 1: the role must be system or user here, not 'assistant'"),
        ({"messages": [{"role": "user", "content": None}]}, 'message 1: "content" must be text, not None'),
        (
            {"messages": TALK[:3]},
            "the last message must be the user's, for the backbone to answer; take the answer out",
        ),
    ],
)
def test_faults_say_where_and_what(tmp_path: Path, record: dict[str, Any], said: str) -> None:
    path = written(tmp_path, {"prompt": "Hi"}, record)
    with pytest.raises(DataError) as caught:
        list(read(path, "some", Counter()))
    assert str(caught.value) == f"{path}, line 2: {said}"


@pytest.mark.parametrize("name", ["none.jsonl", "none.txt"])
def test_a_file_without_prompts_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n")
    with pytest.raises(DataError, match="has no prompts in it"):
        list(read(tmp_path / name, "some", Counter()))


def test_a_choice_has_each_prompt_once_and_none_that_is_unwanted() -> None:
    requests = asked("Hi", "hi", " HI", "No", "Yes")
    kept, dropped = choose(requests, None, 0, lambda one: "bad" if one.turns[0].text == "No" else None)
    assert kept == asked("Hi", "Yes")
    assert dropped == {"duplicate": 2, "bad": 1}


def test_a_limit_takes_the_same_ones_in_every_order() -> None:
    requests = asked(*(f"Say {number}." for number in range(50)))
    some, dropped = choose(requests, 10, 3, lambda _: None)
    assert dropped == {"over the limit": 40}
    assert {one.key for one in choose(requests[::-1], 10, 3, lambda _: None)[0]} == {one.key for one in some}
    assert {one.key for one in choose(requests, 5, 3, lambda _: None)[0]} < {one.key for one in some}
    assert choose(requests, 10, 4, lambda _: None)[0] != some
