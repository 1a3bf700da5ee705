"""A row's limit: a smaller one takes a part of what a larger one takes, as the data's own limit does."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from dragoman.corpora.load import load
from dragoman.corpora.records import Dialogue, Learnt, Pair, Text, Turn
from dragoman.lab import world
from dragoman.methods import Learn
from dragoman.pipeline.data.limit import LEARNT, beside, kept
from dragoman.pipeline.data.make_data import HERE
from dragoman.pipeline.data.record_files import write_lines
from dragoman.recipe.data.pairs import Corpus, Files

PAIRS = world.pairs("train", ("de-en", "en-de"), 60, 0)
TALKS = [
    Dialogue((Turn("user", f"question {n}"), Turn("assistant", f"answer {n}")), "mine", "de" if n % 4 else "it")
    for n in range(40)
]
RECORDS: list[Learnt] = [*PAIRS, *TALKS]
SEES = ("instructions",)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_lines(tmp_path / LEARNT, [asdict(record) for record in RECORDS])
    write_lines(tmp_path / beside("instructions"), [asdict(record) for record in TALKS])
    return tmp_path


def learnt(data: Path, limit: int | None, name: str = LEARNT) -> list[Learnt]:
    return list(kept(data, limit, sees=SEES).records(data / name))


def kinds(records: list[Learnt]) -> Iterator[str]:
    return (
        record.direction if isinstance(record, Pair) else record.language
        for record in records
        if isinstance(record, Pair | Dialogue)
    )


def test_so_many_of_each_direction_and_language_in_their_order_and_each_a_part_of_more(data: Path) -> None:
    everything, some, fewer = (learnt(data, limit) for limit in (None, 20, 7))
    assert everything == RECORDS
    assert Counter(kinds(some)) == {"de-en": 20, "en-de": 20, "de": 20, "it": 10}
    assert Counter(kinds(fewer)) == {"de-en": 7, "en-de": 7, "de": 7, "it": 7}
    assert [record for record in some if record in fewer] == fewer
    assert [record for record in everything if record in some] == some
    assert learnt(data, 60) == everything
    found = kept(data, 7)
    assert found.left_out == 160 - 28


def test_they_are_the_pairs_that_the_data_would_be_limited_to(data: Path, tmp_path: Path) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("".join(f"{pair.source}\t{pair.target}\n" for pair in PAIRS if pair.direction == "de-en"))
    corpus = Corpus(files=(Files(table=str(table), direction="de-en"),), limit=20)
    limited = set(load(corpus, "train", HERE))
    assert len(limited) == 20
    assert limited == {record for record in learnt(data, 20) if record in PAIRS[:60]}


def test_a_row_may_learn_from_some_directions_and_sources_alone(data: Path) -> None:
    german = Learn(directions=("de-en",))
    assert set(kinds(list(kept(data, None, learn=german).records(data / LEARNT)))) == {"de-en"}
    limited = kept(data, 7, SEES, learn=Learn(directions=("en-de",), lessons=("mine",)))
    assert Counter(kinds(list(limited.records(data / LEARNT)))) == {"en-de": 7, "de": 7, "it": 7}
    assert limited.share == 21 / 100
    assert not list(kept(data, None, learn=Learn(lessons=("others",))).records(data / LEARNT))


def test_what_is_mixed_in_shrinks_in_proportion_and_is_counted(data: Path) -> None:
    found = kept(data, 15, sees=SEES)
    share = (15 + 15 + 15 + 10) / 160
    mixed = learnt(data, 15, beside("instructions"))
    assert found.share == share
    assert 5 <= len(mixed) <= 25  # 13.75 of 40, drawn
    assert found.left_out == 160 - 55 + 40 - len(mixed)
    assert set(learnt(data, 5, beside("instructions"))) <= set(mixed)


def test_where_other_data_alone_is_learnt_the_limit_counts_it_and_copies_once(data: Path) -> None:
    texts = [Text(f"text {n}", "de" if n % 3 else "it") for n in range(30)]
    write_lines(data / beside("texts"), [asdict(text) for text in [*texts, *texts[:15]]])
    found = kept(data, 8, ("texts",), only=True)
    some = list(found.records(data / beside("texts")))
    assert Counter(text.language for text in set(some) if isinstance(text, Text)) == {"de": 8, "it": 8}
    assert len(some) > 16
    assert found.left_out == 45 - len(some)
    fewer = list(kept(data, 3, ("texts",), only=True).records(data / beside("texts")))
    assert [text for text in some if text in fewer] == fewer
