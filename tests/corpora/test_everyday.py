"""The corpus that comes with the package: it is read without a download, its sides are what they say, and no two are
alike.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from dragoman.corpora import catalog
from dragoman.corpora.catalog import Role
from dragoman.corpora.contamination import index
from dragoman.corpora.load import Loaded, load
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.pipeline.data.mix_ups import mix_ups
from dragoman.recipe.data.pairs import Corpus
from dragoman.suites.translation.language_id import identified

PARTS: tuple[Role, ...] = ("train", "valid", "test")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def loaded(role: Role, *directions: str) -> Loaded:
    return load(Corpus(corpus="everyday", directions=directions), role, Path())


def everything() -> list[Pair]:
    return [pair for role in PARTS for pair in loaded(role, "de-en")]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def sides(pairs: list[Pair]) -> Iterator[list[list[str]]]:
    yield [words(pair.source) for pair in pairs]
    yield [words(pair.target) for pair in pairs]


def test_it_is_here_in_both_directions() -> None:
    for role, fewest in zip(PARTS, (1200, 50, 200), strict=True):
        found = loaded(role)
        (part,) = catalog.find("everyday").of(role)
        assert found.counts == {"de-en": part.records, "en-de": part.records}
        assert (part.records or 0) >= fewest
        assert not found.dropped
        assert all(path.is_relative_to(catalog.PACKAGE) for path in found.paths)


def test_a_part_that_was_lost_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "PACKAGE", tmp_path)
    with pytest.raises(DataError, match=r"everyday/test\.de is missing: it comes with Dragoman"):
        loaded("test")


def test_nothing_looks_mixed_up() -> None:
    for role in PARTS:
        for direction in ("de-en", "en-de"):
            for sample in loaded(role, direction).samples:
                assert len(list(sample)) > 40
                assert mix_ups(sample) == []


def test_each_side_is_in_its_language() -> None:
    """Of sides with 40 letters or more all are identified; a few shorter ones say too little."""
    told = Counter(
        (language, identified(text, "de", "en") == language)
        for pair in everything()
        for language, text in (("de", pair.source), ("en", pair.target))
        if len(text) >= 40
    )
    assert told["de", False] + told["en", False] == 0
    assert min(told["de", True], told["en", True]) > 1300


def test_no_side_stands_twice_and_no_eight_words_in_a_row() -> None:
    for texts in sides(everything()):
        assert len({" ".join(text) for text in texts}) == len(texts)
        runs = Counter(run for text in texts for run in {tuple(text[i : i + 8]) for i in range(len(text) - 7)})
        assert [" ".join(run) for run, count in runs.items() if count > 1] == []


def test_no_two_pairs_have_much_the_same_words() -> None:
    for texts in sides(everything()):
        known = sorted((set(text) for text in texts), key=len)
        alike = [
            (one, other)
            for one, other in combinations(known, 2)
            if len(one) > 0.7 * len(other) and len(one & other) > 0.7 * len(one | other)
        ]
        assert alike == []


def test_training_has_nothing_of_the_test() -> None:
    for direction in ("de-en", "en-de"):
        judged = index((), list(loaded("test", direction)))
        assert judged.find(next(iter(loaded("test", direction)))) is not None
        for role in PARTS[:2]:
            assert [found for pair in loaded(role, direction) if (found := judged.find(pair))] == []


def test_lengths() -> None:
    for texts in sides(everything()):
        lengths = [len(text) for text in texts]
        assert min(lengths) == 3
        assert max(lengths) <= 85
        assert 20 < sum(lengths) / len(lengths) < 30
    for pair in everything():
        if len(pair.source) > 60:
            assert 0.7 < len(pair.source) / len(pair.target) < 1.6, pair


def test_how_it_is_written() -> None:
    """German quotation marks open low; English ones are straight; dashes have a space on both sides."""
    for pair in everything():
        german, english = pair.source, pair.target
        assert german.count("„") == german.count("“"), german
        assert not re.search(r"[\"”’‘«»—]", german), german
        assert english.count('"') % 2 == 0, english
        assert not re.search("[„“”’‘«»—ß]", re.sub(r"\w+straße", "", english)), english
        for text in (german, english):
            assert re.findall(r"–", text) == re.findall(r"(?<= )–(?= )", text), text
            assert text == " ".join(text.split())
