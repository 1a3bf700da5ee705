"""The search of a learning rate with real trainings of a tiny model: what it leaves, and that nothing is done twice."""

import json
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from dragoman.analysis.results import TuneResult
from dragoman.commands.recipes import recipe as load
from dragoman.errors import RecipeError, TrainingError
from dragoman.pipeline.rows import training_of
from dragoman.pipeline.tune import ladder, search
from dragoman.recipe.schema import Recipe
from tests.pipeline.running import RECIPE, artifacts

SIZE = (
    "data.train.limit=60",
    "training.epochs=1",
    "evaluate=[lab]",
    "evaluation.bootstrap=50",
    "training.batch_size=4",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: Path) -> Path:
    place = tmp_path_factory.mktemp("tune")
    (place / "recipe.yaml").write_text(RECIPE.format(backbone=tiny_backbone, folder=place))
    return place


def small(folder: Path, *changes: str) -> Recipe:
    return load(folder / "recipe.yaml", (*SIZE, *changes))


def searched(folder: Path, start: float, *changes: str, most: int = 3) -> tuple[TuneResult, list[str]]:
    said: list[str] = []
    recipe, row = search.only(small(folder, *changes), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladder, "MOST", most)
        result, _ = search.search(recipe, row, 50, start, said.append)
    return result, said


@pytest.fixture(scope="module")
def found(folder: Path) -> tuple[TuneResult, list[str]]:
    return searched(folder, 1e-2)


@pytest.mark.slow
def test_rates_are_rows_that_learn_from_a_part_and_are_validated_on_pairs_held_out(
    found: tuple[TuneResult, list[str]], folder: Path
) -> None:
    result, said = found
    assert [one["written"] for one in result["rates"]] == ["3e-3", "1e-2", "3e-2"]
    assert (result["row"], result["start"], result["of"]) == ("vanilla", "1e-2", 120)
    assert result["pairs"] == 2 * 25  # of each direction
    assert 5 <= result["held_out"] <= 45  # a fifth of 120, about
    assert result["steps"] == 13
    assert result["run_steps"] in range(25, 40)  # 30, but for what is held out
    losses = [one["loss"] for one in result["rates"]]
    assert all(loss is not None and loss < result["before"] for loss in losses)
    drifts = [one["drift"] or 0.0 for one in result["rates"]]
    assert 0 < drifts[0] < drifts[-1]
    assert result["prompts"] > 0
    assert sum("✓ train-vanilla-learning_rate" in line for line in said) == 3
    written = json.loads((folder / "runs/small/tune/tune.json").read_text())
    assert written == result
    drawn = ElementTree.fromstring((folder / "runs/small/tune/tune.svg").read_text())
    assert sum(one.tag.endswith("circle") for one in drawn.iter()) == 2 * 3
    assert f"rate of small: {result['chosen']}" in (folder / "runs/small/tune/tune.md").read_text()


@pytest.mark.slow
def test_the_loss_that_noise_is_told_by_is_that_of_the_training(
    found: tuple[TuneResult, list[str]], folder: Path
) -> None:
    result, _ = found
    measured = sorted((folder / "runs/.store/artifacts").glob("tune-*/tune.json"))
    means = []
    for path in measured:
        texts = np.array(json.loads(path.read_text())["texts"])
        means.append(texts[:, 0].sum() / texts[:, 1].sum())
    assert sorted(means) == pytest.approx(sorted(one["loss"] or 0 for one in result["rates"]), abs=2e-3)


@pytest.mark.slow
def test_a_search_that_is_done_costs_nothing_and_one_that_goes_on_trains_what_is_new(
    found: tuple[TuneResult, list[str]], folder: Path
) -> None:
    before = artifacts(folder / "runs")
    again, said = searched(folder, 1e-2)
    assert again == found[0]
    assert artifacts(folder / "runs") == before
    assert not any("train" in line for line in said)
    more, said = searched(folder, 1e-2, most=4)
    assert len(more["rates"]) == 4
    assert sum(line.startswith("✓ train-") for line in said) == 1


@pytest.mark.slow
def test_a_rate_that_leads_astray_is_given_up_and_remembered(folder: Path) -> None:
    """The lab's own backbone translates already; at a rate of 1 it forgets how within an epoch."""
    lab = ("backbone=lab", f"runs={folder / 'astray'}", "training.epochs=3")
    with pytest.raises(TrainingError, match=r"every learning rate from 1e0 to 1e0 led astray"):
        searched(folder, 1.0, *lab, most=1)
    store = folder / "astray" / ".store"
    (record,) = (path.name for path in (store / "artifacts").glob("astray-*"))
    facts = json.loads((store / "artifacts" / record / "manifest.json").read_text())["facts"]
    assert "times the" in facts["why"] or "is nan" in facts["why"]
    assert facts["seconds"] > 0
    assert not list((store / "partial").glob("train-*"))
    before = artifacts(folder / "astray")
    with pytest.raises(TrainingError, match="led astray"):
        searched(folder, 1.0, *lab, most=1)
    assert artifacts(folder / "astray") == before


def test_what_cannot_be_tuned_is_said(folder: Path, tmp_path: Path) -> None:
    nothing = load(folder / "recipe.yaml", ("methods=[]", "data.train=null"))
    with pytest.raises(RecipeError, match="small trains nothing: it has no methods"):
        search.only(nothing, None)
    with pytest.raises(RecipeError, match="no row or method 'raids'; its rows are vanilla, radis"):
        search.only(small(folder), "raids")
    talks = small(folder, "data.train=null", "data.lessons=[{corpus: lab-instructions}]")
    with pytest.raises(RecipeError, match="has no training pairs"):
        search.only(talks, None)
    recipe, row = search.only(small(folder, "data.train.limit=10", f"runs={tmp_path}"), "radis")
    assert row == "radis"
    with pytest.raises(RecipeError, match="has 20 training records; with fewer than 50 no learning rate"):
        search.cut_down(recipe, row, 1000, 1e-3)


def test_only_what_gives_prompts_is_asked_and_general_ones_where_there_are_none(folder: Path) -> None:
    recipe, _ = search.only(small(folder, "evaluate=[translation]"), None)
    assert recipe.evaluate == ("translation", "probes")
    recipe, _ = search.only(small(folder, "evaluate=[translation]", "backbone=lab"), None)
    assert recipe.evaluate == ("translation", "lab")
    recipe, row = search.only(
        small(folder, "evaluate=[translation, lab, safety]", "evaluation.guard.model=lab"), "radis"
    )
    assert (row, recipe.evaluate) == ("radis", ("translation", "lab"))


def test_a_part_of_the_data_takes_that_part_of_the_steps_and_a_floor_its_share_of_the_rate(folder: Path) -> None:
    methods = "methods=[vanilla: {training: {max_steps: 90, learning_rate: 1e-3, min_learning_rate: 1e-4}}]"
    recipe, row = search.only(small(folder, methods, "data.dev={share: 0.1}"), None)
    cut = search.cut_down(recipe, row, 40, 1e-2)
    assert cut is not None
    settings = training_of(cut.at(cut.start), cut.label(cut.start))
    assert settings.max_steps == math.ceil(90 * cut.pairs / cut.of) < 90
    assert (settings.learning_rate, settings.min_learning_rate) == (1e-2, pytest.approx(1e-3))


def test_the_row_of_a_rate_has_its_own_settings_and_that_rate(folder: Path) -> None:
    methods = "methods=[radis: {label: deep, limit: 30, refresh: true, training: {lora: {rank: 4}}}]"
    recipe, row = search.only(small(folder, methods, "data.dev={share: 0.1}"), None)
    cut = search.cut_down(recipe, row, 1000, 1e-3)
    assert cut is not None
    assert cut.limit == 30
    ((name, options),) = cut.at(cut.start).methods[0].items()
    assert (name, options["limit"], options["refresh"]) == ("radis", 30, False)
    assert options["label"] == "deep-learning_rate=1e-3"
    assert options["training"] == {"lora": {"rank": 4}, "learning_rate": 1e-3, "give_up": search.GIVE_UP}
    assert cut.recipe.data.dev == recipe.data.dev
