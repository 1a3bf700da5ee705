"""A row at several strengths: what is run, what is picked, and where its model is."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dragoman.commands import recipes
from dragoman.errors import RecipeError
from dragoman.pipeline import run as running
from dragoman.pipeline.plan import stages
from dragoman.pipeline.process import Job, Ran
from dragoman.pipeline.scale import frontier as frontiers
from dragoman.pipeline.scale.frontier import at_strengths, frontier, read_strengths
from dragoman.pipeline.storage.needs import needs
from dragoman.recipe.schema import Recipe
from dragoman.store import Store
from tests.pipeline.running import artifacts
from tests.plain_card import scorecard
from tests.report.svg import SVG
from tests.report.verdict_card import result

PASSED = {"sums": 90, "facts": 90}
Fake = Callable[[Mapping[str, Any]], None]


@pytest.fixture
def recipe(tmp_path: Path, small_recipe: Callable[[Path], Path]) -> Recipe:
    return recipes.recipe(small_recipe(tmp_path))


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Sets what a run finds: a row, what it lost of translation, and how many questions of 100 it passed."""

    def fake(rows: Mapping[str, Any]) -> None:
        def run(recipe: Recipe, **_: Any) -> Path:
            folder = Path(recipe.runs) / recipe.name
            folder.mkdir(parents=True, exist_ok=True)
            made = {name: result({"de-en": lost}, passed) for name, (lost, passed) in rows.items()}
            (folder / "scorecard.json").write_text(json.dumps(scorecard(made, [], bootstrap=200)), encoding="utf-8")
            for name in ("data", *(f"models/{row}" for row in rows)):
                (folder / name).mkdir(parents=True, exist_ok=True)
            return folder

        monkeypatch.setattr(frontiers, "run", run)

    return fake


def test_a_recipe_of_one_row_at_several_strengths(recipe: Recipe) -> None:
    derived = at_strengths(recipe, "radis", (0.5, 1.0, 1.2))
    assert derived.name == "small-scale-radis"
    labels = [next(iter(method.values())) for method in derived.methods]
    assert [(one["label"], one["scale"]) for one in labels] == [
        ("radis-scale=0.5", 0.5),
        ("radis", 1.0),
        ("radis-scale=1.2", 1.2),
    ]
    assert [stage.title for stage in stages(derived) if stage.kind == "train"] == ["train-radis"]
    assert (derived.data, derived.evaluate, derived.runs) == (recipe.data, recipe.evaluate, recipe.runs)


def test_a_row_that_has_a_strength_keeps_its_name_at_it(recipe: Recipe) -> None:
    half = recipe.model_copy(update={"methods": ({"vanilla": {"scale": 0.5, "label": "half"}},)})
    labels = [next(iter(one.values()))["label"] for one in at_strengths(half, "half", (0.5, 1.0)).methods]
    assert labels == ["half", "half-scale=1"]


def test_strengths_of_the_first_layer(recipe: Recipe) -> None:
    strengths = read_strengths("1,0.5,0", by_layer=True)
    assert strengths == (0.0, 0.5, 1.0)
    derived = at_strengths(recipe, "radis", strengths, by_layer=True)
    assert derived.name == "small-scale-radis-by-layer"
    labels = {one["label"]: one["scale"] for method in derived.methods for one in method.values()}
    assert labels == {
        "radis-first_layer=0": {"first_layer": 0.0},
        "radis-first_layer=0.5": {"first_layer": 0.5},
        "radis": {"first_layer": 1.0},
    }
    assert [stage.title for stage in stages(derived) if stage.kind == "train"] == ["train-radis"]


@pytest.mark.parametrize(("text", "found"), [("1,0.5", (0.5, 1.0)), ("0, 1, 1.0, 1.2", (1.0, 1.2)), ("0.25", (0.25,))])
def test_strengths_are_read_in_ascending_order(text: str, found: tuple[float, ...]) -> None:
    assert read_strengths(text) == found


@pytest.mark.parametrize("text", ["", "0.5;1", "-1,1", "inf", "nan,1", "0.5,nan,1", "half"])
def test_what_is_no_strength(text: str) -> None:
    with pytest.raises(RecipeError, match="should be numbers from 0 up, as in 0"):
        read_strengths(text)
    with pytest.raises(RecipeError, match="0 is the backbone, which is judged anyway"):
        read_strengths("0")


def test_what_cannot_be_judged_is_told_before_anything_runs(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="small has no row radi; its rows are vanilla, radis"):
        at_strengths(recipe, "radi", (1.0,))
    alone = recipe.model_copy(update={"evaluate": ("translation",)})
    with pytest.raises(RecipeError, match="small judges no abilities"):
        at_strengths(alone, "radis", (1.0,))
    nothing = recipe.model_copy(update={"methods": ()})
    with pytest.raises(RecipeError, match="it has no methods, so nothing was trained"):
        at_strengths(nothing, "radis", (1.0,))


def test_picked_is_the_highest_whose_interval_is_above_what_is_to_be_kept(recipe: Recipe, ran: Fake) -> None:
    ran(
        {
            "backbone": (0.4, PASSED),
            "vanilla-scale=0.25": (0.3, PASSED),
            "vanilla-scale=0.5": (0.2, PASSED),
            "vanilla": (0.1, {"sums": 90, "facts": 88}),  # 99 % kept, and perhaps no more than 97
            "vanilla-scale=1.2": (0.1, {"sums": 30, "facts": 88}),
        }
    )
    found, folder = frontier(recipe, "vanilla", (0.25, 0.5, 1.0, 1.2), say=lambda _: None)
    assert [one["strength"] for one in found["strengths"]] == [0, 0.25, 0.5, 1, 1.2]
    assert [one["keeps"] for one in found["strengths"]] == [True, True, True, False, False]
    whole = found["strengths"][3]
    assert whole["kept"] is not None
    assert whole["kept"] > 98 > (whole["kept_interval"] or [100])[0]
    assert found["picked"] == 0.5
    place = Path(recipe.runs) / "small" / "models" / "vanilla-scaled"
    assert place.resolve() == (folder / "models" / "vanilla-scale=0.5").resolve()
    assert (place.parents[1] / "data").resolve() == (folder / "data").resolve()
    assert json.loads((folder / "frontier.json").read_text()) == found
    assert "| 0.5 |" in (folder / "frontier.md").read_text()
    assert ElementTree.parse(folder / "frontier.svg").getroot().tag == f"{SVG}svg"

    less = recipe.model_copy(update={"pick": recipe.pick.model_copy(update={"keep": 0.9})})
    assert frontier(less, "vanilla", (0.25, 0.5, 1.0, 1.2), say=lambda _: None)[0]["picked"] == 1
    assert place.resolve() == (folder / "models" / "vanilla").resolve()


def test_where_none_keeps_enough_an_earlier_pick_is_taken_away(recipe: Recipe, ran: Fake) -> None:
    ran({"backbone": (0.4, PASSED), "radis": (0.1, PASSED)})
    frontier(recipe, "radis", (1.0,), say=lambda _: None)
    place = Path(recipe.runs) / "small" / "models" / "radis-scaled"
    assert place.is_symlink()
    ran({"backbone": (0.4, PASSED), "radis": (0.1, {"sums": 30, "facts": 90})})
    found, folder = frontier(recipe, "radis", (1.0,), say=lambda _: None)
    assert found["picked"] is None
    assert not place.is_symlink()
    told = (folder / "frontier.md").read_text()
    assert (
        "Nothing is picked: no strength keeps 98 % by the lower end of its 95 % interval; the best is 1, with " in told
    )


def test_a_model_for_each_seed(recipe: Recipe, ran: Fake) -> None:
    seeded = recipe.model_copy(update={"seeds": (0, 3)})
    ran({"backbone": (0.4, PASSED), "radis": (0.1, PASSED)})
    _, folder = frontier(seeded, "radis", (1.0,), say=lambda _: None)
    links = {path.name: path.resolve() for path in (Path(recipe.runs) / "small" / "models").iterdir()}
    assert links == {f"radis-scaled~{seed}": (folder / "models" / f"radis~{seed}").resolve() for seed in (0, 3)}


@pytest.mark.slow
def test_what_a_run_has_made_is_not_made_again_and_stays_needed(
    tmp_path: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(job: Job[Any], name: str) -> Ran[Any]:
        return Ran(job.run(), 0)

    monkeypatch.setattr(running, "in_own_process", at_once)
    monkeypatch.setattr(running, "begin", lambda: None)
    recipe = recipe.model_copy(update={"methods": recipe.methods[:1]})  # vanilla
    found, folder = frontier(recipe, "vanilla", (0.5, 1.0), say=lambda _: None)  # nothing was trained before
    first = artifacts(tmp_path / "runs")
    kinds = [name.split("-")[0] for name in first]
    assert {kind: kinds.count(kind) for kind in ("train", "merge", "evaluate")} == {
        "train": 1,
        "merge": 2,
        "evaluate": 3,
    }
    assert [one["row"] for one in found["strengths"]] == ["backbone", "vanilla-scale=0.5", "vanilla"]
    assert found["picked"] is None  # a model of random weights has no abilities
    assert (folder / "report.html").is_file()

    running.run(recipe, say=lambda _: None)
    assert {name.split("-")[0] for name in artifacts(tmp_path / "runs").keys() - first.keys()} == {"report"}
    every = artifacts(tmp_path / "runs")
    again, _ = frontier(recipe, "vanilla", (0.5, 1.0), say=lambda _: None)
    assert again == found
    assert artifacts(tmp_path / "runs") == every
    store = Store(tmp_path / "runs/.store")
    named = {need.run: need.names for need in needs([tmp_path / "runs"], store, recipes.recipe)}
    assert every.keys() == named["small"] | named["small-scale-vanilla"]
