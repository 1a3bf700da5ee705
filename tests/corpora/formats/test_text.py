"""Limits of what files from outside can do to the memory: lines, sizes, and what archives unpack to."""

import ast
import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pyarrow
import pyarrow.parquet
import pytest

from dragoman.corpora.formats import text
from dragoman.corpora.formats.archives import members
from dragoman.corpora.formats.conversations.dialogues import DialogueFile
from dragoman.corpora.formats.conversations.dialogues import read as dialogues
from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.formats.sheets import records, sheets
from dragoman.errors import DataError
from tests import SOURCE

SWOLLEN = b"[" + b" " * (70 << 20)


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        list(read(ParallelText("de-en", table=path)))
    return str(caught.value).replace(str(path), "FILE")


def zipped(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


def test_a_line_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(b"Ja.\tYes.\n" + b"x" * (text.LONGEST + 1))
    assert refused(path) == (
        "FILE, line 2: longer than 16 MiB, which no line of text is. Is it a text file, with one text a line?"
    )
    path.write_bytes(b"Ja.\t" + b"x" * (text.LONGEST - 4) + b"\nNa.\tNo.")
    assert [len(pair.target) for pair in read(ParallelText("de-en", table=path))] == [text.LONGEST - 4, 3]


def test_lines_of_a_gigabyte_out_of_a_small_archive(tmp_path: Path) -> None:
    long = bytes(text.LONGEST + 1).replace(b"\0", b"x")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(long))
    assert refused(tmp_path / "a.jsonl.gz").startswith("FILE, line 1: longer than 16 MiB")
    assert refused(zipped(tmp_path / "b.zip", "a.tsv", long)).startswith("FILE, in it a.tsv, line 1: longer than 16")


@pytest.mark.parametrize("name", ["a.json.gz", "a.zip", "gz.zip"])
def test_archives_that_swell(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.json.gz":
        path.write_bytes(gzip.compress(SWOLLEN))
    elif name == "a.zip":
        zipped(path, "a.json", SWOLLEN)
    else:
        zipped(path, "a.json.gz", gzip.compress(SWOLLEN))
    assert "it unpacks to more than 100 times its size, as no text does" in refused(path)


def test_tables_of_an_archive_that_swells(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(SWOLLEN)
        archive.addfile(member, io.BytesIO(SWOLLEN))
    with pytest.raises(DataError, match=r"a\.tar\.gz: it unpacks to more than 100 times its size"):
        sheets(path)
    holes = tmp_path / "b.tar"
    member = tarfile.TarInfo("a.csv")
    member.size = 1 << 40
    holes.write_bytes(member.tobuf() + bytes(1024))
    with pytest.raises(DataError, match=r"b\.tar: a\.csv in it is over 2 GiB"):
        sheets(holes)


def test_tables_in_archives_of_every_kind(tmp_path: Path) -> None:
    kinds: tuple[tuple[str, Literal["w", "w:gz"]], ...] = (("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"))
    for name, mode in kinds:
        with tarfile.open(tmp_path / name, mode) as archive:
            for at in "ba":
                member = tarfile.TarInfo(f"x/{at}.csv")
                member.size = 4
                archive.addfile(member, io.BytesIO(b"a,b\n"))
        assert [(sheet.name, sheet.data) for sheet in sheets(tmp_path / name)] == [
            ("a.csv", b"a,b\n"),
            ("b.csv", b"a,b\n"),
        ]


def test_archives_with_broken_directories(tmp_path: Path) -> None:
    """Whatever zipfile raises becomes a sentence: names that are no UTF-8, offsets before the file, unknown packing."""
    whole = zipped(tmp_path / "a.zip", "ä.tsv", b"Ja.\tYes.\n").read_bytes()
    path = tmp_path / "b.zip"
    path.write_bytes(whole.replace("ä".encode(), b"\xff\xff"))
    assert refused(path).startswith("FILE: broken, or cut off while it was copied ('utf-8' codec can't decode")
    path.write_bytes(whole[:-6] + struct.pack("<I", 0x7FFFFFF0) + whole[-2:])
    assert "broken, or cut off while it was copied (" in refused(path)
    at = whole.rfind(b"PK\x01\x02") + 10
    path.write_bytes(whole[:at] + b"\x63" + whole[at + 1 :])
    assert "it can't be unpacked here (" in refused(path)
    assert members(tmp_path / "a.zip") == ["ä.tsv"]


def test_broken_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"instruction": ["Hi"], "output": ["Hello"]}), path)
    whole = path.read_bytes()
    for broken in (b"", b"PAR1", whole[:-20], whole[:-8] + b"\xff\xff\xff\x7fPAR1", b"x" * 99):
        path.write_bytes(broken)
        with pytest.raises(DataError, match=r"a\.parquet"):
            list(dialogues(DialogueFile(path, "a")))
        with pytest.raises(DataError, match=r"a\.parquet"):
            records(sheets(path)[0])
    halved = pyarrow.array([b"\xff\xfe"], pyarrow.binary()).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"instruction": halved, "output": ["Hello"]}), path)
    with pytest.raises(DataError, match=r"a\.parquet can not be read as Parquet"):
        list(dialogues(DialogueFile(path, "a")))
    with pytest.raises(DataError, match=r"a\.parquet: no Parquet file"):
        records(sheets(path)[0])


def test_the_line_of_what_is_no_utf8(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^a, line 3: not valid UTF-8 \(byte 0xff\)"):
        text.decoded(b"\xef\xbb\xbfa\nb\nc\xff", "a")
    assert text.decoded(b"\xef\xbb\xbfa", "a") == "a"


READERS = {"json.loads", "json.load", "gzip.open", "zipfile.ZipFile", "tarfile.open", "yaml.safe_load", "yaml.load"}
OURS = {  # what reads files that come with a package, or that it wrote itself
    "corpora/formats/text.py": {"zipfile.ZipFile"},
    "corpora/formats/sheets.py": {"tarfile.open"},
    "corpora/formats/values.py": {"yaml.safe_load"},
    "corpora/catalog.py": {"yaml.safe_load"},
    "commands/lab_card.py": {"json.loads"},
    "commands/evaluate.py": {"json.loads"},
    "suites/harness/child.py": {"json.loads"},
    "suites/harness/run.py": {"json.loads"},
    "suites/harness/evaluate.py": {"json.loads"},
    "suites/harness/tasks.py": {"yaml.load"},
    "suites/questions/checks.py": {"json.loads"},  # an answer
    "suites/questions/layouts.py": {"json.loads"},  # an answer
}


def test_files_from_outside_are_read_in_one_place() -> None:
    source = SOURCE
    found = {
        (str(path.relative_to(source)), ast.unparse(node.func))
        for room in ("corpora", "commands", "recipe", "suites")
        for path in (source / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in READERS
    }
    assert found == {(path, name) for path, names in OURS.items() for name in names}
