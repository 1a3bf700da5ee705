"""From a recipe's words to pairs: the real corpora, and what is left out of them."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora import catalog
from dragoman.corpora.load import Rules, choose, load
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.recipe.data.pairs import Corpus, Files


@pytest.fixture
def mirror(real_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def own(folder: Path, rows: list[tuple[str, str]], **choice: Any) -> Corpus:
    (folder / "own.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in rows), encoding="utf-8")
    return Corpus(files=(Files(table="own.tsv", direction="de-en", both=choice.pop("both", False)),), **choice)


def test_alma_train(mirror: None, tmp_path: Path) -> None:
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


def test_alma_valid(mirror: None, tmp_path: Path) -> None:
    loaded = load(Corpus(corpus="alma-human", directions=("zh-en",)), "valid", tmp_path)
    assert loaded.counts == {"zh-en": 1002}
    assert next(iter(loaded)).source == "Dominic Raab：政府不能为隔离西班牙的决定道歉"


def test_wmt22_is_complete_and_the_same_as_alma_s_copy(mirror: None, tmp_path: Path) -> None:
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


def test_directions_the_corpus_has_not(mirror: None, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"corpus 'alma-human' has no fr-en for train; it has cs-en, en-cs, de-en"):
        load(Corpus(corpus="alma-human", directions=("de-en", "fr-en")), "train", tmp_path)
    with pytest.raises(DataError, match="corpus 'wmt22' has no train part; it has test"):
        load(Corpus(corpus="wmt22"), "train", tmp_path)


def test_duplicates_and_empties(tmp_path: Path) -> None:
    rows = [("a", "A"), ("b", "B"), ("a", "A"), ("a", "other"), ("", "lost"), (" b", "B ")]
    loaded = load(own(tmp_path, rows), "train", tmp_path)
    assert [(pair.source, pair.target) for pair in loaded] == [("a", "A"), ("b", "B"), ("a", "other")]
    assert loaded.dropped == {"empty": 1, "duplicate": 2}
    assert len(load(own(tmp_path, rows), "test", tmp_path)) == 5


def test_limit_does_not_depend_on_order_or_company(tmp_path: Path) -> None:
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


def test_one_direction_of_both(tmp_path: Path) -> None:
    choice = own(tmp_path, [("a", "A"), ("", "x")], both=True, directions=("en-de",))
    loaded = load(choice, "train", tmp_path)
    assert list(loaded) == [Pair("A", "a", "en", "de")]
    assert loaded.paths == (tmp_path / "own.tsv",)


def test_faults_show_before_work_begins(tmp_path: Path) -> None:
    choice = own(tmp_path, [("a", "A")] * 50)
    with (tmp_path / "own.tsv").open("a") as file:
        file.write("only one column\n")
    with pytest.raises(DataError, match="line 51"):
        load(choice, "train", tmp_path)


def sentences(loaded: Iterable[Pair]) -> dict[str, set[tuple[str, str]]]:
    """The (language, text) of both sides, by direction."""
    found: dict[str, set[tuple[str, str]]] = {}
    for pair in loaded:
        found.setdefault(pair.direction, set()).update(
            {(pair.source_language, pair.source), (pair.target_language, pair.target)}
        )
    return found


def test_disjoint_directions_of_real_pairs(mirror: None, tmp_path: Path) -> None:
    loaded = load(Corpus(corpus="alma-human", directions=("en-cs", "cs-en"), disjoint=True), "train", tmp_path)
    assert loaded.counts == {"cs-en": 6035, "en-cs": 6036}  # every pair serves once
    assert loaded.dropped == {"duplicate": 10, "serves the other direction": 12071}
    there = sentences(loaded)
    assert len(there["cs-en"]) > 12000
    assert not there["cs-en"] & there["en-cs"]


def test_disjoint_directions_and_the_seed(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "ntrex" / "NTREX-128"
    names = (str(folder / "newstest2019-src.eng.txt"), str(folder / "newstest2019-ref.deu.txt"))
    files = (Files(source=names[0], target=names[1], direction="en-de", both=True),)
    choice = Corpus(files=files, disjoint=True)
    there = sentences(load(choice, "train", tmp_path))
    swapped = load(choice.model_copy(update={"directions": ("de-en", "en-de")}), "train", tmp_path)
    assert sentences(swapped) == there
    other = sentences(load(choice.model_copy(update={"seed": 1}), "train", tmp_path))
    assert 800 < len(other["en-de"] & there["en-de"]) < 1200  # of some 2000, half
    limited = load(choice.model_copy(update={"limit": 990}), "train", tmp_path)
    assert limited.counts == {"de-en": 990, "en-de": 990}


def test_sentences_that_hang_together_go_one_way(tmp_path: Path) -> None:
    chain = [("Warum?", "Why?"), ("Wieso?", "Why?"), ("Wieso?", "How come?"), ("Wozu?", "How come?")]
    rows = [*chain, *((f"s{number}", f"t{number}") for number in range(96))]
    ways = set()
    for seed in range(6):
        loaded = load(own(tmp_path, rows, both=True, disjoint=True, seed=seed), "train", tmp_path)
        assert loaded.counts == {"de-en": 50, "en-de": 50}
        held = {pair.direction for pair in loaded if {pair.source, pair.target} & {"Warum?", "How come?"}}
        assert len(held) == 1
        ways |= held
        limited = load(own(tmp_path, rows, both=True, disjoint=True, seed=seed, limit=50), "train", tmp_path)
        assert set(limited) == set(loaded)
    assert ways == {"de-en", "en-de"}


def test_what_serves_does_not_depend_on_order_or_repetition(tmp_path: Path) -> None:
    rows = [(f"s{number}", f"t{number}") for number in range(101)]
    there = set(load(own(tmp_path, rows, both=True, disjoint=True), "train", tmp_path))
    assert len(there) == 101
    assert set(load(own(tmp_path, rows[::-1] + rows, both=True, disjoint=True), "train", tmp_path)) == there
    fewer = set(load(own(tmp_path, rows[:-1], both=True, disjoint=True), "train", tmp_path))
    assert len(there & fewer) >= 99


def test_pairs_of_one_direction_keep_it(tmp_path: Path) -> None:
    (tmp_path / "one.tsv").write_text("".join(f"s{number}\tt{number}\n" for number in range(10)))
    (tmp_path / "two.tsv").write_text("".join(f"s{number}\tt{number}\n" for number in range(20)))
    files = (Files(table="one.tsv", direction="de-en"), Files(table="two.tsv", direction="de-en", both=True))
    loaded = load(Corpus(files=files, disjoint=True), "train", tmp_path)
    assert loaded.counts == {"de-en": 10, "en-de": 10}
    alone = load(Corpus(files=files[:1], disjoint=True), "train", tmp_path)
    assert alone.counts == {"de-en": 10}


def test_each_language_pair_is_shared_out_for_itself(tmp_path: Path) -> None:
    for language in ("de", "it"):
        (tmp_path / f"{language}.tsv").write_text("".join(f"{language}{n}\ten{n}\n" for n in range(10)))
    files = tuple(Files(table=f"{language}.tsv", direction=f"{language}-en", both=True) for language in ("de", "it"))
    loaded = load(Corpus(files=files, disjoint=True), "train", tmp_path)
    assert loaded.counts == dict.fromkeys(("de-en", "en-de", "it-en", "en-it"), 5)


def test_pairs_at_hand_are_chosen_like_those_of_files(tmp_path: Path) -> None:
    rows = [(f"s{number}", f"t{number}") for number in range(60)] + [("x" * 9, "y")]
    rules = Rules(20, 3, distinct=True, disjoint=True, max_characters=8)
    loaded = load(own(tmp_path, rows, limit=20, seed=3, disjoint=True, max_characters=8, both=True), "train", tmp_path)
    pairs = [Pair(*row, "de", "en") for row in rows]
    dropped: Counter[str] = Counter()
    chosen = choose([*pairs, *(pair.reversed() for pair in pairs)], ("de-en", "en-de"), rules, dropped)
    assert set(chosen) == set(loaded)
    assert dropped == loaded.dropped == {"too long": 2, "serves the other direction": 60, "over the limit": 20}


def test_too_long_and_copies(tmp_path: Path) -> None:
    rows = [
        ("kurz", "short"),
        ("x" * 11, "y"),
        ("y", "x" * 11),
        ("x" * 10, "z"),
        ("Der Spiegel", " der  spiegel"),
        ("", "a"),
    ]
    loaded = load(own(tmp_path, rows, max_characters=10), "train", tmp_path)
    assert [pair.target for pair in loaded] == ["short", "z"]
    assert loaded.dropped == {"too long": 3, "empty": 1}
    loaded = load(own(tmp_path, rows * 2, drop_copies=True, limit=3), "train", tmp_path)
    assert loaded.dropped == {"the same on both sides": 2, "empty": 2, "duplicate": 4, "over the limit": 1}
    assert len(list(loaded)) == len(loaded) == 3


def test_news_commentary_of_the_catalogue(real_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real samples stand in for OPUS's files, which they are the beginning of."""
    folder = tmp_path / "news-commentary" / "v11"
    folder.mkdir(parents=True)
    for name in ("de-en", "en-it"):
        sample = real_data / "news_commentary" / name / "11.0.0" / "dummy_data.zip"
        shutil.copy(sample, folder / f"{name}.txt.zip")
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(tmp_path))
    choice = Corpus(corpus="news-commentary", directions=("en-de", "it-en"))
    with pytest.raises(DataError, match=r"de-en\.txt\.zip is not the file that the catalogue describes"):
        load(choice, "train", tmp_path)
    entry = catalog.find("news-commentary")
    unchecked = replace(entry, files=dict.fromkeys(entry.files, catalog.File()))
    monkeypatch.setattr(catalog, "catalogue", lambda: {entry.name: unchecked})
    loaded = load(choice, "train", tmp_path)
    assert loaded.counts == {"en-de": 5, "it-en": 5}
    assert next(iter(loaded)) == Pair("$10,000 Gold?", "Steigt Gold auf 10.000 Dollar?", "en", "de", "-10-000-gold")
    with pytest.raises(DataError, match="news-commentary' has no test part; it has train"):
        load(choice, "test", tmp_path)


def test_no_files(tmp_path: Path) -> None:
    choice = Corpus(files=(Files(table="none.tsv", direction="de-en"),))
    with pytest.raises(DataError, match=r"there is no file .*none\.tsv"):
        load(choice, "train", tmp_path)
