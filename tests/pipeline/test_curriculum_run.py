"""A recipe with a curriculum, run whole: the directions join as the dry run, the log and the page say."""

import json
from collections.abc import Callable
from pathlib import Path

from dragoman.commands.recipes import recipe
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages.train import Train
from tests.pipeline.running import dragoman


def test_directions_join_one_interval_after_another(small_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    path, files = small_recipe(tmp_path), []
    for language, count in (("de", 40), ("it", 8)):
        table = tmp_path / f"{language}.tsv"
        lines = (
            f"ein {language} Satz mit Nummer {number}\ta sentence with number {number}\n" for number in range(count)
        )
        table.write_text("".join(lines))
        files.append(f"{{table: {table}, direction: {language}-en}}")
    overrides = (
        f"data.train={{files: [{', '.join(files)}], corpus: null, directions: [], limit: null}}",
        "methods=[vanilla]",
        "training.epochs=1",
        "training.curriculum={bounds: [20]}",
        "evaluate=[translation]",
    )
    reckoning = Reckoning(plan(recipe(path, overrides)))
    foreseen = {step.stage.title: reckoning.cost(step.stage).work for step in reckoning.plan.steps}
    assert "; directions join in 2 intervals: de-en (about 40); it-en (about 8)" in foreseen["train-vanilla"]
    said = dragoman("run", path, *overrides)
    (made,) = (one.artifact for one in plan(recipe(path, overrides)).steps if one.stage.title == "train-vanilla")
    assert made is not None
    joined = Train.facts(made)["curriculum"]
    assert joined == [{"directions": {"de-en": 40}, "step": 1}, {"directions": {"it-en": 8}, "step": 5}]
    sentence = "de-en (40 examples) from the start; it-en (8 examples) from step 5"
    assert f"curriculum: {sentence}" in said
    folder = tmp_path / "runs" / "small"
    seen = [json.loads(line)["intervals"] for line in (folder / "vanilla.jsonl").read_text().splitlines()]
    assert seen == [1, 1, 1, 1, 2, 2]
    page = (folder / "report.html").read_text()
    assert "curriculum of vanilla" in page
    assert sentence in page
