"""Documents from every kind of file, compressed ones and folders, and what is wrong with some of them."""

import bz2
import gzip
import json
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from dragoman.corpora.formats.documents import files, read
from dragoman.errors import DataError

DOCUMENTS = ["Der erste Absatz.\u2028Noch einer.", "Ein zweiter Text.", "Und „ein“ dritter."]


def zstandard(data: bytes) -> bytes:
    packed: bytes = pyarrow.compress(data, codec="zstd", asbytes=True)
    return packed


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard,
}


def as_lines(documents: list[str], field: str = "text") -> str:
    return "".join(json.dumps({"id": number, field: text}) + "\n" for number, text in enumerate(documents))


@pytest.mark.parametrize("packed", ["", *PACKERS])
@pytest.mark.parametrize("kind", [".txt", ".jsonl", ".json", ""])
def test_the_same_documents_from_every_kind_of_file(tmp_path: Path, kind: str, packed: str) -> None:
    written = {
        ".jsonl": as_lines(DOCUMENTS),
        ".json": json.dumps([{"text": text} for text in DOCUMENTS]),
    }.get(kind, "\n".join(f"  {text} " for text in DOCUMENTS) + "\n")
    path = tmp_path / f"a{kind}{packed}"
    path.write_bytes(PACKERS.get(packed, bytes)(written.encode()))
    assert list(read(path)) == DOCUMENTS


def test_parquet_and_another_field(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"content": DOCUMENTS, "n": [1, 2, 3]}), path)
    assert list(read(path, "content")) == DOCUMENTS
    (tmp_path / "a.jsonl").write_text(as_lines(DOCUMENTS, "content"))
    assert list(read(tmp_path / "a.jsonl", "content")) == DOCUMENTS


def test_a_folder_has_its_files_in_order_and_others_are_counted(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.txt.gz").write_bytes(gzip.compress(DOCUMENTS[1].encode()))
    (tmp_path / "a.txt").write_text(DOCUMENTS[0])
    (tmp_path / "README.md").write_text("about")
    dropped: Counter[str] = Counter()
    found = files(tmp_path, dropped)
    assert [text for path in found for text in read(path)] == DOCUMENTS[:2]
    assert dropped == {"files of another kind": 1}


def test_empty_documents_and_half_characters_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(as_lines(["  ", "half \ud83d", *DOCUMENTS]))
    dropped: Counter[str] = Counter()
    assert list(read(tmp_path / "a.jsonl", dropped=dropped)) == DOCUMENTS
    assert dropped == {"empty": 1, "with half a character": 1}


FAULTS: dict[str, tuple[str, bytes, str]] = {
    "no such field": ("a.jsonl", b'{"content": "x", "id": 1}\n', "line 1: no field 'text'; there is 'content', 'id'"),
    "no text in it": ("a.jsonl", b'{"text": "x"}\n{"text": ["x"]}\n', "line 2: 'text' is no text"),
    "no JSON": ("a.jsonl", b"Ein Text.\n", "line 1, column 1: not valid JSON"),
    "no Parquet": ("a.parquet", b"Ein Text.\n", "can not be read as Parquet"),
    "half a character": ("a.txt", b"Ein Text.\nEi\xc3\n", "line 2: not valid UTF-8"),
    "not compressed": ("a.txt.zst", b"Ein Text.\n", "not compressed, though its name ends in .zst"),
    "compressed and not said": ("a.txt", bz2.compress(b"Ein Text.\n"), "it holds bzip2 data"),
    "cut off": ("a.txt.xz", lzma.compress(b"Ein Text.\n" * 99)[:-20], "broken, or cut off"),
    "not what it says": ("a.txt.bz2", gzip.compress(b"Ein Text.\n"), "it holds gzip data"),
}


@pytest.mark.parametrize(("name", "data", "what"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        list(read(path))
    assert str(caught.value).startswith(str(path))
    assert what in str(caught.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        files(tmp_path / "nothing.txt")
    with pytest.raises(DataError, match="in this folder there is no file with documents"):
        files(tmp_path)
