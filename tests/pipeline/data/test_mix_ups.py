"""Mix-ups are found in spoilt copies of sound pairs, and none in the sound ones."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dragoman.commands.init.starter import Wishes, write_starter
from dragoman.commands.recipes import recipe
from dragoman.corpora.formats.parallel import ParallelText
from dragoman.corpora.pair_sample import PairSample
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.lab import world
from dragoman.pipeline.data.make_data import make_data
from dragoman.pipeline.data.mix_ups import MixUp, mix_ups
from dragoman.pipeline.stages.data import told
from dragoman.recipe.schema import Recipe

DIRECTIONS = ("de-en", "en-de", "en-it", "it-en")


@cache
def sound(direction: str = "de-en", count: int = 400) -> tuple[Pair, ...]:
    return tuple(world.pairs("train", (direction,), count, 0))


def found(pairs: Sequence[Pair], **options: bool) -> list[MixUp]:
    sample = PairSample(pairs[0].direction)
    assert len(list(sample.watch(pairs))) == len(pairs)
    return mix_ups(sample, **options)


def spoilt(pairs: Sequence[Pair], side: Callable[[Pair], tuple[str, str]]) -> list[Pair]:
    return [Pair(*side(pair), pair.source_language, pair.target_language) for pair in pairs]


def shifted(pairs: Sequence[Pair]) -> list[Pair]:
    return [Pair(one.source, next_one.target, "de", "en") for one, next_one in pairwise(pairs)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_sound_pairs(direction: str) -> None:
    pairs = sound(direction, 2000)
    assert [found(pairs[:size]) for size in (1, 2, 5, 10, 30, 100, 400, 2000)] == [[]] * 8
    assert found(sorted(pairs, key=lambda pair: len(pair.source))) == []


def test_swapped_languages() -> None:
    (one,) = found(spoilt(sound(), lambda pair: (pair.target, pair.source)))
    assert one.certain
    assert "de-en says German to English, but the source side is English and the target side German" in one.sentence
    assert "write the direction en-de" in one.sentence
    assert one.sentence.count("→") == 3
    assert f"“{sound()[0].target}” → “{sound()[0].source}”" in one.sentence


def test_both_directions_in_one_file_are_a_doubt() -> None:
    turned = spoilt(sound()[:150], lambda pair: (pair.target, pair.source))
    (one,) = found([*sound()[150:300], *turned])
    assert not one.certain
    assert "look swapped in a part" in one.sentence


def test_copies() -> None:
    copied = spoilt(sound(), lambda pair: (pair.source, pair.source.upper()))
    (one,) = found(copied)
    assert one.certain
    assert "the same text in 100 % of a sample" in one.sentence
    assert found(copied, copies_left_out=True) == []
    (some,) = found([*copied[:120], *sound()[120:]])
    assert not some.certain


@pytest.mark.parametrize("row", [("source", "target"), ("de", "en"), ("German", "English"), ("SRC", "Translation")])
def test_a_header_row(row: tuple[str, str]) -> None:
    (one,) = found([Pair(*row, "de", "en"), *sound()])
    assert one.certain
    assert one.sentence.startswith("the first row names the columns.")
    assert f"“{row[0]}” → “{row[1]}”" in one.sentence


def test_a_header_row_the_other_way_round() -> None:
    (one,) = found([Pair("English", "Deutsch", "de", "en"), *sound()])
    assert "it has the languages the other way round than de-en" in one.sentence


def test_words_for_languages_are_no_header() -> None:
    words = [Pair("Deutsch", "German", "de", "en"), Pair("Englisch", "English", "de", "en")]
    assert found([*words, *sound()]) == found([words[1], words[0], *sound()]) == []


def test_shifted_lines() -> None:
    (one,) = found(shifted(sound()))
    assert one.certain
    assert "shifted 1 line up against the source side: lengths" in one.sentence
    assert one.sentence.count("would fit") == 3


def test_lines_shifted_from_the_middle_on() -> None:
    pairs = sound("de-en", 2000)
    (one,) = found([*pairs[:1200], *shifted(pairs[1200:])])
    assert one.certain
    assert "from pair 1,2" in one.sentence or "from pair 1,4" in one.sentence


def written(path: Path, pairs: Sequence[Pair]) -> Path:
    lines = (json.dumps({"source": pair.source, "target": pair.target}) + "\n" for pair in pairs)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def asked(table: Path, **data: Any) -> Recipe:
    files = [{"table": str(table), "direction": "de-en"}]
    test = {"corpus": "lab", "directions": ["de-en"], "limit": 5}
    settings = {"name": "x", "backbone": "lab", "methods": ({"vanilla": {}},), "evaluate": ("translation",)}
    return Recipe.model_validate({**settings, "data": {"train": {"files": files}, "test": test, **data}})


def test_the_data_stage_refuses_what_is_certain(tmp_path: Path) -> None:
    table = written(tmp_path / "a.jsonl", shifted(sound()))
    with pytest.raises(DataError, match=r"data.train, .*a.jsonl: the target side looks shifted 1 line up"):
        make_data(asked(table), tmp_path)
    facts = make_data(asked(table, mix_ups="warn"), tmp_path)
    assert len(facts["warnings"]) == 1
    assert told(facts)[-1].startswith(f"beware: data.train, {table}: the target side looks shifted")


def test_the_data_stage_says_nothing_of_sound_files(tmp_path: Path) -> None:
    assert make_data(asked(written(tmp_path / "a.jsonl", sound())), tmp_path)["warnings"] == []


def test_init_refuses_what_is_certain(tmp_path: Path) -> None:
    table = written(tmp_path / "a.jsonl", spoilt(sound(), lambda pair: (pair.target, pair.source)))
    text, out = ParallelText("de-en", table=table), tmp_path / "recipe.yaml"
    with pytest.raises(DataError, match="the languages look swapped"):
        write_starter(text, "lab", out, tmp_path / "data")
    assert not out.exists()
    made = write_starter(text, "lab", out, tmp_path / "data", Wishes(mixed_up=True))
    assert len(made.doubts) == 1
    assert recipe(out).data.mix_ups == "warn"
