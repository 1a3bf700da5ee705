"""`dragoman tune` on the command line: what it says, and what it writes into the recipe."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.analysis.results import TuneResult
from dragoman.cli import app
from dragoman.pipeline.tune import search
from dragoman.pipeline.tune.write_rate import target_of
from dragoman.recipe.schema import Recipe

BASE = """\
backbone: lab
data: {train: {corpus: lab, limit: 100}, test: {corpus: lab, limit: 5}}
training: {learning_rate: 1e-4}
"""
MINE = """\
extends: base.yaml
name: mine  # a name
methods:
  - vanilla
  - radis: {label: own, training: {learning_rate: 5e-5}}
sweep: {limit: [50]}
"""
FOUND: TuneResult = {
    "recipe": "mine",
    "backbone": "lab",
    "row": "vanilla",
    "pairs": 100,
    "of": 400,
    "steps": 3,
    "run_steps": 12,
    "held_out": 50,
    "prompts": 0,
    "start": "3e-3",
    "before": 2.5,
    "rates": [
        {
            "rate": 1e-3,
            "written": "1e-3",
            "state": "chosen",
            "loss": 1.25,
            "loss_interval": [1.2, 1.3],
            "drift": None,
            "drift_interval": None,
            "seconds": 9.6,
        },
        {
            "rate": 3e-2,
            "written": "3e-2",
            "state": "astray",
            "loss": None,
            "loss_interval": None,
            "drift": None,
            "drift_interval": None,
            "seconds": 4.0,
        },
    ],
    "chosen": "1e-3",
}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "mine.yaml").write_text(MINE)

    def found(recipe: Recipe, row: str, pairs: int, start: float, say: search.Say) -> tuple[TuneResult, Path]:
        assert (pairs, start) == (1000, 3e-3)  # the usual rate of a model of the lab's size
        return FOUND, tmp_path / "runs/mine/tune"

    monkeypatch.setattr(search, "search", found)
    return tmp_path / "mine.yaml"


def tune(*arguments: str | Path) -> str:
    ran = CliRunner().invoke(app, ["tune", *map(str, arguments)])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_the_rate_is_written_into_the_recipe_that_was_named_and_not_into_what_it_extends(recipe: Path) -> None:
    said = tune(recipe)
    assert "2.500 → 1.250" in said
    assert "went astray" in said
    assert f"{recipe}: `learning_rate: 1e-3` under `training` is written" in said
    assert recipe.read_text() == MINE + "training:\n  learning_rate: 1e-3\n"
    assert (recipe.parent / "base.yaml").read_text() == BASE
    assert "was there already" in tune(recipe)


def test_no_write_leaves_the_file_alone(recipe: Path) -> None:
    assert "found: `learning_rate: 1e-3` under `training`" in tune(recipe, "--no-write")
    assert recipe.read_text() == MINE


def test_a_row_s_own_rate_is_written_where_it_stands(recipe: Path) -> None:
    tune(recipe, "--method", "own")
    assert recipe.read_text() == MINE.replace("5e-5", "1e-3")


def test_what_cannot_be_written_is_said_before_and_printed_after(recipe: Path) -> None:
    recipe.chmod(0o444)
    said = tune(recipe)
    assert "the file is read-only; the rate will be printed, not written" in said
    assert "not written: `learning_rate: 1e-3` under `training`" in said
    assert recipe.read_text() == MINE


def test_a_row_of_a_sweep_has_no_place_of_its_own(recipe: Path) -> None:
    from dragoman.commands.recipes import recipe as load

    loaded = load(recipe)
    target = target_of(recipe, loaded, "own-limit=50")
    assert "is not in this file" in target.obstacle()
    assert target_of(recipe, loaded, "vanilla-limit=50").obstacle() == ""


def test_a_dry_run_says_what_the_search_begins_with(recipe: Path) -> None:
    said = tune(recipe, f"runs={recipe.parent / 'runs'}", "--dry-run", "--pairs", "80")
    assert "The search begins with 1e-3, 3e-3, 1e-2, on 80 of 400 training records, and tries 12 rates" in said
    assert "train-vanilla" in said
    assert "merge" not in said
    assert not list(recipe.parent.glob("runs/.store/artifacts/*"))


def test_faults_are_sentences(recipe: Path) -> None:
    ran = CliRunner().invoke(app, ["tune", str(recipe), "methods=[]", "data.train=null", "sweep=null"])
    assert ran.exit_code == 2
    assert "mine trains nothing" in ran.output
    ran = CliRunner().invoke(app, ["tune", str(recipe), "--method", "raids"])
    assert ran.exit_code == 2
    assert "no row or method 'raids'" in ran.output
