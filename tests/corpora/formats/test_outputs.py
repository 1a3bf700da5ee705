import json
import os
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.outputs import (
    Output,
    is_jsonl,
    matched,
    read_outputs,
    read_records,
    read_text,
    read_triples,
)
from dragoman.errors import DataError


def written(path: Path, *records: Any) -> Path:
    lines = (record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.de"
    path.write_bytes("eins\u2028zwei\x85drei\x0c\r\n\nvier".encode())
    assert read_text(path) == ("eins\u2028zwei\x85drei\x0c", "", "vier")
    path.write_bytes(b"one\n")
    assert read_text(path) == ("one",)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.de is empty"):
        read_text(path)


def test_every_line_that_is_no_object_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"id": 1}, "[2]", "", "{", {"id": 3})
    with pytest.raises(DataError) as fault:
        read_records(path)
    assert str(fault.value).split("\n")[0] == f"{path}, line 2: should be an object in braces, not [2]"
    assert f"{path}, line 4, column 2: not valid JSON" in str(fault.value)


def test_lists_within_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1: lists and objects inside each other, more than 100 of them"):
        read_records(written(tmp_path / "a.jsonl", "[" * 100_000))
    assert not is_jsonl(written(tmp_path / "a.txt", "[" * 100_000))


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe is no file but a pipe or a device"):
        read_text(tmp_path / "pipe")


def test_triples_may_have_several_references(tmp_path: Path) -> None:
    rows = [{"src": "a", "mt": "b", "ref": ["c", "d"]}, {"src": "e", "mt": "", "ref": ["f", "g"]}]
    found = read_triples(written(tmp_path / "a.jsonl", *rows))
    assert (found.sources, found.translations, found.references) == (("a", "e"), ("b", ""), (("c", "f"), ("d", "g")))
    assert read_triples(written(tmp_path / "b.jsonl", {"mt": "b"})).references == ()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"mt": "a", "ref": "b"}, {"mt": "c"}], "line 2: 'ref' is missing, and 1 other lines have one"),
        ([{"mt": 7}], "line 1: 'mt' must be some text, not 7"),
        ([{"mt": "a", "ref": "b"}, {"mt": "a", "ref": ["b", "c"]}], "line 2: 2 references, and line 1 has 1"),
    ],
)
def test_triples_that_do_not_fit(tmp_path: Path, rows: list[Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_triples(written(tmp_path / "a.jsonl", *rows))


def test_outputs_have_ids_all_or_none(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"id": 7, "output": "x"}, {"task_id": "t", "completion": "y"})
    found = read_outputs(path, ("id", "task_id"), ("output", "completion"))
    assert found == [Output(1, "7", "x"), Output(2, "t", "y")]
    with pytest.raises(DataError, match=r"line 2: 'output' is missing\. It has task_id, completion"):
        read_outputs(path)
    with pytest.raises(DataError, match=r"line 1: 'output' must be some text, not null\.$"):
        read_outputs(written(path, {"output": None}))
    with pytest.raises(DataError, match=r"line 1: 'id' must be a text or a whole number, not 1\.0"):
        read_outputs(written(path, {"id": 1.0, "output": "x"}))
    with pytest.raises(DataError, match="line 1: no 'id', and other lines have one"):
        read_outputs(written(path, {"output": "x"}, {"id": "1", "output": "y"}))


def test_outputs_go_with_questions_by_id_or_by_order() -> None:
    by_id = [Output(1, "b", "second"), Output(2, "a", "first")]
    assert matched(Path("p"), by_id, ["a", "b"], "data") == [("first",), ("second",)]
    by_order = [Output(1, None, "one"), Output(2, None, "two")]
    assert matched(Path("p"), by_order, ["a", "b"], "data") == [("one",), ("two",)]
    with pytest.raises(DataError, match="p has 2 outputs and data has 3 questions"):
        matched(Path("p"), by_order, ["a", "b", "c"], "data")


def test_ids_that_do_not_fit_are_listed() -> None:
    outputs = [Output(at, name, "x") for at, name in enumerate(("s/0", "s/2", "s/2", "zz"))]
    with pytest.raises(DataError) as fault:
        matched(Path("p"), outputs, ["s/1", "s/2", "s/3"], "data")
    assert str(fault.value).split("\n") == [
        "p: ids that data does not have (2): s/0, zz. It has such as 's/1': numbers count from 1.",
        "p: questions of data that have no output (2 of 3): s/1, s/3",
        "p: ids that have more than one output (1): s/2",
    ]
    both = [Output(1, "a", "x"), Output(2, "a", "y")]
    assert matched(Path("p"), both, ["a"], "data", several=True) == [("x", "y")]
    with pytest.raises(DataError, match=r"data uses ids more than once \(a\).* p needs one for each of its 3 rows"):
        matched(Path("p"), both, ["a", "a", "b"], "data")
    with pytest.raises(DataError, match=r"data uses ids more than once \(a\)"):
        matched(Path("p"), both[::-1], ["a", "b", "a"], "data")


def test_rows_that_were_left_out_may_have_outputs() -> None:
    outputs = [Output(1, "a", "x"), Output(2, "b", "y")]
    assert matched(Path("p"), outputs, ["a"], "data", left_out=1) == [("x",)]
    with pytest.raises(DataError, match="1 rows of data had to be left out"):
        matched(Path("p"), [Output(1, None, "x")], ["a"], "data", left_out=1)


def test_an_output_for_each_row_of_the_data() -> None:
    """By order, where there are no ids, or ids that are used more than once."""
    for names in ([None] * 4, ["a", "b", "a", "c"]):
        outputs = [Output(at, name, str(at)) for at, name in enumerate(names)]
        found = matched(Path("p"), outputs, ["a", "a", "c"], "data", left_out=1, rows=[0, 2, 3])
        assert found == [("0",), ("2",), ("3",)]
    with pytest.raises(DataError, match="p has 3 outputs and data has 4 rows, 1 of them left out"):
        matched(Path("p"), [Output(1, None, "x")] * 3, ["a", "a", "c"], "data", left_out=1, rows=[0, 2, 3])
