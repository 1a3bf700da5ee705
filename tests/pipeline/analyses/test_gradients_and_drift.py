"""Gradients and drift of a recipe, on what a run makes, measured once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands import recipes
from dragoman.errors import RecipeError
from dragoman.pipeline.analyses import gradients_and_drift as analyses
from dragoman.pipeline.analyses.options import DriftOptions, GradientsOptions
from dragoman.pipeline.forecast.show import print_plan
from dragoman.pipeline.plan import plan
from dragoman.recipe.schema import Recipe
from tests.pipeline.running import artifacts

LAB = [
    "backbone=lab",
    "data.train.limit=4",
    "methods=[{seq_kd: {max_tokens: 12}}, {radis: {rationale: {max_tokens: 12}}}]",
    "training.epochs=1",
    "seeds=[0, 1]",
]


@pytest.fixture
def recipe(tmp_path: Path, small_recipe: Callable[[Path], Path]) -> Recipe:
    return recipes.recipe(small_recipe(tmp_path), LAB)


@pytest.mark.slow
def test_gradients_and_drift_are_measured_once(tmp_path: Path, recipe: Recipe) -> None:
    """Nothing is trained for gradients at the backbone; drift trains, with every seed, and judges nothing."""
    asked = GradientsOptions(examples=3, dimension=256)
    found, folder = analyses.gradients(recipe, asked)
    assert list(found["rows"]) == ["seq_kd", "radis"]
    assert found["directions"] == {"de-en": 3, "en-de": 3}
    assert [name for name in found["rows"]["radis"]["parts"] if name.isdigit()] == ["0", "1", "2", "3", "4"]
    assert found["rows"]["seq_kd"]["examples"] == 6
    assert json.loads((folder / "gradients.json").read_text()) == found
    assert "## By direction" in (folder / "gradients.md").read_text()
    made = artifacts(tmp_path / "runs")
    assert not any(name.startswith(("train-", "evaluate-")) for name in made)
    said: list[str] = []
    assert analyses.gradients(recipe, asked, said.append)[0] == found
    assert said[-1].endswith("done before")
    assert artifacts(tmp_path / "runs") == made

    drifted, _ = analyses.drift(recipe, DriftOptions(("seq_kd",), examples=4))
    assert list(drifted["titles"]) == ["references", "translations", "questions"]
    moved = drifted["rows"]["seq_kd"]["references"]
    assert moved["texts"] == 4
    assert len(moved["forward"]["seeds"]) == 2
    assert moved["forward"]["seeds"][0] != moved["forward"]["seeds"][1]
    assert moved["forward"]["mean"] > 1e-3
    assert not any(name.startswith("evaluate-") for name in artifacts(tmp_path / "runs"))

    print_plan(plan(recipe))  # analyses lie beside the stages, and are none

    at_row = GradientsOptions(("radis",), examples=2, weights="adapter", at="radis", dimension=None)
    adapted, _ = analyses.gradients(recipe, at_row)
    assert adapted["parameters"]["0"] == 16 * (4 * (256 + 256) + 3 * (256 + 512))  # rank 16 on seven products
    assert len(adapted["parameters"]) == 5


def test_what_cannot_be_measured_is_told_before_anything_runs(tmp_path: Path, recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="small has no row sdft; its rows are seq_kd, radis"):
        analyses.gradients(recipe, GradientsOptions(("radis", "sdft")))
    whole = recipe.model_copy(update={"training": recipe.training.model_copy(update={"lora": None})})
    with pytest.raises(RecipeError, match="there is no adapter; take --weights full"):
        analyses.gradients(whole, GradientsOptions(weights="adapter"))
    with pytest.raises(RecipeError, match="small has no row vanilla"):
        analyses.drift(recipe, DriftOptions(("vanilla",)))
    path = str(tmp_path / "recipe.yaml")
    told = CliRunner().invoke(app, ["analyze", "gradients", path, "--exact", "--dimension", "64"])
    assert told.exit_code == 2
    assert "--exact does not project" in told.output
    assert not (tmp_path / "runs" / "small").exists()
