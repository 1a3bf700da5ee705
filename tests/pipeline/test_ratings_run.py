"""A recipe with rated translations, run up to its merged model: what is foreseen, made, and made again."""

from collections.abc import Callable
from pathlib import Path

from dragoman.commands.recipes import recipe
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.prompts.examples import ExampleTable
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

RATED = "{{corpus: lab-ratings, direction: {}, limit: {}}}"
DATA = f"data.ratings=[{RATED.format('de-en', 20)}, {RATED.format('en-de', 9)}]"
ROW = "{{parrot: {{prompt: parrot-hint, error_guided: {{file: {file}}}, contrastive: ['Into [TGT].###Best']}}}}"


def done(path: Path, *overrides: str) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, overrides)).steps if step.artifact}


def test_ratings_are_learnt_as_foreseen_and_their_instructions_by_contents(
    small_recipe: Callable[[Path], Path], tmp_path: Path
) -> None:
    path, file = small_recipe(tmp_path), tmp_path / "hints.txt"
    file.write_text("Translate to [TGT].###With [SEV] [ERR] errors\n", encoding="utf-8")
    said = (DATA, f"methods=[vanilla, {ROW.format(file=file)}]", "evaluate=[lab]")
    reckoning = Reckoning(plan(recipe(path, said)))
    foreseen = {step.stage.title: reckoning.cost(step.stage) for step in reckoning.plan.steps}
    assert "and 116 judgements of translations, read and checked" in foreseen["data"].work
    told = dragoman("merge", path, *said)
    assert "116 rated translations (80 lab-ratings de-en, 36 lab-ratings en-de)" in told
    found = done(path, *said)
    assert MakeData.facts(found["data"])["ratings"] == {"lab-ratings de-en": 80, "lab-ratings en-de": 36}
    facts = MakeExamples.facts(found["examples-parrot"])
    pairs = MakeExamples.facts(found["examples-vanilla"])["examples"]
    assert facts["notes"] == {"contrastive examples": 87, "error-guided examples": 116}
    assert foreseen["examples-parrot"].units == facts["examples"] == pairs + 87 + 116
    table = ExampleTable(found["examples-parrot"].folder / "examples")
    assert set(table.trained()[0]) - {"prompt"} == {"reference", "end"}
    before = artifacts(tmp_path / "runs")
    assert "done before" in dragoman("merge", path, *said)
    assert artifacts(tmp_path / "runs") == before
    file.write_text("Put it into [TGT].###With [SEV] [ERR] errors\n", encoding="utf-8")
    assert {*found} - {*done(path, *said)} == {"examples-parrot", "train-parrot", "merge-parrot"}


def test_a_row_that_learns_some_directions_learns_their_ratings(
    small_recipe: Callable[[Path], Path], tmp_path: Path
) -> None:
    said = (DATA, "methods=[{parrot: {learn: {directions: [de-en]}, parts: [error-guided]}}]", "evaluate=[lab]")
    path = small_recipe(tmp_path)
    reckoning = Reckoning(plan(recipe(path, said)))
    foreseen = {step.stage.title: reckoning.cost(step.stage) for step in reckoning.plan.steps}
    dragoman("generate", path, *said)
    facts = MakeExamples.facts(done(path, *said)["examples-parrot"])
    assert foreseen["examples-parrot"].units == facts["examples"] == 80
