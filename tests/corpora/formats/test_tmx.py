"""Translation memories: languages, markup inside of segments, and files made to hurt."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from dragoman.corpora.formats import tmx
from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.errors import DataError

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/><body>\n'
TAIL = "</body></tmx>\n"


def unit(**sides: str) -> str:
    return (
        "<tu>"
        + "".join(f'<tuv xml:lang="{code.replace("_", "-")}"><seg>{text}</seg></tuv>' for code, text in sides.items())
        + "</tu>\n"
    )


def memory(folder: Path, text: str | bytes, name: str = "a.tmx") -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def sides(path: Path, direction: str = "de-en", dropped: Counter[str] | None = None) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in read(ParallelText(direction, table=path), dropped)]


def refused(path: Path, direction: str = "de-en") -> str:
    with pytest.raises(DataError) as caught:
        sides(path, direction)
    return str(caught.value).replace(str(path), "TMX")


def test_units_and_their_languages(tmp_path: Path) -> None:
    text = HEAD + unit(en="Yes.", de_DE="Ja.") + unit(EN_us="No &amp; no.", de="Nein &#38; nein.", fr="Non.") + TAIL
    path = memory(tmp_path, text)
    assert sides(path) == [("Ja.", "Yes."), ("Nein & nein.", "No & no.")]
    assert sides(path, "en-de") == [("Yes.", "Ja."), ("No & no.", "Nein & nein.")]
    dropped: Counter[str] = Counter()
    assert sides(path, "fr-en", dropped) == [("Non.", "No & no.")]
    assert dropped == {"without one of the languages": 1}
    assert refused(path, "de-it") == "TMX: no unit has both de and it; languages in it: en, de-DE, EN-us, de, fr"


def test_the_exact_language_goes_first(tmp_path: Path) -> None:
    path = memory(tmp_path, HEAD + unit(pt_BR="Trem", pt="Comboio", en="Train") + TAIL)
    assert sides(path, "pt-en") == [("Comboio", "Train")]
    assert sides(path, "pt_BR-en") == [("Trem", "Train")]
    assert "no unit has both pt_PT and en" in refused(path, "pt_PT-en")


def test_old_files_and_markup(tmp_path: Path) -> None:
    seg = 'A <bpt i="1">&lt;b&gt;</bpt><hi>bold</hi><ept i="1">&lt;/b&gt;</ept> word<ph x="1">{0}</ph>'
    text = HEAD + f'<tu><prop type="x">junk</prop><tuv lang="EN"><note>no</note><seg>{seg}</seg></tuv>'
    path = memory(tmp_path, text + '<tuv lang="DE"><seg>\n Ein Wort </seg></tuv></tu>' + TAIL)
    assert sides(path, "en-de") == [("A bold word", "Ein Wort")]


def test_empty_sides_are_counted(tmp_path: Path) -> None:
    dropped: Counter[str] = Counter()
    assert sides(memory(tmp_path, HEAD + unit(de="", en="x") + unit(de="Ja.", en="Yes.") + TAIL), dropped=dropped)
    assert dropped == {"empty": 1}


def test_encodings_and_compression(tmp_path: Path) -> None:
    text = HEAD + unit(de="Grüße, 世界", en="Greetings") + TAIL
    wanted = [("Grüße, 世界", "Greetings")]
    assert sides(memory(tmp_path, text.replace("UTF-8", "UTF-16").encode("utf-16"))) == wanted
    assert sides(memory(tmp_path, gzip.compress(text.encode()), "b.tmx.gz")) == wanted
    assert "line 4, column 31: not valid XML (not well-formed (invalid token))" in refused(
        memory(tmp_path, text.encode("latin-1", "replace"))
    )


def test_entities_do_no_harm(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE tmx [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    text = f"{bomb}]><tmx><body>{unit(de='&i;', en='x')}</body></tmx>"
    assert "line 1: it declares an entity (“a”). Corpora need none" in refused(memory(tmp_path, text))
    secret = memory(tmp_path, "TOP SECRET", "secret.txt")
    outside = f'<!DOCTYPE tmx [<!ENTITY x SYSTEM "file://{secret}">]><tmx><body>{unit(de="&x;", en="x")}</body></tmx>'
    assert "it declares an entity (“x”)" in refused(memory(tmp_path, outside))
    undefined = HEAD + unit(de="a&nbsp;b", en="x") + TAIL
    assert "TMX, line 4: the entity &nbsp; is used and not defined." in refused(memory(tmp_path, undefined))


def test_files_that_are_no_memories(tmp_path: Path) -> None:
    assert refused(memory(tmp_path, "<xliff/>")) == (
        "TMX, line 1: no TMX: its outermost element is <xliff>, and should be <tmx>."
    )
    assert "TMX: it holds a web page (“404”)" in refused(memory(tmp_path, "<html><title>404</title></html>"))
    assert "line 5, column 1: not valid XML (no element found)" in refused(
        memory(tmp_path, HEAD + unit(de="a", en="b"))
    )
    assert "a <tuv> that does not say its language" in refused(memory(tmp_path, HEAD + "<tu><tuv/></tu>" + TAIL))


def test_one_unit_at_a_time(tmp_path: Path) -> None:
    """The first pairs come long before a fault at the end of a large file is met."""
    path = memory(tmp_path, HEAD + "".join(unit(de=f"Satz {n}", en=f"sentence {n}") for n in range(5000)) + "</broken>")
    pairs = read(ParallelText("de-en", table=path))
    assert [next(pairs).target for _ in range(1000)][-1] == "sentence 999"
    with pytest.raises(DataError, match="line 5004, column 3: not valid XML"):
        list(pairs)


def test_encodings_that_expat_does_not_read(tmp_path: Path) -> None:
    for encoding in ("UTF-7", "shift_jis", "gb18030", "zlib", "nothing-like-it"):
        text = HEAD.replace("UTF-8", encoding) + unit(de="Ja.", en="Yes.") + TAIL
        told = refused(memory(tmp_path, text.encode("ascii")))
        assert told.startswith("TMX, line 1")
    utf7 = '<?xml version="1.0" encoding="UTF-7"?>\n<tmx><body>'
    assert "its encoding can't be read (" in refused(memory(tmp_path, utf7))


def test_segments_and_tags_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmx, "LONGEST", 1 << 20)
    endless = "Ja. " * (1 << 19)
    assert refused(memory(tmp_path, HEAD + unit(de=endless, en="Yes.") + TAIL)) == (
        "TMX, line 4: a <seg> of more than 1 million characters, which no sentence has."
    )
    tag = HEAD + f'<tu x="{endless}"></tu>' + TAIL
    assert refused(memory(tmp_path, tag)) == "TMX, line 4: a tag of more than 1 MiB."
