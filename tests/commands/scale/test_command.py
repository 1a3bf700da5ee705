"""`dragoman scale` on the command line: what it says, and what it refuses."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dragoman import cli
from dragoman.analysis.results import ScaleResult, Strength
from dragoman.pipeline.scale import frontier
from dragoman.recipe.schema import Recipe

LAB = """\
name: small
backbone: lab
data: {train: {corpus: lab, limit: 20}, test: {corpus: lab, limit: 4}}
methods: [vanilla]
evaluate: [translation, lab]
"""


def at(strength: float, skill: float, kept: float, keeps: bool) -> Strength:
    near, far = [skill - 1, skill + 1], [kept - 2, kept + 2]
    gain = None if strength == 0 else skill - 20
    return {
        "strength": strength,
        "row": f"vanilla-scale={strength:g}" if strength else "backbone",
        "skill": skill,
        "skill_interval": near,
        "gain": gain,
        "gain_interval": None if gain is None else [gain - 1, gain + 1],
        "kept": kept,
        "kept_interval": far,
        "keeps": keeps,
    }


FOUND: ScaleResult = {
    "recipe": "small",
    "backbone": "lab",
    "row": "vanilla",
    "skill": "translation, chrF++",
    "keep": 0.98,
    "by_layer": False,
    "noise": 1.5,
    "strengths": [at(0, 20, 100, True), at(0.5, 30, 101, True), at(1, 35, 90, False)],
    "picked": 0.5,
}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(LAB, encoding="utf-8")
    return tmp_path / "small.yaml"


def scale(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["scale", *map(str, words)])


def test_a_line_for_each_strength_and_where_the_picked_model_is(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Sequence[float], float, bool]] = []

    def found(
        recipe: Recipe, row: str, strengths: Sequence[float], *, by_layer: bool, **_: Any
    ) -> tuple[ScaleResult, Path]:
        asked.append((row, strengths, recipe.pick.keep, by_layer))
        return FOUND, Path("runs/small-scale-vanilla")

    monkeypatch.setattr(frontier, "frontier", found)
    ran = scale(recipe, "vanilla", "pick.keep=0.9", "--strengths", "1,0.5")
    assert ran.exit_code == 0, ran.output
    assert asked == [("vanilla", (0.5, 1.0), 0.9, False)]
    lines = [" ".join(line.split()) for line in ran.output.splitlines()]
    assert "0 20.0 (19.0–21.0) 100.0 (98.0–102.0)" in lines
    assert "0.5 30.0 (29.0–31.0) +10.0 (9.0–11.0) 101.0 (99.0–103.0) picked" in lines
    assert "1 35.0 (34.0–36.0) +15.0 (14.0–16.0) 90.0 (88.0–92.0) too little" in lines
    assert "Picked: 0.5, the highest strength that keeps 98 % by the lower end of its 95 % interval." in lines
    assert "runs/small/models/vanilla-scaled: the model at strength 0.5, to use as it is" in lines
    assert scale(recipe, "vanilla").exit_code == 0
    assert asked[-1] == ("vanilla", (0.25, 0.5, 0.75, 1.0, 1.2), 0.98, False)
    rising = scale(recipe, "vanilla", "--by-layer", "--strengths", "0.5,0")
    assert asked[-1] == ("vanilla", (0.0, 0.5), 0.98, True)
    assert "in a recipe: scale: {first_layer: 0.5} among the options of vanilla" in rising.output


def test_a_dry_run_shows_one_training(recipe: Path) -> None:
    ran = scale(recipe, "vanilla", "--dry-run", "hardware={gpu: h100-80gb}")
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("train-vanilla") == 1
    assert ran.output.count("examples-vanilla") == 1
    for strength in (0.25, 0.5, 0.75, 1.2):
        assert f"merge-vanilla-scale={strength:g}" in ran.output
    assert not Path("runs/small").exists()


def test_a_dry_run_by_layer(recipe: Path) -> None:
    ran = scale(recipe, "vanilla", "--dry-run", "--by-layer", "--strengths", "0,1", "hardware={gpu: h100-80gb}")
    assert ran.exit_code == 0, ran.output
    assert ran.output.count("train-vanilla") == 1
    assert "merge-vanilla-first_layer=0" in ran.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["radis"], "small has no row radis; its rows are vanilla"),
        (["vanilla", "--strengths", "much"], "--strengths: 'much' should be numbers from 0 up"),
        (["vanilla", "evaluate=[translation]"], "small judges no abilities (evaluate)"),
        (["vanilla", "pick.keep=98"], "pick.keep"),
        ([], "Missing argument"),
    ],
)
def test_what_is_refused(recipe: Path, words: list[str], said: str) -> None:
    ran = scale(recipe, *words)
    assert ran.exit_code == 2
    assert said in ran.output
    assert not Path("runs").exists()
