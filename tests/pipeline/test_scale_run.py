"""Rows that take what was trained at several strengths: trained once, merged and judged each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dragoman.commands import recipes
from dragoman.errors import RecipeError
from dragoman.pipeline import run as running
from dragoman.pipeline.analyses import gradients_and_drift as analyses
from dragoman.pipeline.analyses import once
from dragoman.pipeline.analyses.options import DriftOptions
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan, stages
from dragoman.pipeline.process import Job, Ran
from dragoman.pipeline.rows import learnt, scale_of, settings_apart, taught_as, trained
from dragoman.recipe.schema import Recipe
from tests.pipeline.running import artifacts

SWEPT = ("methods=[vanilla]", "sweep={scale: [0, 0.5, 1]}")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are run without a process of their own, which would have to load torch first."""

    def at_once(job: Job[Any], name: str) -> Ran[Any]:
        return Ran(job.run(), 0)

    for room in (running, once):
        monkeypatch.setattr(room, "in_own_process", at_once)
    monkeypatch.setattr(running, "begin", lambda: None)


def loaded(folder: Path, small_recipe: Callable[[Path], Path], *changes: str) -> Recipe:
    return recipes.recipe(small_recipe(folder), changes)


def weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def layers(model: dict[str, torch.Tensor]) -> int:
    return 1 + max(int(name.split(".")[2]) for name in model if name.startswith("model.layers."))


def test_rows_at_other_strengths_share_examples_and_training_in_the_plan(
    tmp_path: Path, small_recipe: Callable[[Path], Path]
) -> None:
    recipe = loaded(tmp_path, small_recipe, *SWEPT, "seeds=[0, 1]")
    titles = [stage.title for stage in stages(recipe)]
    assert [title for title in titles if title.startswith(("examples-", "train-"))] == [
        "examples-vanilla",
        "train-vanilla~0",
        "train-vanilla~1",
    ]
    merged = {stage.row: stage.needs for stage in stages(recipe) if stage.kind == "merge" and stage.seed == 1}
    assert merged == dict.fromkeys(("vanilla", "vanilla-scale=0", "vanilla-scale=0.5"), ("train-vanilla~1",))
    assert settings_apart(recipe)["vanilla-scale=0.5"] == {"scale": 0.5}
    costs = Reckoning(plan(recipe))
    work = {stage.title: costs.cost(stage).work for stage in stages(recipe) if stage.kind == "merge"}
    assert work["merge-vanilla~0"] == "one model, compared with its adapter"
    assert work["merge-vanilla-scale=0.5~0"] == "one model, compared with its adapter at strength 0.5"


def test_a_strength_that_rises_is_told_and_one_that_is_1_everywhere_is_none(
    tmp_path: Path, small_recipe: Callable[[Path], Path]
) -> None:
    recipe = loaded(tmp_path, small_recipe, "methods=[vanilla]", "sweep={scale.first_layer: [0, 0.5]}")
    assert [next(iter(one.values()))["label"] for one in recipe.methods] == [
        None,
        "vanilla-first_layer=0",
        "vanilla-first_layer=0.5",
    ]
    assert {taught_as(recipe, row) for row in ("vanilla-first_layer=0", "vanilla-first_layer=0.5")} == {"vanilla"}
    apart = settings_apart(recipe)
    assert (apart["vanilla"], apart["vanilla-first_layer=0.5"]) == ({"scale": 1.0}, {"scale.first_layer": 0.5})
    merge = next(stage for stage in stages(recipe) if stage.title == "merge-vanilla-first_layer=0.5")
    work = Reckoning(plan(recipe)).cost(merge).work
    assert work.endswith("with its adapter at strength 0.5 at the first layer, rising to 1 at the last")
    whole = loaded(tmp_path, small_recipe, "methods=[vanilla: {scale: {first_layer: 1}}]")
    assert scale_of(whole, "vanilla") == 1
    for said in ("-1", "half", "{first_layer: -1}", "{last: 1}"):
        with pytest.raises(RecipeError, match=r"scale"):
            loaded(tmp_path, small_recipe, f"methods=[vanilla: {{scale: {said}}}]")


def test_rows_that_differ_in_more_than_strength_share_nothing(
    tmp_path: Path, small_recipe: Callable[[Path], Path]
) -> None:
    half = "vanilla: {label: half, scale: 0.5}"
    other = "vanilla: {label: other, scale: 0.5, training: {learning_rate: 3e-2}}"
    recipe = loaded(tmp_path, small_recipe, f"methods=[{half}, {other}, vanilla, radis: {{scale: 0.5, refresh: true}}]")
    alike = {row: taught_as(recipe, row) for row in ("half", "other", "vanilla", "radis")}
    assert alike == {"half": "vanilla", "other": "other", "vanilla": "vanilla", "radis": "radis"}
    assert (learnt(recipe, "half"), trained(recipe, "half")) == (["examples-vanilla"], ["train-vanilla"])
    assert trained(recipe, "radis") == ["train-radis@1", "train-radis"]
    needs = {stage.title: stage.needs for stage in stages(recipe)}
    assert needs["merge-half"] == ("train-vanilla",)
    titles = [*needs]
    assert titles.index("train-vanilla") < titles.index("merge-half")  # though the row comes before
    assert needs["merge-radis"] == ("train-radis",)


@pytest.mark.slow
def test_a_sweep_of_strengths_trains_once_and_judges_each(
    tmp_path: Path, tiny_backbone: Path, small_recipe: Callable[[Path], Path], in_this_process: None
) -> None:
    running.run(loaded(tmp_path, small_recipe, "methods=[vanilla]"), say=lambda _: None)
    before = artifacts(tmp_path / "runs")
    said: list[str] = []
    recipe = loaded(tmp_path, small_recipe, *SWEPT)
    folder = running.run(recipe, say=said.append)
    done = {line.split()[1] for line in said if line.endswith("done before")}
    assert {"data", "evaluate-backbone", "examples-vanilla", "train-vanilla"} <= done
    assert {"merge-vanilla", "evaluate-vanilla"} <= done
    new = {name.rpartition("-")[0] for name in artifacts(tmp_path / "runs").keys() - before.keys()}
    rows = ("vanilla-scale=0", "vanilla-scale=0.5")
    assert new == {f"{kind}-{row}" for kind in ("merge", "evaluate") for row in rows} | {"report"}

    none, half, whole = (weights(folder / "models" / row) for row in (*rows, "vanilla"))
    backbone = weights(tiny_backbone)
    assert all(torch.equal(none[name], backbone[name]) for name in backbone)
    assert any(not torch.equal(whole[name], backbone[name]) for name in backbone)
    for name, weight in half.items():
        assert torch.allclose(weight.double(), (backbone[name].double() + whole[name].double()) / 2, atol=1e-6)

    card = {row["name"]: row for row in json.loads((folder / "scorecard.json").read_text())["rows"]}
    assert card["vanilla-scale=0.5"]["settings"] == {"scale": 0.5}
    assert card["vanilla-scale=0.5"]["cost"] == card["vanilla"]["cost"]
    for suite in ("translation", "abilities"):
        assert card["vanilla-scale=0"][suite]
    assert card["vanilla-scale=0"]["translation"]["mean"] == card["backbone"]["translation"]["mean"]
    assert (folder / "vanilla-scale=0.5.jsonl").read_bytes() == (folder / "vanilla.jsonl").read_bytes()

    drifted, _ = analyses.drift(recipe, DriftOptions(examples=3))
    moved = {row: kinds["references"]["forward"]["mean"] for row, kinds in drifted["rows"].items()}
    assert abs(moved["vanilla-scale=0"]) < 1e-6 < moved["vanilla-scale=0.5"] < moved["vanilla"]


@pytest.mark.slow
def test_all_weights_at_half_strength_lie_half_way(
    tmp_path: Path, tiny_backbone: Path, small_recipe: Callable[[Path], Path], in_this_process: None
) -> None:
    sweep = "sweep={method.vanilla.scale: [0.5, {first_layer: 0.5}]}"
    recipe = loaded(tmp_path, small_recipe, "methods=[vanilla]", sweep, "training.lora=null", "training.epochs=1")
    folder = running.run(recipe, upto="merge", say=lambda _: None)
    rows = ("vanilla", "vanilla-scale=0.5", "vanilla-scale=first_layer_0.5")
    whole, half, rising = (weights(folder / "models" / row) for row in rows)
    backbone = weights(tiny_backbone)
    for name, weight in half.items():
        assert torch.allclose(weight.double(), (backbone[name].double() + whole[name].double()) / 2, atol=1e-6)
    assert any(not torch.equal(half[name], backbone[name]) for name in backbone)
    first, last = (f"model.layers.{number}." for number in (0, layers(backbone) - 1))
    assert first != last
    for name, weight in rising.items():
        if not name.startswith("model.layers.") or name.startswith(first):
            assert torch.equal(weight, half[name])
        elif name.startswith(last):
            assert torch.equal(weight, whole[name])
    card = (folder / "models" / "vanilla-scale=0.5" / "README.md").read_text(encoding="utf-8")
    assert "Held against those weights at strength 0.5" in card
    drifted, _ = analyses.drift(recipe, DriftOptions(examples=3))
    moved = {row: kinds["references"]["forward"]["mean"] for row, kinds in drifted["rows"].items()}
    assert 0 < moved["vanilla-scale=0.5"] < moved["vanilla"]
