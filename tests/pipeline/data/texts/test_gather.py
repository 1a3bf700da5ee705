"""Texts of a recipe as the data stage writes them: what is taken, what is left out, and in which shares."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dragoman.corpora.records import Text
from dragoman.errors import DataError
from dragoman.lab import world
from dragoman.pipeline.data.make_data import DataFacts, data_inputs, make_data, missing
from dragoman.pipeline.data.record_files import read_learnt
from dragoman.pipeline.data.texts.measures import part_of
from dragoman.pipeline.data.texts.sources import sources
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def recipe(*texts: Mapping[str, Any], mixture: Mapping[str, Any] | None = None, **data: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "texts",
            "backbone": "lab",
            "data": {"texts": texts, "mixture": mixture, **data},
            "methods": [{"pretrain": {}}],
            "evaluation": {"questions": 1, "noise_seeds": 0},
        }
    )


def made(chosen: Recipe, out: Path) -> tuple[DataFacts, list[Text], list[Text]]:
    """The facts, and the documents that are learnt and held out."""
    out.mkdir(exist_ok=True)
    facts = make_data(chosen, out)
    learnt, held_out = ([*read_learnt(out / f"{name}.jsonl")] for name in ("texts", "dev-texts"))
    assert all(isinstance(text, Text) for text in learnt + held_out)
    return facts, learnt, held_out  # type: ignore[return-value]


def documents(path: Path, count: int, word: str = "Wort") -> dict[str, Any]:
    path.write_text("".join(f"{word} {number}: {LETTERS[number % 26] * 9}\n" for number in range(count)))
    return {"file": str(path), "language": "de"}


def test_documents_of_several_sources_with_their_names(tmp_path: Path) -> None:
    file = documents(tmp_path / "a.txt", 40)
    chosen = recipe(file, {"corpus": "lab-texts", "language": "it", "limit": 10})
    facts, learnt, held_out = made(chosen, tmp_path / "out")
    assert facts["texts"] == {"a.txt de": 40, "lab-texts it": 10}
    assert facts["train"] == {}
    assert not held_out
    assert Counter((text.origin, text.language) for text in learnt) == {("a.txt", "de"): 40, ("lab-texts", "it"): 10}
    assert [text.text for text in learnt if text.language == "de"][:2] == ["Wort 0: aaaaaaaaa", "Wort 1: bbbbbbbbb"]
    assert [text.language for text in learnt] != sorted(text.language for text in learnt)  # mixed
    assert made(chosen, tmp_path / "again")[1] == learnt


def test_duplicates_limits_and_what_is_held_out(tmp_path: Path) -> None:
    first, second = documents(tmp_path / "a.txt", 60), documents(tmp_path / "b.txt", 80)
    with (tmp_path / "b.txt").open("a") as file:
        file.write("Wort 79: " + LETTERS[79 % 26] * 9 + "\n\n")
    facts, learnt, held_out = made(recipe({**first, "dev": 0.25}, {**second, "limit": 15}), tmp_path / "out")
    assert facts["texts"]["b.txt de"] == 15
    assert facts["texts"]["a.txt de"] + facts["dev_texts"]["a.txt de"] == 60
    assert 5 < facts["dev_texts"]["a.txt de"] < 30
    assert facts["left out"] == {
        "empty, of the texts": 1,
        "duplicate, of the texts": 61,
        "over the limit, of the texts": 5,
    }
    texts = [text.text for text in learnt + held_out]
    assert len(set(texts)) == len(texts)
    smaller = made(recipe(first, {**second, "limit": 5}), tmp_path / "fewer")[1]
    assert {text.text for text in smaller if text.origin == "b.txt"} < {text.text for text in learnt}


def test_what_a_limit_leaves_out_of_one_text_another_may_have(tmp_path: Path) -> None:
    first, second = documents(tmp_path / "a.txt", 30), documents(tmp_path / "b.txt", 30)
    facts, learnt, _ = made(recipe({**first, "limit": 10}, second), tmp_path / "out")
    assert facts["texts"] == {"a.txt de": 10, "b.txt de": 20}
    assert len({text.text for text in learnt}) == 30


def test_a_source_that_is_held_out_whole(tmp_path: Path) -> None:
    file, other = documents(tmp_path / "a.txt", 20), documents(tmp_path / "b.txt", 30, "Nummer")
    facts, _, held_out = made(recipe(file, {**other, "dev": 1, "limit": 8}), tmp_path / "out")
    assert facts["texts"] == {"a.txt de": 20}
    assert facts["dev_texts"] == {"b.txt de": 8}
    assert {text.origin for text in held_out} == {"b.txt"}


def test_what_a_mixture_draws_again_and_what_it_does_not_come_to(tmp_path: Path) -> None:
    small, large = documents(tmp_path / "a.txt", 20), documents(tmp_path / "b.txt", 200, "Nummer")
    shares = ({**small, "share": 0.5}, {**large, "share": 0.5})
    facts, learnt, _ = made(recipe(*shares, mixture={"stop": "all"}), tmp_path / "all")
    assert facts["texts"]["b.txt de"] == 200
    assert facts["texts_again"] == {"a.txt de": facts["texts"]["a.txt de"] - 20}
    assert len(learnt) == sum(facts["texts"].values())
    facts, _, _ = made(recipe(*shares, mixture={"stop": "first"}), tmp_path / "first")
    assert facts["texts"]["a.txt de"] == 20
    never = 200 - facts["texts"]["b.txt de"]
    assert facts["left out"] == {"documents that the mixture did not come to, of the texts": never}
    assert facts["texts_again"] == {}


def test_shares_of_tokens_are_not_those_of_documents(tmp_path: Path) -> None:
    said = (
        {**documents(tmp_path / "a.txt", 200), "share": 0.5},
        {**documents(tmp_path / "b.txt", 200, "x"), "share": 0.5},
    )
    chosen = recipe(*said, mixture={"by": "tokens", "stop": "all", "documents": 2000})
    out = tmp_path / "out"
    for source, tokens in zip(sources(chosen), (30, 10), strict=True):
        path = part_of(out, source, 0)
        path.parent.mkdir(parents=True)
        np.save(path, np.array([[tokens, np.nan]] * 200))
    counts = made(chosen, out)[0]["texts"]
    assert counts["b.txt de"] / counts["a.txt de"] == pytest.approx(3, rel=0.15)


def test_a_threshold_leaves_out_what_was_measured_above_it(tmp_path: Path) -> None:
    chosen = recipe({**documents(tmp_path / "a.txt", 30), "max_perplexity": 50})
    out = tmp_path / "out"
    path = part_of(out, sources(chosen)[0], 0)
    path.parent.mkdir(parents=True)
    np.save(path, np.array([[9, 10 + 2 * number] for number in range(30)], dtype=float))
    facts, learnt, _ = made(chosen, out)
    assert [text.text for text in learnt] == [f"Wort {number}: {LETTERS[number] * 9}" for number in range(21)]
    assert facts["left out"] == {"over a perplexity of 50, of the texts": 9}


def test_pairs_as_texts_by_a_template_and_without_those_of_the_test(tmp_path: Path) -> None:
    pairs = world.pairs("train", ("de-en",), 12, 0)
    asked = world.pairs("test", ("de-en",), 6, 0)
    rows = [f"{pair.source}\t{pair.target}" for pair in [*pairs, asked[0]]]
    (tmp_path / "a.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    said = {"pairs": {"files": [{"table": str(tmp_path / "a.tsv"), "direction": "de-en", "both": True}]}}
    test = {"corpus": "lab", "directions": ["de-en"], "limit": 6}
    facts, learnt, _ = made(
        recipe(said, {"corpus": "lab-texts", "language": "de", "limit": 4}, test=test), tmp_path / "out"
    )
    assert facts["texts"] == {"pairs de-en": 12, "pairs en-de": 12, "lab-texts de": 4}
    assert facts["left out"] == {"also in the test set, of the texts": 2}
    found = {text.text for text in learnt}
    assert f"German: {pairs[0].source}\nEnglish: {pairs[0].target}" in found
    assert f"English: {pairs[0].target}\nGerman: {pairs[0].source}" in found
    told = [json.loads(line) for line in (tmp_path / "out" / "contamination.jsonl").read_text().splitlines()]
    assert {(one["part"], one["origin"]) for one in told} == {("data.texts", "pairs")}
    own = {**said, "template": "{source} {{{text}}} = {translation} ({target})"}
    assert f"German {{{pairs[0].source}}} = {pairs[0].target} (English)" in {
        text.text for text in made(recipe(own), tmp_path / "own")[1]
    }


def test_pairs_of_train_are_texts_too_but_not_those_that_are_validated_on(tmp_path: Path) -> None:
    train = {"corpus": "lab", "directions": ["de-en"], "limit": 40}
    facts, learnt, _ = made(recipe({"pairs": "train"}, train=train, dev={"share": 0.3}), tmp_path / "out")
    assert facts["texts"] == {"lab de-en": facts["train"]["de-en"]}
    held_out = {json.loads(line)["source"] for line in (tmp_path / "out" / "dev.jsonl").read_text().splitlines()}
    assert held_out
    assert not any(source in text.text for source in held_out for text in learnt)


def test_the_sides_of_a_corpus_in_one_language(tmp_path: Path) -> None:
    facts, learnt, _ = made(recipe({"corpus": "everyday", "language": "en"}), tmp_path / "out")
    assert facts["texts"]["everyday en"] > 1200
    assert "The" in " ".join(text.text for text in learnt)
    assert not any(" und " in text.text for text in learnt)


def test_a_text_with_a_sentence_of_the_test_is_left_out(tmp_path: Path) -> None:
    sentence = "The old clock in the kitchen has stopped again this morning."
    (tmp_path / "test.tsv").write_text(
        f"Die alte Uhr in der Küche ist heute früh wieder stehen geblieben.\t{sentence}\n"
    )
    (tmp_path / "a.txt").write_text(
        f"One day nobody came. {sentence} So we waited.\nSomething else happened in the end.\n"
    )
    test = {"files": [{"table": str(tmp_path / "test.tsv"), "direction": "de-en"}]}
    said = {"file": str(tmp_path / "a.txt"), "language": "en"}
    facts, learnt, _ = made(recipe(said, test=test, contamination="remove"), tmp_path / "out")
    assert [text.text for text in learnt] == ["Something else happened in the end."]
    assert facts["contamination"] == {"a.txt": {"translation de-en": {"exact": 1}}}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an empty language": (
        {"file": "FILE", "language": "de"},
        r"data\.texts\.0 \(a\.txt\): not one document in de is left",
    ),
    "a language without a name": ({"file": "FILE", "language": "qqq"}, r"data\.texts\.0: .*qqq"),
    "a language that the lab lacks": ({"corpus": "lab-texts", "language": "fr"}, "lab-texts has no 'fr'"),
    "another corpus of the lab": ({"corpus": "lab-programs", "language": "de"}, "the lab has no texts 'lab-programs'"),
    "a language that a corpus lacks": ({"corpus": "everyday", "language": "it"}, "has nothing in 'it'; it has de, en"),
    "an unknown corpus": ({"corpus": "everyda", "language": "de"}, "Did you mean 'everyday'"),
    "no such file": ({"file": "nothing.txt", "language": "de"}, "there is no file nothing.txt"),
}


@pytest.mark.parametrize(("said", "what"), FAULTS.values(), ids=FAULTS)
def test_faults(tmp_path: Path, said: dict[str, Any], what: str) -> None:
    (tmp_path / "a.txt").write_text("\n  \n\n")
    said = {key: str(tmp_path / "a.txt") if value == "FILE" else value for key, value in said.items()}
    with pytest.raises(DataError, match=what):
        make_data(recipe(said), tmp_path)


def test_the_name_of_the_data_changes_with_the_files_and_not_without_texts(tmp_path: Path) -> None:
    digests = Digests(tmp_path / "digests.json")
    file = documents(tmp_path / "a.txt", 5)
    before = data_inputs(recipe(file), digests)
    assert "mixture" not in data_inputs(Recipe(name="a", backbone="lab"), digests)
    documents(tmp_path / "a.txt", 6)
    assert data_inputs(recipe(file), digests)["texts"] != before["texts"]
    assert missing(recipe({"corpus": "news-commentary", "language": "de"})) == ("news-commentary",)
