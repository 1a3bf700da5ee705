"""A recipe with preferences, run up to its merged model: what is foreseen, made, and made again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.commands.recipes import recipe
from dragoman.errors import DataError, RecipeError
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.prompts.examples import ExampleTable
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

DATA = "data.preferences=[{corpus: lab-ratings, direction: de-en, limit: 20}, {file: %s, direction: en-de}]"
ROW = "{cpo: {after: vanilla, training: {preference: {beta: 0.2}}}}"


def done(path: Path, *overrides: str) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, overrides)).steps if step.artifact}


def choices(folder: Path, count: int = 3) -> Path:
    path = folder / "choices.jsonl"
    some = ({"source": f"word {n}", "chosen": f"Wort {n}", "rejected": f"{n} Wort"} for n in range(count))
    path.write_text("".join(json.dumps(one) + "\n" for one in some), encoding="utf-8")
    return path


def test_preferences_are_learnt_after_another_row_as_foreseen(
    small_recipe: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = small_recipe(tmp_path)
    said = (DATA % choices(tmp_path), f"methods=[vanilla, {ROW}]", "evaluate=[lab]")
    reckoning = Reckoning(plan(recipe(path, said)))
    foreseen = {step.stage.title: reckoning.cost(step.stage) for step in reckoning.plan.steps}
    assert "and 23 preferences, read and checked" in foreseen["data"].work
    told = dragoman("merge", path, *said)
    assert "23 preferences (20 lab-ratings de-en, 3 choices.jsonl en-de)" in told
    assert "data.preferences: only 23 are left" in told
    found = done(path, *said)
    assert MakeData.facts(found["data"])["preferences"] == {"lab-ratings de-en": 20, "choices.jsonl en-de": 3}
    facts = MakeExamples.facts(found["examples-cpo"])
    assert foreseen["examples-cpo"].units == facts["examples"] == 23
    table = ExampleTable(found["examples-cpo"].folder / "examples")
    assert set(table.trained()[0]) == {"prompt", "chosen", "rejected"}
    before = artifacts(tmp_path / "runs")
    assert "done before" in dragoman("merge", path, *said)
    assert artifacts(tmp_path / "runs") == before
    other = (said[0], said[1].replace("0.2", "0.3"), said[2])
    assert {*found} - {*done(path, *other)} == {"train-cpo", "merge-cpo"}


def test_faults(small_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    with pytest.raises(
        RecipeError, match=r"cpo learns from chosen and rejected translations, and the recipe names none"
    ):
        recipe(path, ["methods=[cpo]"])
    file = choices(tmp_path)
    file.write_text(json.dumps({"source": "a", "chosen": "b", "rejected": "b"}), encoding="utf-8")
    with pytest.raises(DataError, match="no en-de preference is in it; left out: 1 equal sides"):
        Reckoning(plan(recipe(path, (DATA % file, "methods=[cpo]"))))
