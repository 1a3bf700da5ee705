"""Rows of a recipe: each is trained with the recipe's settings and its own laid over them."""

from pathlib import Path

import pytest

from dragoman.commands.recipes import recipe as load
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.forecast.disk import of_training
from dragoman.pipeline.plan import plan, stages
from dragoman.pipeline.rows import learnt, limit_of, named_settings, rounds, settings_apart, training_of
from dragoman.pipeline.run import run
from dragoman.recipe.schema import Recipe
from dragoman.recipe.training import Lora, Replay, SegmentTraining, Training
from tests.pipeline.running import RECIPE

ROWS = """\
name: rows
backbone: lab
data: {train: {corpus: lab}, test: {corpus: lab}}
methods:
  - vanilla
  - vanilla: {label: hot, training: {learning_rate: 3e-4, lora: {rank: 64}}}
  - seq_kd: {training: {batch_size: 16, epochs: 1}, limit: 100}
  - vanilla: {label: whole, training: {lora: null, learning_rate: 1e-5}}
  - radis: {refresh: true, training: {epochs: 4}}
training: {batch_size: 8, lora: {rank: 4, dropout: 0.1}, epochs: 2}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "rows.yaml").write_text(ROWS)
    return load(tmp_path / "rows.yaml")


def test_a_row_is_trained_with_its_own_settings(recipe: Recipe) -> None:
    assert training_of(recipe, "vanilla") == recipe.training
    hot = training_of(recipe, "hot", 3)
    assert (hot.learning_rate, hot.seed, hot.batch_size, hot.epochs) == (3e-4, 3, 8, 2)
    assert hot.lora == Lora(rank=64, dropout=0.1)
    assert training_of(recipe, "seq_kd").batch_size == 32  # two examples of each record
    assert training_of(recipe, "whole").lora is None
    assert (rounds(recipe, "radis"), len(learnt(recipe, "radis"))) == (4, 4)
    assert sum(stage.kind == "train" and stage.row == "radis" for stage in stages(recipe)) == 4
    assert (limit_of(recipe, "seq_kd"), limit_of(recipe, "hot")) == (100, None)


def test_a_row_lays_its_adapter_over_none(recipe: Recipe) -> None:
    without = recipe.model_copy(update={"training": recipe.training.model_copy(update={"lora": None})})
    assert training_of(without, "hot").lora == Lora(rank=64)


def test_a_row_lays_its_segments_and_its_replay_over_the_recipe_s(recipe: Recipe) -> None:
    common = {"segments": {"own": {"labels": "soft", "weight": 0.5}}, "replay": {"share": 0.2, "weight": 3}}
    training = Training.model_validate(recipe.training.model_dump() | common)
    changed = training.changed({"segments": {"own": {"labels": "hard"}, "end": {"weight": 2}}, "replay": {"weight": 1}})
    assert changed.segments == {"own": SegmentTraining(weight=0.5), "end": SegmentTraining(weight=2)}
    assert changed.replay == Replay(share=0.2, weight=1)
    assert training.changed({"replay": None}).replay is None


def test_rows_that_differ_in_segments_and_replay_tell_it(recipe: Recipe) -> None:
    own = {"replay": {"share": 0.2}, "segments": {"end": {"weight": 2}}}
    methods: tuple[dict[str, object], ...] = ({"vanilla": {}}, {"radis": {"training": own}})
    apart = settings_apart(recipe.model_copy(update={"methods": methods}))
    assert apart["vanilla"] == {"training.replay": None, "training.segments.end.weight": None}
    assert apart["radis"] == {"training.replay.share": 0.2, "training.segments.end.weight": 2}


def test_a_budget_differs_from_none_by_its_drift(recipe: Recipe) -> None:
    own = {"replay": {}, "budget": {"drift": 0.05}}
    methods: tuple[dict[str, object], ...] = ({"vanilla": {"training": {"replay": {}}}}, {"radis": {"training": own}})
    apart = settings_apart(recipe.model_copy(update={"methods": methods}))
    assert apart == {"vanilla": {"training.budget": None}, "radis": {"training.budget.drift": 0.05}}


def test_settings_that_all_rows_share_are_not_told(recipe: Recipe) -> None:
    apart = settings_apart(recipe)
    assert apart["hot"] == {
        "training.epochs": 2.0,
        "training.batch_size": 8,
        "training.learning_rate": 3e-4,
        "training.lora.rank": 64,
        "limit": None,
    }
    assert apart["whole"]["training.lora"] is None
    assert apart["seq_kd"]["limit"] == 100
    assert "training.save_every" not in named_settings(recipe)["hot"]


def test_a_row_without_settings_is_served_by_what_was_made_before_and_examples_are_shared(
    tmp_path: Path, tiny_backbone: Path
) -> None:
    """The names of trainings are what they were before rows could have settings of their own."""
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.format(backbone=tiny_backbone, folder=tmp_path))
    run(load(path, ("methods=[vanilla]",)), upto="examples", say=lambda _: None)
    rows = "methods=[vanilla, vanilla: {label: cold, training: {learning_rate: 1e-4}}, vanilla: {label: few, limit: 3}]"
    steps = {step.stage.title: step for step in plan(load(path, (rows,))).steps}
    assert steps["examples-cold"].artifact == steps["examples-vanilla"].artifact is not None
    assert steps["examples-few"].artifact is None
    before = {step.stage.title: step.name for step in plan(load(path, ("methods=[vanilla]",))).steps}
    names = {title: (steps[title].name or "").rpartition("-")[2] for title in ("train-vanilla", "train-cold")}
    assert steps["train-vanilla"].name == before["train-vanilla"]
    assert names["train-cold"] != names["train-vanilla"]
    costs = Reckoning(plan(load(path, (rows, "training.lora=null"))))
    assert costs.cost(steps["examples-few"].stage).work.startswith("6 examples, ")
    assert costs.cost(steps["train-few"].stage).work.startswith("2 steps of 8 examples, ")  # in two epochs
    bounded = Reckoning(plan(load(path, (rows, "training.max_steps=1"))))
    assert bounded.cost(steps["train-few"].stage).work.startswith("1 steps of 8 examples, ")
    run(load(path, (rows,)), upto="examples", say=lambda _: None)
    few = next(step.artifact for step in plan(load(path, (rows,))).steps if step.stage.title == "examples-few")
    assert few is not None
    assert few.facts["examples"] == 2 * 3
    assert few.facts["notes"] == {"left out: over the row's limit": 2 * (24 - 3)}


def test_room_on_the_disk_is_that_of_each_row(tmp_path: Path) -> None:
    """An adapter of rank 64 takes 16 times the room of one of rank 4, and all weights take more."""

    def bytes_of(training: str) -> int:
        path = tmp_path / "rows.yaml"
        path.write_text(ROWS.split("methods:")[0] + f"methods: [vanilla: {{training: {training}}}]\n")
        loaded = load(path)
        return of_training(loaded, plan(loaded).backbone, stages(loaded))

    small, large, whole = (bytes_of(said) for said in ("{lora: {rank: 4}}", "{lora: {rank: 64}}", "{lora: null}"))
    assert large == 16 * small < whole
