"""Drift of a row, measured as an evaluation does it, against whole logits of the lab's backbone and another model."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dragoman.lab import BACKBONE
from dragoman.pipeline.data.make_data import make_data
from dragoman.pipeline.models.cast import Cast, find_cast
from dragoman.pipeline.models.drift import moved
from dragoman.pipeline.stages.evaluate import evaluate
from dragoman.prompts.examples import AnsweredPrompt
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Lora
from dragoman.store import Digests
from dragoman.suites.drift.suite import Texts
from tests.described import described
from tests.pipeline.running import dragoman
from tests.tiny_models import llama

RECIPE = {
    "name": "x",
    "backbone": "lab",
    "data": {
        "train": {"corpus": "lab", "directions": ["de-en"], "limit": 4},
        "test": {"corpus": "lab", "directions": ["de-en", "en-de"], "limit": 3},
    },
    "methods": [{"vanilla": {}}],
    "evaluate": ["drift"],
    "evaluation": {"max_tokens": 6, "noise_seeds": 0},
    "generation": {"engine": "hf", "precision": "fp32"},
}
TEXTS = Texts({"general": {"a": AnsweredPrompt((3, 40, 50), (60, 70)), "b": AnsweredPrompt((3, 41), (61,))}})


@pytest.fixture
def recipe() -> Recipe:
    benchmarks = described({"drift": {"kind": "drift", "prompts": "lab", "limit": 3}})
    return Recipe.model_validate({**RECIPE, "benchmarks": benchmarks})


@pytest.fixture
def cast(recipe: Recipe, tmp_path: Path) -> Cast:
    return find_cast(recipe, Digests(tmp_path / "digests.json"))


@pytest.fixture
def shaken(tmp_path: Path) -> Path:
    """The lab's backbone with other weights, as a training leaves it after its merge."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(BACKBONE, dtype=torch.float32)
    for weight in model.model.layers.parameters():
        weight.data += 0.02 * torch.randn_like(weight)
    shutil.copytree(BACKBONE, tmp_path / "shaken")
    model.save_pretrained(tmp_path / "shaken")
    return tmp_path / "shaken"


def directly(folder: Path, text: AnsweredPrompt) -> list[float]:
    """Both divergences of a text from whole logits, position by position."""
    import torch
    from transformers import AutoModelForCausalLM

    ids = torch.tensor([text.prompt + text.answer])
    places = slice(len(text.prompt) - 1, -1)
    with torch.no_grad():
        p, q = (
            AutoModelForCausalLM.from_pretrained(one, dtype=torch.float32)(input_ids=ids).logits[0, places].softmax(-1)
            for one in (BACKBONE, folder)
        )
    return [len(text.answer), float((p * (p / q).log()).sum()), float((q * (q / p).log()).sum())]


def test_it_is_that_of_whole_logits(recipe: Recipe, cast: Cast, shaken: Path) -> None:
    found = moved(recipe, cast.backbone, replace(cast.backbone, folder=shaken), TEXTS)
    assert list(found.sums["general"]) == ["a", "b"]
    for key, text in TEXTS.kinds["general"].items():
        expected = directly(shaken, text)
        assert min(expected[1:]) > 0.01
        assert found.sums["general"][key] == pytest.approx(expected, rel=2e-3)
    assert "|texts:general-2|" in found.signature
    assert "|precision:float32|" in found.signature


def test_an_adapter_of_zeros_has_not_moved(recipe: Recipe, cast: Cast, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    from dragoman.training.adapters import adapt

    merged = tmp_path / "merged"
    shutil.copytree(BACKBONE, merged)
    adapt(AutoModelForCausalLM.from_pretrained(BACKBONE), Lora(rank=2)).merge_and_unload().save_pretrained(merged)
    found = moved(recipe, cast.backbone, replace(cast.backbone, folder=merged), TEXTS)
    assert found.sums == {"general": {"a": (2, 0, 0), "b": (1, 0, 0)}}


def test_a_model_with_another_vocabulary_has_none(recipe: Recipe, cast: Cast, tmp_path: Path) -> None:
    """Neither another tokenizer, nor another number of logits."""
    wider = tmp_path / "wider"
    shutil.copytree(BACKBONE, wider)
    count = len(cast.backbone.renderer().tokenizer)
    llama(count + 8).save_pretrained(wider)
    other = tmp_path / "other"
    shutil.copytree(BACKBONE, other)
    written = json.loads((other / "tokenizer.json").read_text(encoding="utf-8"))
    token = max(written["model"]["vocab"], key=lambda name: written["model"]["vocab"][name])
    written["model"]["vocab"][f"{token}{token}"] = written["model"]["vocab"].pop(token)
    written["model"]["merges"] = [one for one in written["model"]["merges"] if "".join(one) != token]
    (other / "tokenizer.json").write_text(json.dumps(written), encoding="utf-8")
    for folder in (wider, other):
        found = moved(recipe, cast.backbone, replace(cast.backbone, folder=folder, digest=folder.name), TEXTS)
        assert (found.sums, found.lacking) == ({}, "its vocabulary is not the backbone's")


def test_the_backbone_is_asked_once_for_all_rows(recipe: Recipe, cast: Cast, shaken: Path, tmp_path: Path) -> None:
    data, cache = tmp_path / "data", tmp_path / "cache"
    data.mkdir()
    make_data(recipe, data)

    def judged(row: str, model: Path | None = None) -> dict[str, Any]:
        out = tmp_path / f"out-{row}"
        out.mkdir(exist_ok=True)
        evaluate(recipe, cast, cast.backbone, row, model, data, out, cache)
        found: dict[str, Any] = json.loads((out / "results.json").read_text())["drift"]
        return found

    def answers() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in cache.rglob("*.parquet")}

    still = judged("backbone")
    asked = answers()
    assert asked
    assert [len(texts) for texts in still["sums"].values()] == [3, 3]
    assert not any(forward or reverse for _, forward, reverse in numbers(still))
    found = judged("vanilla", shaken)
    assert found["signature"] == still["signature"]
    assert [count for count, _, _ in numbers(found)] == [count for count, _, _ in numbers(still)]
    assert all(forward > 1e-3 and reverse > 1e-3 for _, forward, reverse in numbers(found))
    assert judged("vanilla", shaken) == found, "an evaluation that was cut off goes on from the cache"
    assert answers() == asked


def numbers(found: dict[str, Any]) -> list[list[float]]:
    return [three for texts in found["sums"].values() for three in texts.values()]


@pytest.mark.slow
def test_a_run_shows_how_far_its_rows_have_moved(tmp_path: Path, small_recipe: Callable[[Path], Path]) -> None:
    recipe = small_recipe(tmp_path)
    asked = ("evaluate=[translation, lab, drift]", "benchmarks={drift: {kind: drift, prompts: lab, limit: 4}}")
    said = dragoman("run", recipe, *asked)
    assert "Drift from the backbone, nats a token, lower is closer" in said
    card = json.loads((tmp_path / "runs" / "small" / "scorecard.json").read_text())
    backbone, vanilla, radis = (row["drift"]["kinds"] for row in card["rows"])
    assert backbone["general"]["forward"]["mean"] == 0
    for row in (vanilla, radis):
        assert row["general"]["texts"] == row["translation"]["texts"] == 4
        assert row["translation"]["forward"]["mean"] > 1e-3
    assert dragoman("run", recipe, *asked).count("done before") == 11
    runs = tmp_path / "runs" / "small"
    assert "Drift from the backbone" in dragoman("report", "--compare", runs / "vanilla", runs / "radis")
