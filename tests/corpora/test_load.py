"""From a recipe's words to pairs: the real corpora, and what is left out of them."""

import pytest

from dragoman.corpora.load import load
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.recipe.schema import Corpus, Files


@pytest.fixture
def mirror(real_data, monkeypatch, tmp_path):
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def own(folder, rows, **choice):
    (folder / "own.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in rows), encoding="utf-8")
    return Corpus(files=(Files(table="own.tsv", direction="de-en", both=choice.pop("both", False)),), **choice)


def test_alma_train(mirror, tmp_path):
    loaded = load(Corpus(corpus="alma-human"), "train", tmp_path)
    # 12,076 Czech, 14,211 German, 15,000 Russian and 15,406 Chinese pairs, less those that are there twice
    assert loaded.counts == {
        **dict.fromkeys(("cs-en", "en-cs"), 12071),
        **dict.fromkeys(("de-en", "en-de"), 14207),
        **dict.fromkeys(("ru-en", "en-ru"), 15000),
        **dict.fromkeys(("zh-en", "en-zh"), 15385),
    }
    assert loaded.dropped == {"duplicate": 60}
    assert len(loaded) + 60 == 2 * (12076 + 14211 + 15000 + 15406)
    first = Pair(
        "Osmadvacetiletý šéfkuchař nalezen mrtev v obchodě v San Francisku",
        "28-Year-Old Chef Found Dead at San Francisco Mall",
        "cs",
        "en",
    )
    pairs = list(loaded)
    assert pairs[:2] == [first, first.reversed()]
    assert len(pairs) == len(loaded) == len(set(pairs))
    assert list(loaded)[-1] == pairs[-1]  # it can be gone through again


def test_alma_valid(mirror, tmp_path):
    loaded = load(Corpus(corpus="alma-human", directions=("zh-en",)), "valid", tmp_path)
    assert loaded.counts == {"zh-en": 1002}
    assert next(iter(loaded)).source == "Dominic Raab：政府不能为隔离西班牙的决定道歉"


def test_wmt22_is_complete_and_the_same_as_alma_s_copy(mirror, tmp_path):
    loaded = load(Corpus(corpus="wmt22"), "test", tmp_path)
    assert loaded.counts == {
        **dict.fromkeys(("en-cs", "en-de", "en-ru", "en-zh"), 2037),
        "cs-en": 1448,
        "de-en": 1984,
        "ru-en": 2016,
        "zh-en": 1875,
    }
    assert not loaded.dropped  # nothing is taken out of a test set, repeated lines neither
    assert len(set(loaded)) < len(loaded)
    assert next(iter(loaded)) == Pair(
        "Blíží se velký návrat českého smolaře.", "The big comeback of the Czech underdog is coming.", "cs", "en"
    )
    copy = load(Corpus(corpus="alma-human"), "test", tmp_path)
    assert copy.counts == loaded.counts
    same = sum(a == b for a, b in zip(loaded, copy, strict=True))
    assert same / len(loaded) > 0.999


def test_directions_the_corpus_has_not(mirror, tmp_path):
    with pytest.raises(DataError, match=r"corpus 'alma-human' has no fr-en for train; it has cs-en, en-cs, de-en"):
        load(Corpus(corpus="alma-human", directions=("de-en", "fr-en")), "train", tmp_path)
    with pytest.raises(DataError, match="corpus 'wmt22' has no train part; it has test"):
        load(Corpus(corpus="wmt22"), "train", tmp_path)


def test_duplicates_and_empties(tmp_path):
    rows = [("a", "A"), ("b", "B"), ("a", "A"), ("a", "other"), ("", "lost"), (" b", "B ")]
    loaded = load(own(tmp_path, rows), "train", tmp_path)
    assert [(pair.source, pair.target) for pair in loaded] == [("a", "A"), ("b", "B"), ("a", "other")]
    assert loaded.dropped == {"empty": 1, "duplicate": 2}
    assert len(load(own(tmp_path, rows), "test", tmp_path)) == 5


def test_limit_does_not_depend_on_order_or_company(tmp_path):
    rows = [(f"s{number}", f"t{number}") for number in range(200)]
    forwards = load(own(tmp_path, rows, limit=20, both=True), "train", tmp_path)
    assert forwards.counts == {"de-en": 20, "en-de": 20}
    assert forwards.dropped == {"over the limit": 360}
    kept = set(forwards)
    backwards = load(own(tmp_path, rows[::-1], limit=20, both=True), "train", tmp_path)
    assert set(backwards) == kept
    assert [pair.key for pair in backwards] != [
        pair.key for pair in load(own(tmp_path, rows, limit=20, both=True), "train", tmp_path)
    ]
    fewer = set(load(own(tmp_path, rows, limit=5, both=True), "train", tmp_path))
    assert fewer < kept
    half = set(load(own(tmp_path, rows[:100], limit=20, both=True), "train", tmp_path))
    assert {pair for pair in kept if int(pair.source[1:]) < 100} <= half
    reseeded = load(own(tmp_path, rows, limit=20, both=True, seed=1), "train", tmp_path)
    assert set(reseeded) != kept
    everything = load(own(tmp_path, rows, limit=1000), "train", tmp_path)
    assert len(everything) == 200
    assert not everything.dropped


def test_one_direction_of_both(tmp_path):
    choice = own(tmp_path, [("a", "A"), ("", "x")], both=True, directions=("en-de",))
    loaded = load(choice, "train", tmp_path)
    assert list(loaded) == [Pair("A", "a", "en", "de")]
    assert loaded.paths == (tmp_path / "own.tsv",)


def test_faults_show_before_work_begins(tmp_path):
    choice = own(tmp_path, [("a", "A")] * 50)
    with (tmp_path / "own.tsv").open("a") as file:
        file.write("only one column\n")
    with pytest.raises(DataError, match="line 51"):
        load(choice, "train", tmp_path)


def test_no_files(tmp_path):
    choice = Corpus(files=(Files(table="none.tsv", direction="de-en"),))
    with pytest.raises(DataError, match=r"there is no file .*none\.tsv"):
        load(choice, "train", tmp_path)
