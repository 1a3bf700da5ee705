"""The published test sets as corpora of the catalogue, on the real files; and sides that do not fit."""

from collections import Counter
from pathlib import Path

import pytest

from dragoman.corpora import catalog
from dragoman.corpora.formats.parallel import ParallelText, read
from dragoman.corpora.load import load
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.recipe.data.pairs import Corpus


@pytest.fixture(autouse=True)
def _mirror(real_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def pairs(name: str, *directions: str) -> list[Pair]:
    loaded = load(Corpus(corpus=name, directions=directions), "test", Path())
    assert not loaded.dropped
    return list(loaded)


def test_wmt23() -> None:
    found = pairs("wmt23", "en-de", "de-en", "en-cs", "en-zh", "zh-en")
    assert Counter(pair.direction for pair in found) == {
        "en-de": 557, "de-en": 549, "en-cs": 2074, "en-zh": 2074, "zh-en": 1976
    }  # fmt: skip
    german = next(pair for pair in found if pair.direction == "de-en")
    assert german.source == "Diego Cocca wird neuer Nationaltrainer von Mexiko"
    assert german.target == "Diego Cocca will become the new national team trainer for Mexico"
    lengths = {
        way: sum(len(pair.source) for pair in found if pair.direction == way) / number
        for way, number in (("en-de", 557), ("en-cs", 2074))
    }
    assert lengths["en-de"] > 3 * lengths["en-cs"]  # paragraphs


def test_ntrex_either_way_with_its_documents() -> None:
    found = pairs("ntrex", "en-de", "zh-en")
    assert len(found) == 2 * 1997
    assert len({pair.document for pair in found}) == 123
    first, last = found[0], [pair for pair in found if pair.direction == "zh-en"][-1]
    assert (first.source, first.document) == ("Welsh AMs worried about 'looking like muppets'", "bbc.381790")
    assert (last.source_language, last.document) == ("zh", "cnn.304400")


def test_flores_with_its_articles() -> None:
    found = pairs("flores200", "en-de", "de-en")
    assert Counter(pair.direction for pair in found) == {"en-de": 1012, "de-en": 1012}
    assert len({pair.document for pair in found}) == 281
    assert found[0].document.startswith("https://en.wikinews.org/wiki/Toronto_team-led_research_on_Type_1_Diabetes")
    assert [pair.reversed() for pair in found if pair.direction == "en-de"] == [
        pair for pair in found if pair.direction == "de-en"
    ]


def test_alma_s_training_data_has_ntrex_and_flores_as_the_catalogue_says() -> None:
    learnt = {pair.target for pair in load(Corpus(corpus="alma-human", directions=("de-en",)), "train", Path())}
    for name in ("ntrex", "flores200"):
        assert {pair.source for pair in pairs(name, "en-de")} <= learnt
        assert catalog.seen_before(name, ["alma-human"])
    assert len({pair.source for pair in pairs("wmt23", "en-de")} & learnt) == 0


def test_sides_of_different_length_are_refused_with_both_counts(real_data: Path, tmp_path: Path) -> None:
    texts = real_data / "wmt22" / "txt"
    source = texts / "sources" / "generaltest2022.en-de.src.en"
    target = texts / "references" / "generaltest2022.de-en.ref.A.en"
    with pytest.raises(DataError) as refused:
        list(read(ParallelText("en-de", source, target)))
    assert f"different length: {source} has 2,037 lines, {target} has 1,984." in str(refused.value)


def test_documents_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for name, text in (
        ("a.en", "A.\nB.\n"),
        ("a.de", "Ah.\nBeh.\n"),
        ("short", "one\n"),
        ("long", "one\ntwo\nthree\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def told(name: str) -> list[Pair]:
        text = ParallelText("en-de", tmp_path / "a.en", tmp_path / "a.de", documents=tmp_path / name)
        return list(read(text))

    with pytest.raises(DataError, match=r"short: the documents do not fit the text \(it ends after line 1, and"):
        told("short")
    with pytest.raises(DataError, match=r"long: the documents do not fit the text \(the text ends, and it goes on\)"):
        told("long")
