"""Instruction data in its formats: what becomes of a record, what is left out, and what is said about faults."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.dialogues import DialogueFile, read, select
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


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"instruction": "Translate.", "input": "Hund\n", "output": " dog"}, turns("Translate.\n\nHund", "dog")),
        ({"instruction": "Say hi.", "input": "", "output": "Hi.", "id": 3}, turns("Say hi.", "Hi.")),
        ({"instruction": "Say hi.", "output": "Hi."}, turns("Say hi.", "Hi.")),
        (
            {"instruction": "When?", "context": "It was 1990.", "response": "1990", "category": "closed_qa"},
            turns("When?\n\nIt was 1990.", "1990"),
        ),
        ({"instruction": "Sort a list.", "response": "sorted(x)"}, turns("Sort a list.", "sorted(x)")),
        ({"instruction": "Sort.", "context": None, "response": "sorted(x)"}, turns("Sort.", "sorted(x)")),
        ({"lang": "rust", "problem": "Add.", "solution": "a + b"}, turns("Add.", "a + b")),
        ({"messages": MESSAGES}, (Turn("system", "Be brief."), *turns("Hi", "Hello.", "1 + 1?", "2"))),
        ({"messages": [{"role": "system", "content": ""}, *MESSAGES[1:3]]}, turns("Hi", "Hello.")),
    ],
)
def test_formats(tmp_path: Path, record: Any, expected: tuple[Turn, ...]) -> None:
    assert list(read(lines(tmp_path, record))) == [Dialogue(expected, "some")]


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
    ][number]


def test_all_faults_at_once(tmp_path: Path) -> None:
    file = lines(tmp_path, {"instruction": "a", "output": "b"}, *map(faulty, range(9)))
    with pytest.raises(DataError) as error:
        list(read(file))
    expected = [
        "line 2: 'instruction' must be text, not 3",
        "line 2: 'input' must be text, or null, not ['x']",
        "line 3: no form that is known. Needed are 'messages', 'instruction' with 'output' or 'response', or 'problem' "
        "with 'solution'; there is 'prompt', 'completion'",
        'line 4: \'messages\' must be a list of {"role", "content"} objects',
        "line 5: the last message must be the assistant's",
        "line 6: message 1: the role must be system or user here, not 'human'",
        "line 7: message 2: the role must be assistant here, not 'user'",
        "line 8: message 1 must be an object with \"role\" and \"content\", not {'role': 'user', 'text': 'a'}",
        'line 9: message 1: "content" must be text, not None',
        "line 10: 'solution' must be text, not None",
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
    request = f"{longest['instruction'].strip()}\n\n{longest['input'].strip()}".strip()
    assert Dialogue((Turn("user", request), Turn("assistant", longest["output"].strip())), "real") in list(chosen)


def test_a_real_file_of_another_kind(real_data: Path) -> None:
    with pytest.raises(DataError) as error:
        select(DialogueFile(real_data / "instruction" / "stanford_alpaca" / "seed_tasks.jsonl", "seeds"), None, 0)
    assert "line 1: no form that is known" in str(error.value)
    assert "there is 'id', 'name', 'instruction', 'instances', 'is_classification'" in str(error.value)
