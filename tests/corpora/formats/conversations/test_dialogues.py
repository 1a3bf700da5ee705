"""Instruction data in its formats: what becomes of a record, what is left out, and what is said about faults."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dragoman.corpora.formats.conversations.dialogues import DialogueFile, read, select
from dragoman.corpora.records import Dialogue, Turn
from dragoman.errors import DataError


def lines(folder: Path, *records: Any) -> DialogueFile:
    path = folder / "some.jsonl"
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return DialogueFile(path, "some")


def turns(*texts: str) -> tuple[Turn, ...]:
    return tuple(Turn("assistant" if at % 2 else "user", text) for at, text in enumerate(texts))


MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi "},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "1 + 1?"},
    {"role": "assistant", "content": "2"},
]


def share(*said: str) -> list[dict[str, str]]:
    """Messages in ShareGPT's form; the first word is who speaks."""
    return [dict(zip(("from", "value"), one.split(" ", 1), strict=True)) for one in said]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"output": " dog", "instruction": "Translate.", "input": "Hund\n"},
            (Turn("user", "Translate.", "Hund"), Turn("assistant", "dog")),
        ),
        ({"instruction": "Say hi.", "input": "", "output": "Hi.", "id": 3}, turns("Say hi.", "Hi.")),
        ({"instruction": "Say hi.", "output": "Hi."}, turns("Say hi.", "Hi.")),
        (
            {"instruction": "When?", "context": "It was 1990.", "response": "1990", "category": "closed_qa"},
            (Turn("user", "When?", "It was 1990."), Turn("assistant", "1990")),
        ),
        ({"instruction": "Sort a list.", "response": "sorted(x)"}, turns("Sort a list.", "sorted(x)")),
        ({"instruction": "Sort.", "context": None, "response": "sorted(x)"}, turns("Sort.", "sorted(x)")),
        ({"lang": "rust", "problem": "Add.", "solution": "a + b"}, turns("Add.", "a + b")),
        ({"messages": MESSAGES}, (Turn("system", "Be brief."), *turns("Hi", "Hello.", "1 + 1?", "2"))),
        ({"messages": [{"role": "system", "content": ""}, *MESSAGES[1:3]]}, turns("Hi", "Hello.")),
        ({"id": "x_0", "conversations": share("human Hi", "gpt Hello.")}, turns("Hi", "Hello.")),
        (
            {"conversations": share("system Be brief.", "user Hi", "bing Hello.", "human 1 + 1?", "chatgpt 2")},
            (Turn("system", "Be brief."), *turns("Hi", "Hello.", "1 + 1?", "2")),
        ),
        ({"conversations": MESSAGES[1:3]}, turns("Hi", "Hello.")),
    ],
)
def test_formats(tmp_path: Path, record: Any, expected: tuple[Turn, ...]) -> None:
    assert list(read(lines(tmp_path, record))) == [Dialogue(expected, "some")]
    parquet = tmp_path / "some.parquet"
    pq.write_table(pa.Table.from_pylist([record, record]), parquet)
    assert list(read(DialogueFile(parquet, "some", language="de"))) == [Dialogue(expected, "some", "de")] * 2


def test_an_input_changes_no_key(tmp_path: Path) -> None:
    (found,) = read(lines(tmp_path, {"instruction": "Translate.", "input": "Hund", "output": "dog"}))
    assert found.key == Dialogue(turns("Translate.\n\nHund", "dog")).key


@pytest.mark.parametrize(
    ("record", "renamed"),
    [
        (
            {"uscita": "dog", "ingresso": "Hund", "Istruzione": "Translate."},
            {"uscita": "output", "ingresso": "input", "Istruzione": "instruction"},
        ),
        (
            {"Anweisung": "Translate.", "Eingabe": "Hund", "output": "dog"},
            {"Anweisung": "instruction", "Eingabe": "input"},
        ),
        ({"instruction": "Translate.", "entrada": "Hund", "output": "dog"}, {"entrada": "input"}),
        (
            {"指令": "Translate.", "上下文": "Hund", "回答": "dog"},
            {"指令": "instruction", "上下文": "context", "回答": "response"},
        ),
        (
            {"التعليمات": "Translate.", "الإدخال": "Hund", "output": "dog"},
            {"التعليمات": "instruction", "الإدخال": "input"},
        ),
    ],
)
def test_translated_keys_are_understood_and_named_once(
    tmp_path: Path, record: dict[str, str], renamed: dict[str, str]
) -> None:
    chosen = select(lines(tmp_path, record, {**record, "id": "7"}), None, 0)
    assert [dialogue.turns for dialogue in chosen] == [(Turn("user", "Translate.", "Hund"), Turn("assistant", "dog"))]
    assert chosen.renamed == renamed


def test_a_key_of_its_own_name_stands(tmp_path: Path) -> None:
    file = lines(tmp_path, {"output": "b", "Ausgabe": "c", "instruction": "a", "Anleitung": "d"})
    assert [dialogue.turns for dialogue in read(file)] == [turns("a", "b")]


def test_a_conversation_begins_with_a_request_and_ends_with_an_answer(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()
    file = lines(
        tmp_path,
        {"conversations": share("gpt Welcome!", "gpt Ask.", "human Hi", "gpt Hello.", "human And?")},
        {"conversations": share("human Hi", "human Hi?", "gpt Hello.")},
        {"conversations": share("gpt Alone.")},
        {"conversations": []},
        {"conversations": share("human Hi", "gpt Hello.")},
    )
    assert [dialogue.turns for dialogue in read(file, dropped)] == [turns("Hi", "Hello.")] * 2
    assert +dropped == {
        "answers before the first request": 2,
        "requests without an answer at the end": 1,
        "request and answer not by turns": 1,
        "empty": 2,
    }


def test_empty_ones_are_counted(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()
    file = lines(
        tmp_path,
        {"instruction": "a", "output": " \n"},
        {"instruction": "", "input": "text", "output": "b"},
        {"instruction": "a", "output": "b"},
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": ""}]},
    )
    assert [dialogue.turns for dialogue in read(file, dropped)] == [turns("a", "b")]
    assert dropped == {"empty": 3}


def test_only_one_language_is_taken(tmp_path: Path) -> None:
    records = [{"problem": lang, "solution": "x", "lang": lang} for lang in ("python", "rust", "Python", "go")]
    file = lines(tmp_path, *records)
    chosen = select(DialogueFile(file.path, "some", "python"), None, 0)
    assert [dialogue.turns[0].text for dialogue in chosen] == ["python", "Python"]
    assert chosen.dropped == {"not python": 2}
    with pytest.raises(DataError, match=r"line 1: 'lang' must say which language .* only python is taken"):
        list(read(DialogueFile(lines(tmp_path, {"problem": "a", "solution": "b"}).path, "some", "python")))


def faulty(number: int) -> Any:
    return [
        {"instruction": 3, "input": ["x"], "output": "b"},
        {"prompt": "a", "completion": "b"},
        {"messages": "hello"},
        {"messages": [{"role": "user", "content": "a"}]},
        {"messages": [{"role": "human", "content": "a"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
        {"messages": [{"role": "user", "text": "a"}]},
        {"messages": [{"role": "user", "content": None}, {"role": "assistant", "content": "b"}]},
        {"problem": "p", "solution": None},
        {"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]},
        {"conversations": share("human a", "narrator b")},
        {"conversations": [{"from": "human", "value": 7}, {"from": "gpt"}]},
        {"conversations": {"from": "human"}},
    ][number]


def test_all_faults_at_once(tmp_path: Path) -> None:
    file = lines(tmp_path, {"instruction": "a", "output": "b"}, *map(faulty, range(13)))
    with pytest.raises(DataError) as error:
        list(read(file))
    expected = [
        "line 2: 'instruction' must be text, not 3",
        "line 2: 'input' must be text, or null, not ['x']",
        "line 3: no form that is known. Needed are 'messages', 'conversations', 'instruction' with 'output' or "
        "'response' (and 'input' or 'context'), or 'problem' with 'solution'; there is 'prompt', 'completion'",
        "line 4: 'messages' must be a list of {\"role\", \"content\"} objects, not 'hello'",
        "line 5: the last message must be the assistant's",
        "line 6: message 1: the role must be system or user here, not 'human'",
        "line 7: message 2: the role must be assistant here, not 'user'",
        "line 8: message 1 must be an object with \"role\" and \"content\", not {'role': 'user', 'text': 'a'}",
        'line 9: message 1: "content" must be text, not None',
        "line 10: 'solution' must be text, not None",
        "line 11: message 2 is of the role 'tool': conversations that use tools can not be learnt from here; leave "
        "them out of the file",
        "line 12: message 2: the role must be one of system, user, assistant, human, gpt, chatgpt, bing, bard, model, "
        "bot, not 'narrator'",
        'line 13: message 1: "value" must be text, not 7',
        "line 13: message 2 must be an object with \"from\" and \"value\", not {'from': 'gpt'}",
        "line 14: 'conversations' must be a list of {\"from\", \"value\"} objects, not {'from': 'human'}",
    ]
    assert str(error.value).split("\n") == [f"{file.path}, {text}" for text in expected]


def test_twenty_faults_are_enough(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        list(read(lines(tmp_path, *[{"instruction": 1, "output": ""}] * 30)))
    said = str(error.value).split("\n")
    assert len(said) == 21
    assert said[-1] == "… and more"


def test_a_file_with_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"some\.jsonl has no conversations in it"):
        list(read(lines(tmp_path)))
    with pytest.raises(DataError, match=r"there is no file .*none\.jsonl"):
        list(read(DialogueFile(tmp_path / "none.jsonl", "none")))


def test_a_limit_does_not_depend_on_the_order(tmp_path: Path) -> None:
    records = [{"instruction": f"Say {number}.", "output": str(number)} for number in range(50)]
    chosen = select(lines(tmp_path, *records, records[3]), 10, seed=1)
    kept = {dialogue.key for dialogue in chosen}
    assert len(chosen) == len(kept) == 10
    assert chosen.dropped == {"duplicate": 1, "over the limit": 40}
    assert {dialogue.key for dialogue in select(lines(tmp_path, *reversed(records)), 10, seed=1)} == kept
    assert {dialogue.key for dialogue in select(lines(tmp_path, *records), 10, seed=2)} != kept
    assert kept < {dialogue.key for dialogue in select(lines(tmp_path, *records), 20, seed=1)}


def test_what_is_unwanted_does_not_count_towards_the_limit(tmp_path: Path) -> None:
    records = [{"instruction": f"Say {number}.", "output": str(number)} for number in range(8)]
    chosen = select(lines(tmp_path, *records), 5, 0, lambda one: "asked later" if one.turns[1].text < "3" else None)
    assert len(chosen) == 5
    assert chosen.dropped == {"asked later": 3}


@pytest.mark.parametrize(
    ("path", "count", "duplicates"),
    [
        ("german_alpaca/source_tasks/tasks_translated_en.json", 12_000, 0),
        ("german_alpaca/translated/translated_tasks_de_deepl_12k.json", 12_000, 50),
        ("llamafactory/alpaca_en_demo.json", 999, 14),
        ("llamafactory/alpaca_zh_demo.json", 1_000, 8),
        ("llamafactory/identity.json", 91, 0),
        ("sdft/alpaca/alpaca_train.json", 2_000, 0),
        ("sdft/alpaca/distilled_alpaca.json", 2_000, 0),
        ("sdft/dolly/dolly_train.json", 2_000, 1),
    ],
)
def test_real_files(real_data: Path, path: str, count: int, duplicates: int) -> None:
    file = DialogueFile(real_data / "instruction" / path, "real")
    chosen = select(file, None, 0)
    assert sum(1 for _ in read(file)) == count
    assert len(chosen) == count - duplicates
    assert chosen.dropped == ({"duplicate": duplicates} if duplicates else {})
    records = json.loads(file.path.read_text(encoding="utf-8"))
    longest = max(records, key=lambda record: len(record["input"]))
    request = Turn("user", longest["instruction"].strip(), longest["input"].strip())
    assert Dialogue((request, Turn("assistant", longest["output"].strip())), "real") in list(chosen)
    assert sum(bool(one.turns[0].input) for one in read(file)) == sum(bool(one["input"].strip()) for one in records)


def test_a_real_file_of_another_kind(real_data: Path) -> None:
    with pytest.raises(DataError) as error:
        select(DialogueFile(real_data / "instruction" / "stanford_alpaca" / "seed_tasks.jsonl", "seeds"), None, 0)
    assert "line 1: no form that is known" in str(error.value)
    assert "there is 'id', 'name', 'instruction', 'instances', 'is_classification'" in str(error.value)

    with pytest.raises(DataError, match=r"dataset_info\.json, line 1, column 2: not valid JSON"):
        list(read(DialogueFile(real_data / "instruction" / "llamafactory" / "dataset_info.json", "registry")))


def test_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    path.write_text("<html>")
    with pytest.raises(DataError, match=r"some\.parquet can not be read as Parquet: .+"):
        list(read(DialogueFile(path, "some")))
    pq.write_table(pa.table({"instruction": ["a", None], "output": ["b", "c"]}), path)
    with pytest.raises(DataError, match=r"some\.parquet, row 2: 'instruction' must be text, not None"):
        list(read(DialogueFile(path, "some")))
