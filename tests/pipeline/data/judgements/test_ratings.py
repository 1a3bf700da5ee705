"""Gathering rated translations: limits, duplicates, what is in a test, and what is said of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dragoman.corpora.records import Rated, Record, TranslationError
from dragoman.errors import DataError
from dragoman.lab import BACKBONE
from dragoman.pipeline.data.judgements import ratings
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.data.make_data import missing
from dragoman.pipeline.data.record_files import read_learnt
from dragoman.pipeline.forecast.amounts import Vocabulary
from dragoman.pipeline.forecast.amounts.ratings import of_ratings
from dragoman.pipeline.models.cast import Model
from dragoman.recipe.schema import Recipe
from dragoman.store import Store
from tests.corpora.formats.judgements.test_mqm import ROWS, table


def recipe(*entries: Mapping[str, object]) -> Recipe:
    data = {"ratings": entries}
    return Recipe.model_validate(
        {"name": "a", "backbone": "lab", "data": data, "methods": [{"parrot": {}}], "evaluate": ["lab"]}
    )


def gathered(
    out: Path, *entries: Mapping[str, object], shares: Callable[[str, str, Record], str | None]
) -> list[Rated]:
    ratings.gather(recipe(*entries), out, shares)
    return [one for one in read_learnt(out / beside("ratings")) if isinstance(one, Rated)]


def nothing(*_: object) -> None:
    return None


LAB = {"corpus": "lab-ratings", "direction": "de-en"}


def test_records_come_back_as_they_were_and_the_same_again_once(tmp_path: Path) -> None:
    path = table(tmp_path, *ROWS)
    said = {"file": str(path), "direction": "de-en"}
    found = ratings.gather(recipe(said, {**LAB, "limit": 5}, {**LAB, "limit": 6}), tmp_path, nothing)
    assert found.counts == {"mqm.tsv de-en": 3, "lab-ratings de-en": 24}
    assert found.dropped["duplicate"] == 5
    back = list(read_learnt(tmp_path / beside("ratings")))
    assert back[:2] == ratings.read(recipe(said).data.ratings[0]).records
    assert len(back) == 8


def test_scored_outputs_are_named_after_their_files(tmp_path: Path) -> None:
    for name, lines in {"a.de": ("Ja.", "Nein."), "a.en": ("Yes.", "No."), "a.comet": (1, 0.8)}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    outputs = [{"file": str(tmp_path / "a.en"), "scores": str(tmp_path / "a.comet")}]
    said = {"source": str(tmp_path / "a.de"), "outputs": outputs, "direction": "de-en", "major": -10}
    first, second = gathered(tmp_path, said, shares=nothing)
    assert (first.source, first.origin, first.translations[0].system) == ("Ja.", "a.de", "a.en")
    assert second.translations[0].score == pytest.approx(-5)
    assert second.translations[0].errors == (TranslationError("", "minor"),)
    digests = Store(tmp_path / "store").digests
    before = ratings.inputs(recipe(said), digests)
    (tmp_path / "a.comet").write_text("1\n0.7\n", encoding="utf-8")
    assert ratings.inputs(recipe(said), digests) != before


def test_a_corpus_or_language_that_is_not_there_is_refused(tmp_path: Path) -> None:
    digests = Store(tmp_path / "store").digests
    with pytest.raises(DataError, match=r"data.ratings.0: the lab has no ratings 'lab-mqm'; it has lab-ratings"):
        ratings.inputs(recipe({**LAB, "corpus": "lab-mqm"}), digests)
    with pytest.raises(DataError, match=r"corpus 'wmt22' has no ratings part; it has test"):
        ratings.inputs(recipe({**LAB, "corpus": "wmt22"}), digests)
    with pytest.raises(DataError, match=r"corpus 'mqm-ted' has no ratings in de-en; it has zh-en, en-de"):
        ratings.inputs(recipe({**LAB, "corpus": "mqm-ted"}), digests)
    with pytest.raises(DataError, match=r"data.ratings.0, direction de-qqq: "):
        ratings.inputs(recipe({**LAB, "direction": "de-qqq"}), digests)


def test_a_limit_counts_sources_and_a_smaller_one_is_a_part(tmp_path: Path) -> None:
    rows = [row.replace("\t1\t1\t", f"\t1\t{n}\t").replace("Hund", f"Hund {n}") for n in range(20) for row in ROWS[:4]]
    said = {"file": str(table(tmp_path, *rows)), "direction": "de-en"}
    few, more = (gathered(tmp_path, {**said, "limit": limit}, shares=nothing) for limit in (4, 9))
    assert (len(few), len(more)) == (4, 9)
    assert [one for one in more if one in few] == few
    assert all(len(one.translations) == 2 for one in more)


def test_a_source_goes_if_one_of_its_translations_is_asked(tmp_path: Path) -> None:
    def shares(place: str, origin: str, record: Record) -> str | None:
        assert (place, origin) == ("data.ratings", "mqm.tsv")
        return "in the test" if getattr(record, "target", "") == "The dog sleeps." else None

    said = {"file": str(table(tmp_path, *ROWS)), "direction": "de-en"}
    found = ratings.gather(recipe(said), tmp_path, shares)
    assert found.dropped["in the test"] == 1
    (left,) = read_learnt(tmp_path / beside("ratings"))
    assert isinstance(left, Rated)
    assert left.source == "Er bellt."
    with pytest.raises(DataError, match=r"data.ratings.0 \(mqm.tsv\): not one is left to learn; left out: 2 asked"):
        ratings.gather(recipe(said), tmp_path, lambda *_: "asked")


def test_a_corpus_of_the_catalogue(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"corpus": "mqm-ted", "direction": "en-de", "limit": 50}
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    vocabulary = Vocabulary(Model("lab", BACKBONE, ""), None)
    assert missing(recipe(said, LAB)) == ("mqm-ted",)
    assert of_ratings(recipe(said, LAB), vocabulary, None) is None
    monkeypatch.setenv("DRAGOMAN_MIRROR", str(real_data))
    assert missing(recipe(said, LAB)) == ()
    found = gathered(tmp_path, said, shares=nothing)
    assert len(found) == 50
    assert {one.origin for one in found} == {"mqm-ted"}
    foreseen = of_ratings(recipe(said), vocabulary, None)
    assert foreseen is not None
    assert foreseen.total.records > 500
