"""JSON from outside: what crawls and attackers put into it ends in a sentence with file and line."""

import json
from collections import Counter
from pathlib import Path

import pytest

from dragoman.corpora.formats.conversations.dialogues import DialogueFile, select
from dragoman.corpora.formats.outputs import read_records
from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.formats.sheets import records, sheets
from dragoman.corpora.formats.values import json_file, json_records, parsed, yaml_file
from dragoman.corpora.load import load
from dragoman.corpora.translatable.detect import recognised
from dragoman.errors import DataError
from dragoman.suites.questions.question_files import read_questions
from dragoman.suites.safety.prompts import read as harmful
from dragoman.suites.squad.questions import squad_questions

SOUND = '{"source": "Ja.", "target": "Yes."}'
HALVED = '{"source": "Ja \\ud83d", "target": "Yes."}'
DEEP = '{"source": "a", "target": ' + "[" * 5000 + "]" * 5000 + "}"
DEEPISH = '{"source": "a", "target": ' + "[" * 200 + "]" * 200 + "}"
ENDLESS = '{"source": "a", "target": ' + "9" * 5000 + "}"
FAULTS = {
    HALVED: "half a character (\\ud83d)",
    DEEP: "lists and objects inside each other, more than 100",
    DEEPISH: "lists and objects inside each other, more than 100",
    ENDLESS: "a whole number of more than 308 digits",
    SOUND[:-1]: "not valid JSON",
}


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("bad", FAULTS, ids=lambda bad: FAULTS[bad][:20])
def test_every_reader_names_file_and_line(tmp_path: Path, bad: str) -> None:
    path = written(tmp_path / "a.jsonl", SOUND, bad)
    (tmp_path / "only").mkdir()
    alone = written(tmp_path / "only" / "xquad.de.json", "", bad)
    readers = [
        lambda: list(json_records(path)),
        lambda: read_records(path),
        lambda: records(sheets(path)[0]),
        lambda: read_questions(path),
        lambda: recognised(path),
        lambda: harmful("safety", [path]),
        lambda: json_file(alone),
        lambda: squad_questions("x", "xquad", alone.parent, "de"),
        lambda: records(sheets(alone)[0]),
    ]
    for reader in readers:
        with pytest.raises(DataError) as caught:
            reader()
        told = str(caught.value)
        assert ".jsonl, line " in told or "xquad.de.json, line " in told
        if "no column 'prompt'" not in told and "missing" not in told and "no record of a form" not in told:
            assert FAULTS[bad] in told


def test_what_only_looks_odd_is_read() -> None:
    whole = {"emoji": "😀", "deep": [[[{"a": [1]}]]], "number": 10**307, "text": '\\ud83d "[[[['}
    assert parsed(json.dumps(whole), "a") == whole
    assert parsed("[" * 100 + "]" * 100, "a")
    assert parsed('["' + "[" * 5000 + '"]', "a") == ["[" * 5000]


def test_pairs_with_half_a_character_are_left_out_and_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", SOUND, HALVED, SOUND.replace("Ja", "Na"))
    dropped: Counter[str] = Counter()
    pairs = list(read(ParallelText("de-en", table=path, both=True), dropped))
    assert [pair.source for pair in pairs] == ["Ja.", "Yes.", "Na.", "Yes."]
    assert dropped == {"with half a character": 2}
    array = written(tmp_path / "a.json", f"[{SOUND}, {HALVED}, {SOUND}]")
    dropped.clear()
    assert len(list(read(ParallelText("de-en", table=array), dropped))) == 2
    assert dropped == {"with half a character": 1}
    with pytest.raises(DataError, match=r"a\.json, record 2: half a character \(\\ud83d\).*leave the record out"):
        list(read(ParallelText("de-en", table=array)))  # nobody counts


def test_they_are_left_out_of_every_pass_over_a_corpus(tmp_path: Path) -> None:
    from dragoman.recipe.data.pairs import Corpus

    written(tmp_path / "a.jsonl", HALVED, SOUND, HALVED, SOUND.replace("Ja", "Na"), SOUND)
    corpus = Corpus.model_validate({"files": [{"table": "a.jsonl", "direction": "de-en"}]})
    loaded = load(corpus, "train", tmp_path)
    assert [pair.source for pair in loaded] == [pair.source for pair in loaded] == ["Ja.", "Na."]
    assert loaded.dropped == {"with half a character": 2, "duplicate": 1}


def test_dialogues_with_half_a_character_are_left_out_and_counted(tmp_path: Path) -> None:
    said = [{"instruction": "Hi", "output": "Hello \ud83d"}, {"instruction": "Hi", "output": "Hello 😀"}]
    path = written(tmp_path / "a.json", json.dumps(said))
    chosen = select(DialogueFile(path, "a"), None, 0)
    assert [dialogue.turns[1].text for dialogue in chosen] == ["Hello 😀"]
    assert chosen.dropped == {"with half a character": 1}


def test_yaml_whose_aliases_multiply(tmp_path: Path) -> None:
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    with pytest.raises(DataError, match=r"a\.yaml: its aliases .* come to more than 100,000 values"):
        yaml_file(written(tmp_path / "a.yaml", "a0: &a0 x", *levels))
    with pytest.raises(DataError, match=r"a\.yaml: its aliases"):
        yaml_file(written(tmp_path / "a.yaml", "a: &a [*a]"))
    for bad in ("[" * 5000, "a: [", f"a: {'9' * 5000}", "a: 2020-99-99"):
        with pytest.raises(DataError, match=r"a\.yaml is no YAML: "):
            yaml_file(written(tmp_path / "a.yaml", bad))
    assert yaml_file(written(tmp_path / "a.yaml", "a: &a [x]", "b: *a")) == {"a": ["x"], "b": ["x"]}
