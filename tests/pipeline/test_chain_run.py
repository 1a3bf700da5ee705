"""A chain of rows, run whole: each starts from what the row before became, and a changed first row changes all."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.commands.recipes import recipe
from dragoman.errors import RecipeError
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages.merge import Merge
from dragoman.pipeline.storage.needs import since_report
from dragoman.scoring.scorecard.read import read_scorecard
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

Write = Callable[[Path], Path]

KEEP = "{after: vanilla, scale: 1, training: {recovery: {steps: 2, prompts: 4, rounds: 2, max_tokens: 4}}}"
RADIS = "{after: keep, boundary: exact, rationale: {max_tokens: 4}}"
CHAIN = (
    f"methods=[{{radis: {RADIS}}}, {{keep: {KEEP}}}, vanilla]",
    "data.replay={prompts: [{corpus: lab-requests, limit: 30}], near: true, max_tokens: 4}",
    "evaluate=[translation, lab, drift]",
)


def found(path: Path, *overrides: str) -> dict[str, Artifact | None]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, (*CHAIN, *overrides))).steps}


@pytest.mark.slow
def test_a_chain_goes_on_from_what_each_row_became(small_recipe: Write, tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    dragoman("run", path, *CHAIN)
    done = found(path)
    assert all(done.values())
    first = tmp_path / "runs" / "small"
    assert (first / "replay-keep").is_dir()
    assert not (first / "replay").exists()
    digests = {
        row: made.digest("model/model.safetensors")
        for row in ("vanilla", "keep", "radis")
        if (made := done[f"merge-{row}"])
    }
    assert len(set(digests.values())) == 3
    merged = done["merge-radis"]
    assert merged
    assert Merge.facts(merged)["agreement"] > 0.9

    before = artifacts(tmp_path / "runs")
    assert "done before" in dragoman("run", path, *CHAIN)
    assert artifacts(tmp_path / "runs") == before

    changed = "methods.2.vanilla.training.epochs=1"
    todo = [title for title, made in found(path, changed).items() if not made]
    assert {"merge-vanilla", "examples-keep", "replay-keep", "merge-keep", "evaluate-radis"} <= set(todo)
    assert "examples-vanilla" not in todo
    told = dragoman("run", "--dry-run", path, *CHAIN, changed)
    assert "vanilla is to do, so what comes after it is stale, and is made again: keep, radis." in told

    (tmp_path / "second").mkdir()
    other = tmp_path / "second" / "recipe.yaml"
    other.write_text(path.read_text().replace("name: small", "name: second"))
    own = f"methods=[{{vanilla: {{after: {{recipe: {tmp_path / 'first.yaml'}, row: keep}}}}}}]"
    text = path.read_text().replace("[vanilla, {radis: {boundary: exact, rationale: {max_tokens: 12}}}]", CHAIN[0][8:])
    (tmp_path / "first.yaml").write_text(with_chain(text))
    dragoman("run", other, own)
    step = {step.stage.title: step for step in plan(recipe(other, [own])).steps}
    assert step["train-vanilla"].artifact
    noted = json.loads((tmp_path / "runs" / "second" / "stages.json").read_text())
    assert noted["start-vanilla"][0].startswith("merge-keep-")  # so that nothing prunes it
    assert since_report(tmp_path / "runs" / "second") == []
    (tmp_path / "first.yaml").write_text(with_chain(text).replace("epochs: 2", "epochs: 1"))
    with pytest.raises(RecipeError, match=r"it is not what its recipe says now .*Run it first: `dragoman run"):
        plan(recipe(other, [own]))


@pytest.mark.slow
def test_each_seed_goes_on_from_the_same_seed_also_where_all_weights_were_trained(
    small_recipe: Write, tmp_path: Path
) -> None:
    whole = "{training: {lora: null, learning_rate: 1e-3}}"
    rows = f"methods=[{{vanilla: {whole}}}, {{radis: {RADIS.replace('keep', 'vanilla')}}}]"
    path = small_recipe(tmp_path)
    dragoman("run", path, rows, "seeds=[0, 1]", "evaluate=[lab]")
    folder = tmp_path / "runs" / "small"
    starts = [recipe_start(path, seed, rows, "seeds=[0, 1]", "evaluate=[lab]") for seed in (0, 1)]
    assert [start == (folder / "models" / f"vanilla~{seed}").resolve() for seed, start in enumerate(starts)] == [
        True
    ] * 2
    card = read_scorecard(folder / "scorecard.json")
    (after,) = [row["after"] for row in card["rows"] if "after" in row]
    assert after["row"] == "vanilla"
    assert "sequence.md" in {file.name for file in (folder / "tables").iterdir()}


def recipe_start(path: Path, seed: int, *overrides: str) -> Path:
    """What radis starts from with a seed."""
    return plan(recipe(path, overrides)).start("radis", seed).path.resolve()


def with_chain(text: str) -> str:
    replay = CHAIN[1].partition("=")[2]
    text = text.replace("data:\n", f"data:\n  replay: {replay}\n")
    return text.replace("evaluate: [translation, lab]", CHAIN[2].replace("=", ": "))
