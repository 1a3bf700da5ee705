"""Dev pairs: named or held out, apart from what is learnt, and told of where they are in the test."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.pipeline.data import dev_pairs
from dragoman.pipeline.data.make_data import data_inputs, make_data, missing
from dragoman.pipeline.data.record_files import read_pairs
from dragoman.pipeline.stages.data import told
from dragoman.recipe.data.pairs import Dev
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

LAB = {"corpus": "lab", "directions": ["de-en", "en-de"], "limit": 60}


def recipe(**data: Any) -> Recipe:
    settings = {"name": "x", "backbone": "lab", "data": data, "methods": ({"vanilla": {}},)}
    return Recipe.model_validate({**settings, "evaluation": {"noise_seeds": 1}})


def table(folder: Path, name: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    """A file of one's own, as a recipe names it."""
    path = folder / f"my-{name}"
    lines = (json.dumps({"source": source, "target": target}) + "\n" for source, target in pairs)
    path.write_text("".join(lines), encoding="utf-8")
    return {"files": [{"table": str(path), "direction": "en-de"}]}


def sentences(first: int, last: int) -> list[tuple[str, str]]:
    return [
        (f"The {number}th of the old bridges is closed today.", f"Brücke {number} der alten Brücken ist heute zu.")
        for number in range(first, last)
    ]


def pairs_in(folder: Path, name: str) -> list[Pair]:
    return list(read_pairs(folder / f"{name}.jsonl"))


def texts(pairs: list[Pair]) -> set[str]:
    return {side for pair in pairs for side in (pair.source, pair.target)}


def test_the_labs_dev_pairs_are_in_neither_train_nor_test(tmp_path: Path) -> None:
    test = {**LAB, "limit": 40}
    facts = make_data(recipe(train=LAB, test=test, dev={**LAB, "limit": 30}), tmp_path)
    without = tmp_path / "without"
    without.mkdir()
    make_data(recipe(train=LAB, test=test), without)
    assert (tmp_path / "train.jsonl").read_bytes() == (without / "train.jsonl").read_bytes()
    assert not (without / "dev.jsonl").exists()
    assert facts["dev"] == {"de-en": 30, "en-de": 30}
    dev = texts(pairs_in(tmp_path, "dev"))
    assert len(dev) > 100
    assert not dev & (texts(pairs_in(tmp_path, "train")) | texts(pairs_in(tmp_path, "test")))
    assert told(facts)[:3] == ["120 train", "60 dev", "80 test"]
    assert facts["warnings"] == []


def test_a_share_is_held_out_and_no_sentence_of_it_is_learnt(tmp_path: Path) -> None:
    made = sentences(0, 200)
    copy = (made[7][0].upper(), made[7][1])  # found again but for case, whatever side it falls on
    train = table(tmp_path, "train.jsonl", *made, copy)
    train["files"][0]["both"] = True
    (tmp_path / "out").mkdir()
    facts = make_data(recipe(train=train, dev={"share": 0.2}), tmp_path / "out")
    dev, learnt = (pairs_in(tmp_path / "out", name) for name in ("dev", "train"))
    assert 50 < len(dev) < 110  # a fifth of 402
    assert facts["dev"] == {"en-de": len(dev) // 2, "de-en": len(dev) // 2}
    assert {pair.reversed() for pair in dev} == set(dev)
    assert not texts(dev) & texts(learnt)
    assert len(dev) + len(learnt) + sum(facts["left out"].values()) == 402


def test_another_share_of_the_same_seed_holds_the_same_pairs_out_and_more() -> None:
    made = [Pair(source, target, "en", "de") for source, target in sentences(0, 500)]
    few, many, others = (
        {pair for pair in made if dev_pairs.is_held_out(pair, dev)}
        for dev in (Dev(share=0.1), Dev(share=0.3), Dev(share=0.3, seed=1))
    )
    assert few < many
    assert 100 < len(many) < 200
    assert many != others


def test_training_pairs_with_a_sentence_of_the_dev_set_are_left_out_and_listed(tmp_path: Path) -> None:
    train, dev = table(tmp_path, "train.jsonl", *sentences(0, 50)), table(tmp_path, "dev.jsonl", *sentences(48, 60))
    out = tmp_path / "out"
    out.mkdir()
    facts = make_data(recipe(train=train, dev=dev), out)
    assert facts["train"] == {"en-de": 48}
    assert facts["left out"] == {"with a sentence of the dev set (data.dev)": 2}
    listed = [json.loads(line) for line in (out / "contamination.jsonl").read_text().splitlines()]
    assert [line["test_set"] for line in listed] == ["validation en-de"] * 2


def test_much_of_a_dev_set_in_training_is_refused_as_of_a_test(tmp_path: Path) -> None:
    train, dev = table(tmp_path, "train.jsonl", *sentences(0, 50)), table(tmp_path, "dev.jsonl", *sentences(38, 60))
    with pytest.raises(DataError, match=r"validation en-de: 12 of 22"):
        make_data(recipe(train=train, dev=dev), tmp_path)
    facts = make_data(recipe(train=train, dev=dev, contamination="remove"), tmp_path)
    assert facts["train"] == {"en-de": 38}


def test_dev_pairs_that_are_in_the_test_are_told_of(tmp_path: Path) -> None:
    train = table(tmp_path, "train.jsonl", *sentences(0, 20))
    dev, test = table(tmp_path, "dev.jsonl", *sentences(30, 40)), table(tmp_path, "test.jsonl", *sentences(37, 50))
    facts = make_data(recipe(train=train, dev=dev, test=test), tmp_path)
    (warning,) = facts["warnings"]
    assert warning.startswith("3 of 10 dev pairs (data.dev) share text with the test set")
    assert facts["dev"] == {"en-de": 10}


def test_a_share_of_nothing_and_a_share_that_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing is left to validate on \(data.dev\), raise the share"):
        make_data(recipe(train=table(tmp_path, "train.jsonl", *sentences(0, 9)), dev={"share": 0.001}), tmp_path)
    with pytest.raises(ValueError, match="dev is a share of train, and train names no pairs"):
        recipe(lessons=[{"corpus": "lab-programs", "limit": 4}], dev={"share": 0.1})
    with pytest.raises(ValueError, match=r"is a share of data\.train; take out what names other pairs"):
        recipe(train=LAB, dev={"share": 0.1, "corpus": "lab"})


def test_what_a_catalogues_corpus_offers_for_validation() -> None:
    assert dev_pairs.role_of(Dev(corpus="alma-human")) == "valid"
    assert dev_pairs.role_of(Dev(corpus="ntrex")) == "test"
    assert dev_pairs.role_of(Dev(corpus="news-commentary")) == "train"
    named = {"train": LAB, "test": LAB, "dev": {"corpus": "alma-human", "directions": ["de-en"]}}
    assert missing(recipe(**named)) in ((), ("alma-human",))


def test_a_recipe_without_a_dev_set_has_the_name_that_it_had(tmp_path: Path) -> None:
    digests = Digests(tmp_path / "digests.json")
    without = data_inputs(recipe(train=LAB, test=LAB), digests)
    assert "dev" not in without
    with_share = data_inputs(recipe(train=LAB, test=LAB, dev={"share": 0.1}), digests)
    assert {**without, "dev": with_share["dev"]} == with_share
    other = data_inputs(recipe(train=LAB, test=LAB, dev={"share": 0.1, "seed": 1}), digests)
    assert other != with_share
