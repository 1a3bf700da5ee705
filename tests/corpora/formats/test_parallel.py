"""Parallel text in all its forms, and every way in which it can be broken."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from dragoman.corpora.formats.parallel import ParallelText, located, read
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.recipe.data.pairs import Files

ODD = "eins\u2028zwei\x85drei\x0bvier\x0cfünf\x1csechs\rsieben"


def aligned(folder: Path, source: bytes, target: bytes, both: bool = False) -> ParallelText:
    (folder / "a.de").write_bytes(source)
    (folder / "a.en").write_bytes(target)
    return ParallelText("de-en", source=folder / "a.de", target=folder / "a.en", both=both)


def table(folder: Path, name: str, text: str, direction: str = "de-en") -> ParallelText:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return ParallelText(direction, table=folder / name)


def sides(pairs: Iterable[Pair]) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in pairs]


def test_two_files(tmp_path: Path) -> None:
    text = aligned(tmp_path, b"Ja.\n Nein. \n", b"Yes.\nNo.\n")
    assert list(read(text)) == [Pair("Ja.", "Yes.", "de", "en"), Pair("Nein.", "No.", "de", "en")]


def test_both_directions(tmp_path: Path) -> None:
    text = aligned(tmp_path, b"Ja.\n", b"Yes.\n", both=True)
    assert text.directions == ("de-en", "en-de")
    assert list(read(text)) == [Pair("Ja.", "Yes.", "de", "en"), Pair("Yes.", "Ja.", "en", "de")]


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    text = aligned(tmp_path, f"{ODD}\nacht\n".encode(), b"one to seven\neight\n")
    assert sides(read(text)) == [(ODD, "one to seven"), ("acht", "eight")]
    assert sides(read(table(tmp_path, "a.tsv", f"{ODD}\tone to seven\nacht\teight\n"))) == sides(read(text))
    record = json.dumps({"source": ODD, "target": "one to seven"}, ensure_ascii=False)
    assert sides(read(table(tmp_path, "a.jsonl", record + "\n"))) == [(ODD, "one to seven")]


def test_line_ends_of_other_systems(tmp_path: Path) -> None:
    text = aligned(tmp_path, b"\xef\xbb\xbfJa.\r\nNein.\r\n", b"Yes.\nNo.")
    assert sides(read(text)) == [("Ja.", "Yes."), ("Nein.", "No.")]


def test_empty_sides_are_counted(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()
    text = aligned(tmp_path, "Ja.\n\nNein.\n\u3000\n".encode(), b"Yes.\nLost.\n  \n\n", both=True)
    assert sides(read(text, dropped)) == [("Ja.", "Yes."), ("Yes.", "Ja.")]
    assert dropped == {"empty": 6}  # three pairs, two directions


def test_json_in_three_shapes(tmp_path: Path) -> None:
    records = [{"translation": {"de": "Ja.", "en": "Yes."}}, {"translation": {"en": "No.", "de": "Nein."}}]
    lines = "\n".join(map(json.dumps, records)) + "\n\n"
    wanted = [("Ja.", "Yes."), ("Nein.", "No.")]
    assert sides(read(table(tmp_path, "lines.json", lines))) == wanted
    assert sides(read(table(tmp_path, "array.json", json.dumps(records, indent=1)))) == wanted
    plain = '{"source": "Ja.", "target": "Yes.", "document": "d1"}\n'
    assert [(pair.source, pair.document) for pair in read(table(tmp_path, "plain.jsonl", plain))] == [("Ja.", "d1")]


def test_what_a_recipe_names(tmp_path: Path) -> None:
    aligned(tmp_path, b"Ja.\n", b"Yes.\n")
    files = Files(source="a.de", target="a.en", direction="de-en", both=True)
    assert located(files, tmp_path).paths == (tmp_path / "a.de", tmp_path / "a.en")
    assert sides(read(located(files, tmp_path))) == [("Ja.", "Yes."), ("Yes.", "Ja.")]


@pytest.mark.parametrize(
    ("source", "target", "counts"), [(b"a\nb\nc\n", b"a\n", ("3", "1")), (b"a\nb", b"a\nb\n\n\n", ("2", "4"))]
)
def test_different_lengths(tmp_path: Path, source: bytes, target: bytes, counts: tuple[str, str]) -> None:
    text = aligned(tmp_path, source, target)
    said = f"{text.source} has {counts[0]} lines, {text.target} has {counts[1]}"
    with pytest.raises(DataError, match=said):
        list(read(text))


def test_invalid_utf8(tmp_path: Path) -> None:
    text = aligned(tmp_path, b"a\nf\xfcnf\n", b"a\nfive\n")
    with pytest.raises(DataError, match=r"a\.de, line 2: not valid UTF-8 \(byte 0xfc, 2 bytes into the line\)"):
        list(read(text))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.tsv", "a\tb\nc\n", r"a\.tsv, line 2: 1 column where there should be two"),
        ("a.tsv", "a\tb\tc\n", r"a\.tsv, line 1: 3 columns"),
        ("a.jsonl", '{"source": "a", "target": "b"}\n{"source": \n', r"a\.jsonl, line 2, column 1\d: not valid JSON"),
        ("a.json", '[{"translation":\n{"de": "a",, "en": "b"}}]', r"a\.json, line 2, column 1\d: not valid JSON"),
        ("a.json", '[{"translation": {"de": "a"}}]', r"a\.json, record 1: 'en' missing; there is 'de'"),
        ("a.jsonl", '\n{"translation": {"cs": "a", "pl": "b"}}', r"line 2: 'de' and 'en' missing; there is 'cs', 'pl'"),
        (
            "a.jsonl",
            '{"src": "a", "tgt": "b"}',
            r"'source' and 'target' missing; there is 'src', 'tgt'.*language of de-en",
        ),
        ("a.jsonl", '{"source": "a", "target": 1}', r"line 1: 'source' and 'target' must both be text"),
        ("a.jsonl", '{"translation": "a"}', r'"translation" must be an object with the keys de and en'),
        ("a.jsonl", '["a", "b"]', r"record 1: a JSON object is needed, not \"a\""),
        ("a.csv", "a,b\n", r"a\.csv: a table must be \.tsv, \.jsonl, \.json, \.tmx or \.zip"),
    ],
)
def test_broken_tables(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(read(table(tmp_path, name, text)))


def test_empty_lines_stand_between_documents(tmp_path: Path) -> None:
    """As in WMT's files; they are no pairs, and so they are not counted as empty ones."""
    dropped: Counter[str] = Counter()
    text = table(tmp_path, "nc.tsv", "Titel\tTitle\nJa.\tYes.\n\t\nTitel 2\tTitle 2\n\n\tlost\n")
    found = [(pair.target, pair.document) for pair in read(text, dropped)]
    assert found == [("Title", "1"), ("Yes.", "1"), ("Title 2", "2")]
    assert dropped == {"empty": 1}
    assert [pair.document for pair in read(table(tmp_path, "one.tsv", "a\tb\nc\td\n"))] == ["", ""]


def test_compressed_files(tmp_path: Path) -> None:
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b"Ja.\tYes.\n"))
    assert sides(read(ParallelText("de-en", table=tmp_path / "a.tsv.gz"))) == [("Ja.", "Yes.")]
    (tmp_path / "a.de.gz").write_bytes(gzip.compress(b"Ja.\n"))
    (tmp_path / "a.en").write_bytes(b"Yes.\n")
    plain = ParallelText("de-en", source=tmp_path / "a.de.gz", target=tmp_path / "a.en")
    assert sides(read(plain)) == [("Ja.", "Yes.")]
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"source": "Ja.", "target": "Yes."}\n'))
    assert sides(read(ParallelText("de-en", table=tmp_path / "b.jsonl.gz"))) == [("Ja.", "Yes.")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.tsv",
            b"<!doctype html><title>Not Found</title>",
            r"a\.tsv: it holds a web page \(“Not Found”\), not the text",
        ),
        ("a.tsv.gz", b"\n<HTML lang=de><Body>", r"a\.tsv\.gz: it holds a web page, not the text"),
        ("a.tsv", b"PK\x03\x04...", r"it holds a zip archive, not the text.* Let its name end in \.zip"),
        # No time of packing: it would be part of the test's name, and each worker of pytest-xdist would have another.
        ("a.jsonl", gzip.compress(b"{}", mtime=0), r"it holds gzip data, not the text.* Let its name end in \.gz"),
        ("a.json", b"version https://git-lfs.github.com/spec/v1\noid sha256:", r"a pointer of Git LFS.*`git lfs pull`"),
        ("a.tsv.gz", b"Ja.\tYes.\n", r"not compressed, though its name ends in \.gz"),
        ("a.tsv.gz", gzip.compress(b"Ja.\tYes.\n" * 9, mtime=0)[:-9], r"a\.tsv\.gz: broken, or cut off .*Get it anew"),
        ("a.csv.gz", gzip.compress(b"a,b", mtime=0), r"a table must be \.tsv"),
    ],
)
def test_something_else_under_this_name(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(read(ParallelText("de-en", table=tmp_path / name)))


def test_text_about_web_pages_is_text(tmp_path: Path) -> None:
    assert sides(read(table(tmp_path, "a.tsv", "<html> ist\t<html> is\n<!doctype\tx\n")))[1] == ("<!doctype", "x")


def test_files_whose_names_say_the_opposite(tmp_path: Path) -> None:
    said = r"by name this is de-en, in this order, and the direction says en-de\. Write `direction: de-en`"
    with pytest.raises(DataError, match=said):
        list(read(table(tmp_path, "news-commentary-v18.de-en.tsv", "Ja.\tYes.\n", "en-de")))
    assert sides(read(table(tmp_path, "nc.de-en.tsv", "Ja.\tYes.\n"))) == [("Ja.", "Yes.")]
    assert sides(read(table(tmp_path, "nc.de-fr.tsv", "Ja.\tYes.\n"))) == [("Ja.", "Yes.")]
    text = aligned(tmp_path, b"Ja.\n", b"Yes.\n")
    with pytest.raises(DataError, match=said):
        list(read(ParallelText("en-de", source=text.source, target=text.target)))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*none\.tsv"):
        list(read(ParallelText("de-en", table=tmp_path / "none.tsv")))
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match="it is a folder"):
        list(read(ParallelText("de-en", table=tmp_path / "folder.jsonl")))
    with pytest.raises(DataError, match="de-en needs `source` and `target`, or a `table`"):
        list(read(ParallelText("de-en", source=tmp_path / "a.de")))
    with pytest.raises(DataError, match="has a `table`, so `source` and `target`"):
        list(read(ParallelText("de-en", source=tmp_path / "a.de", table=tmp_path / "a.tsv")))


def test_reading_is_lazy(tmp_path: Path) -> None:
    """The first pairs come before the fault in the third line is met."""
    pairs = read(table(tmp_path, "a.tsv", "a\tb\nc\td\ne\n"))
    assert [next(pairs).source, next(pairs).source] == ["a", "c"]
    with pytest.raises(DataError, match="line 3"):
        next(pairs)


def test_shots_of_alma(real_data: Path) -> None:
    """The few-shot files have `source` and `target` in a JSON array; real Icelandic comes as JSON Lines."""
    folder = real_data / "alma" / "human_written_data"
    shots = list(read(ParallelText("cs-en", table=folder / "HW-5-shot" / "shots.cs-en.json")))
    assert Pair("Nová doba přinesla nové návody.", "The new age brought new instructions.", "cs", "en") in shots
    assert len(shots) == 5
    assert sum(1 for _ in read(ParallelText("is-en", table=folder / "isen" / "train.is-en.json"))) == 2009
