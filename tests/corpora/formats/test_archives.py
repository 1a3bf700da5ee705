"""Zip archives as OPUS publishes them, and what else may be found in their place."""

import gzip
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.formats.text import unpacked_size
from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Pair
from dragoman.errors import DataError

PAGE = b"""

<!DOCTYPE html>
<html lang="en" data-color-mode="auto"><head><meta charset="utf-8">
<title>zh-Alpaca/trans_chinese_alpaca_data.json at main &middot; GitHub</title></head><body>\xe2\x80\xa6</body></html>
"""
IDS = b"".join(b"de/gold.xml.gz\ten/gold.xml.gz\t%d\t%d\n" % (line, line) for line in (1, 2))


def packed(path: Path, **members: Any) -> Path:
    """A zip with these members; `_` in a name stands for a dot."""
    return stored(path, {name.replace("_", "."): text for name, text in members.items()})


def stored(path: Path, members: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def pairs(path: Path, direction: str = "de-en", **more: Any) -> list[Pair]:
    return list(read(ParallelText(direction, table=path, **more)))


def refused(path: Path, direction: str = "de-en") -> str:
    with pytest.raises(DataError) as caught:
        pairs(path, direction)
    return str(caught.value).replace(str(path), "ZIP")


@pytest.mark.parametrize("name", ["ar-en", "cs-en", "de-en", "en-es", "en-it", "en-ru", "en-zh"])
def test_real_archives_either_way(real_data: Path, name: str) -> None:
    path = real_data / "news_commentary" / name / "11.0.0" / "dummy_data.zip"
    there = pairs(path, name, both=True)
    one, other = name.split("-")
    assert [pair.direction for pair in there] == [name, f"{other}-{one}"] * 5
    assert {pair.document for pair in there} == {"1929-or-1989" if other == "zh" else "-10-000-gold"}
    english = there[0] if one == "en" else there[1]
    assert english.source == ("1929 or 1989?" if other == "zh" else "$10,000 Gold?")
    assert pairs(path, f"{other}-{one}") == [pair.reversed() for pair in pairs(path, name)]


def test_the_real_texts_belong_together(real_data: Path) -> None:
    path = real_data / "news_commentary" / "en-it" / "11.0.0" / "dummy_data.zip"
    last = pairs(path, "it-en")[-1]
    assert (last.target, last.source) == ("Wouldn’t you know it?", "Ma indovinate un po'?")
    with pytest.raises(DataError, match=r"no text of de and it is in it\. It holds dummy_data/en-it\.txt\.zip/News-C"):
        pairs(path, "de-it")


def test_a_web_page_in_the_archive_is_called_so(tmp_path: Path) -> None:
    path = packed(tmp_path / "zh-Alpaca.zip", alpaca_json=PAGE)
    with pytest.raises(DataError) as caught:
        list(json_records(path))
    told = "a web page (“zh-Alpaca/trans_chinese_alpaca_data.json at main · GitHub”)"
    assert str(caught.value) == (
        f"{path}, in it alpaca.json: it holds {told}, not the text that should be there. "
        "Download the file itself (on GitHub: “Raw”), not the page about it."
    )
    other = packed(tmp_path / "page.zip", alpaca_html=PAGE, notes_txt=b"hm")
    assert f"It holds alpaca.html, {told}; notes.txt. Needed are two files that end in .de and .en" in refused(other)
    with pytest.raises(
        DataError, match=r"no \.json or \.jsonl file is in it\. It holds alpaca\.html, a web page \(“zh"
    ):
        list(json_records(other))
    aligned = packed(tmp_path / "aligned.zip", a_de=PAGE, a_en=b"x\n")
    assert refused(aligned).startswith("ZIP, in it a.de: it holds a web page")


def test_instructions_in_an_archive(tmp_path: Path) -> None:
    path = stored(tmp_path / "it.zip", {"data/alpaca.json": '[{"instruction": "Ciao?"}]', "README.md": "…"})
    assert list(json_records(path)) == [(f"{path}, in it data/alpaca.json, record 1", {"instruction": "Ciao?"})]
    two = packed(tmp_path / "two.zip", a_json="[]", b_jsonl="")
    with pytest.raises(
        DataError, match=r"more than one \.json or \.jsonl file is in it \(a\.json, b\.jsonl\)\. Unpack"
    ):
        list(json_records(two))


def test_a_table_in_an_archive(tmp_path: Path) -> None:
    beside = {"README": "…", "__MACOSX/._a.tsv": "junk", "LICENSE.txt": "…"}
    path = stored(tmp_path / "a.zip", {**beside, "folder/a.tsv": "Ja.\tYes.\n"})
    assert pairs(path) == [Pair("Ja.", "Yes.", "de", "en")]
    packed_twice = stored(tmp_path / "b.zip", {"a.tsv.gz": gzip.compress(b"Ja.\tYes.\n")})
    assert pairs(packed_twice) == [Pair("Ja.", "Yes.", "de", "en")]


def test_archives_that_can_not_be_read(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.zip", a_de=b"Ja. Nein.\n" * 500, a_en=b"Yes. No.\n" * 500)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:-30])
    assert refused(cut) == "ZIP: no zip archive, or a broken one (File is not a zip file). Get it anew."
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(whole.read_bytes().replace(whole.read_bytes()[40:60], b"\0" * 20, 1))
    assert refused(damaged).startswith("ZIP, in it a.de: broken, or cut off while it was copied (")
    empty = stored(tmp_path / "empty.zip", {"folder/": "", "README": "…"})
    assert refused(empty) == "ZIP: an empty archive; there is no file with text in it"
    page = tmp_path / "page.zip"
    page.write_bytes(PAGE)
    assert refused(page).startswith("ZIP: no zip archive, whatever its name says; it holds a web page (“zh-Alpaca/")
    assert refused(tmp_path / "none.zip") == "there is no file ZIP"


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = packed(tmp_path / "locked.zip", a_de=b"Ja.\n", a_en=b"Yes.\n")
    raw = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # of the members, of the directory
        at = raw.find(mark)
        while at >= 0:
            raw[at + flags] |= 1
            at = raw.find(mark, at + 1)
    path.write_bytes(raw)
    assert refused(path) == (
        "ZIP: a.de in it is encrypted. Unpack it with its password first, and name what was in it."
    )


def test_texts_that_do_not_fit(tmp_path: Path) -> None:
    uneven = packed(tmp_path / "a.zip", N_de=b"a\nb\nc\n", N_en=b"a\nb\n")
    assert "two files of different length: ZIP, in it N.de has 3 lines, ZIP, in it N.en has 2." in refused(uneven)
    two = packed(tmp_path / "b.zip", N_de=b"a\n", N_en=b"a\n", M_de=b"a\n", M_en=b"a\n")
    assert "more than one text of de and en is in it (N, M). Unpack it" in refused(two)
    nested = stored(tmp_path / "c.zip", {"de-en.txt.zip": two.read_bytes()})
    assert "It holds de-en.txt.zip, a zip archive." in refused(nested)
    swiss = packed(tmp_path / "d.zip", N_de=b"Ja.\n", N_en=b"Yes.\n")
    assert "no text of de_CH and en is in it. It holds N.de; N.en." in refused(swiss, "de_CH-en")


def test_documents_that_do_not_fit(tmp_path: Path) -> None:
    texts = {"N.de": b"a\nb\n", "N.en": b"A\nB\n"}
    right = stored(tmp_path / "right.zip", {**texts, "N.ids": IDS})
    assert [(pair.source, pair.document) for pair in pairs(right)] == [("a", "gold"), ("b", "gold")]
    assert [pair.document for pair in pairs(stored(tmp_path / "none.zip", texts))] == ["", ""]
    for ids, said in (
        (IDS.split(b"\n")[0], "N.ids: the documents do not fit the text (it ends after line 1, and the text goes on)"),
        (IDS * 2, "N.ids: the documents do not fit the text (the text ends, and it goes on)"),
        (b"de/gold.xml.gz\n", "do not fit the text (line 1 has 1 column, and should have four"),
    ):
        assert said in refused(stored(tmp_path / "wrong.zip", {**texts, "N.ids": ids}))


def test_the_size_of_what_is_in_a_file(tmp_path: Path) -> None:
    text = b"Ja. Nein.\n" * 500
    assert unpacked_size(packed(tmp_path / "a.zip", a_de=text, a_en=text)) == 2 * len(text)
    (tmp_path / "a.de").write_bytes(text)
    assert unpacked_size(tmp_path / "a.de") == len(text)
    (tmp_path / "a.de.gz").write_bytes(text)
    assert unpacked_size(tmp_path / "a.de.gz") == 3 * len(text)  # a guess
    (tmp_path / "b.zip").write_bytes(text)
    assert unpacked_size(tmp_path / "b.zip") == len(text)
