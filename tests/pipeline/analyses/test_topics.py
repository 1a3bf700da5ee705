"""`dragoman analyze rationales`: from a recipe's examples to the table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.corpora.records import Dialogue, Pair, Turn
from dragoman.errors import RecipeError
from dragoman.generation.ask import Completion
from dragoman.lab import BACKBONE
from dragoman.pipeline.analyses.topics import Judge, asked_of, by_rule, rationales, take
from dragoman.pipeline.data.record_files import write_lines
from dragoman.pipeline.models.cast import Model
from dragoman.prompts.examples import write_examples
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe

LAB = Model("lab", BACKBONE, "lab")


def recipe(**changed: Any) -> Recipe:
    said = {
        "name": "small",
        "backbone": "lab",
        "data": {"train": {"corpus": "lab"}, "test": {"corpus": "lab"}},
        "methods": [{"vanilla": {}}, {"radis": {"label": "ours"}}],
        **changed,
    }
    return Recipe.model_validate(said)


def test_rationales_are_found_with_what_they_are_about(tmp_path: Path) -> None:
    speak = Speaker(Renderer.load(BACKBONE))
    pairs = [Pair(f"Der Hund sieht {n} Katzen.", f"The dog sees {n} cats.", "de", "en") for n in range(6)]
    pairs += [pair.reversed() for pair in pairs[:4]]
    talk = Dialogue((Turn("user", "Hello"), Turn("assistant", "Hi")))
    write_lines(tmp_path / "train.jsonl", [*map(asdict, pairs), asdict(talk)])
    examples = [speak.dialogue(talk)]
    for number, pair in enumerate(pairs):
        ids = speak.renderer.encode(f"\n\nThe number “{number}” tells how many there are.") if number % 5 else ()
        examples.append(speak.example(speak.prefix(pair), Completion((*ids, speak.stop[0]), "", "stop"), sample=1))
    write_examples(tmp_path / "examples", 0, examples[:6])
    write_examples(tmp_path / "examples", 1, examples[6:])

    taken = take(recipe(), LAB, tmp_path, tmp_path, 3, seed=0)
    assert taken.examples == {"de-en": 6, "en-de": 4}
    assert taken.rationales == {"de-en": 4, "en-de": 4}
    assert [one.direction for one in taken.sampled] == ["de-en"] * 3 + ["en-de"] * 3
    for one in taken.sampled:
        number = next(number for number, pair in enumerate(pairs) if one.key == f"{pair.key}#1")
        pair = pairs[number]
        assert (one.source, one.reference) == (pair.source, pair.target)
        assert pair.source in one.request
        assert one.request != pair.source
        assert one.rationale.strip() == f"The number “{number}” tells how many there are."
    assert [verdict and verdict.labels for verdict in by_rule(taken.sampled)] == [{"facts"}] * 6


def test_who_judges_is_told_before_anything_is_generated(tmp_path: Path) -> None:
    runs = str(tmp_path / "runs")
    elsewhere = recipe(
        runs=runs,
        backbone="some/model",
        data={"train": {"corpus": "alma-human"}, "test": {"corpus": "lab"}},
    )
    with pytest.raises(RecipeError, match=r"Name a judge: --judge .* --engine openai --address"):
        rationales(elsewhere)
    with pytest.raises(RecipeError, match="has no row 'radis'; it has vanilla, ours"):
        rationales(recipe(runs=runs), row="radis")
    with pytest.raises(RecipeError, match="none of vanilla is radis"):
        rationales(recipe(runs=runs, methods=[{"vanilla": {}}]))
    assert not (tmp_path / "runs").exists()


def test_how_a_judge_is_asked() -> None:
    told = recipe(generation={"engine": "vllm", "openai": {"address": "http://here/v1", "api": "completions"}})
    asked, settings = asked_of(told, Judge("lab", "hf"), Model("other", Path("other"), "other"))
    assert (asked.folder, settings.engine) == (BACKBONE, "hf")
    # a judge whose tokenizer is not here gets text
    asked, settings = asked_of(told, Judge("nobody/judge-of-rationales", "openai", "http://there/v1"), LAB)
    assert asked.voice == BACKBONE
    server = settings.openai
    assert (server.address, server.model, server.api) == ("http://there/v1", "nobody/judge-of-rationales", "chat")
    # one that lies here keeps what the recipe says of servers
    asked, settings = asked_of(told, Judge(str(BACKBONE), "openai"), LAB)
    assert (settings.openai.address, settings.openai.model) == ("http://here/v1", None)
    assert settings.openai.api == "completions"


def test_from_a_recipe_to_the_table(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"name: talk\nbackbone: lab\nruns: {tmp_path}/runs\n"
        "data:\n  train: {corpus: lab, directions: [de-en, en-de], limit: 5}\n"
        "  test: {corpus: lab, directions: [de-en], limit: 2}\n"
        "methods: [{radis: {rationale: {max_tokens: 64}}}]\n"
    )
    done = CliRunner().invoke(app, ["analyze", "rationales", str(path), "--count", "4"], catch_exceptions=False)
    assert "8 rationales were sampled, at most 4 a direction, seed 0; 8 were classified by rule" in done.stdout
    folder = tmp_path / "runs" / "talk" / "analysis"
    table = json.loads((folder / "rationales.json").read_text())
    assert (table["row"], table["judge"], table["writer"]) == ("radis", {"by": "rule"}, None)
    assert table["directions"]["en-de"] == {"sampled": 4, "judged": 4, "examples": 5, "with_rationale": 5}
    assert table["labels_per_rationale"] >= 1
    assert sum(category["count"] for category in table["categories"] if category["name"] != "other") >= 8
    assert all(item["rationale"].strip() and item["categories"] for item in table["items"])
    assert (folder / "rationales.svg").is_file()
    assert (folder / "rationales.md").read_text().startswith("# What the rationales of radis talk about (talk)")
