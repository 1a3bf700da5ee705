"""A recipe with a dev set, run whole: what is logged, kept and said; and what stays as it was without one."""

import json
from collections.abc import Callable
from pathlib import Path

from dragoman.commands.recipes import recipe
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages.train import Train
from dragoman.store import Artifact
from tests.pipeline.running import artifacts, dragoman

DEV = "data.dev={corpus: lab, directions: [de-en, en-de], limit: 4}"
VANILLA = "methods=[vanilla]"


def done(path: Path, *overrides: str) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, overrides)).steps if step.artifact}


def test_a_dev_set_trains_anew_and_changes_nothing_else(small_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    dragoman("merge", path, VANILLA)
    before, made = done(path, VANILLA), artifacts(tmp_path / "runs")
    said = dragoman("merge", path, VANILLA, DEV, "training.validate_every=4")
    after = done(path, VANILLA, DEV, "training.validate_every=4")
    assert before["train-vanilla"].digest("adapter/*") == after["train-vanilla"].digest("adapter/*")
    assert before["merge-vanilla"].name == after["merge-vanilla"].name
    assert sorted(name.split("-")[0] for name in artifacts(tmp_path / "runs").keys() - made) == ["data", "train"]
    facts = Train.facts(after["train-vanilla"])["validation"]
    assert (facts["pairs"], facts["left_out"], facts["kept"]) == (8, 0, 12)
    assert [step for step, _ in facts["losses"]] == [0, 4, 8, 12]
    assert f"validation loss {facts['losses'][0][1]:.3f} → {facts['losses'][-1][1]:.3f}" in said
    lines = [json.loads(line) for line in (tmp_path / "runs" / "small" / "vanilla.jsonl").read_text().splitlines()]
    logged = [[line["step"], line["validation_loss"]] for line in lines if "validation_loss" in line]
    assert logged == [list(one) for one in facts["losses"]]
    assert not list(after["train-vanilla"].folder.glob("dev*"))


def test_rounds_and_seeds_keep_their_best(small_recipe: Callable[[Path], Path], tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    rows = "methods=[{radis: {refresh: true, rationale: {max_tokens: 6}}}]"
    best = ("training.keep=best", "training.learning_rate=0.3", "seeds=[1, 2]", "data.dev={share: 0.2}")
    dragoman("train", path, rows, *best)
    found = done(path, rows, *best)
    for seed in (1, 2):
        first, last = (Train.facts(found[f"train-radis~{seed}{round}"]) for round in ("@1", ""))
        losses = dict(last["validation"]["losses"])
        assert dict(first["validation"]["losses"]).items() <= losses.items()
        assert last["validation"]["kept"] == min((step for step in losses if step), key=lambda step: losses[step])
    one, other = (Train.facts(found[f"train-radis~{seed}"])["validation"]["losses"] for seed in (1, 2))
    assert one[0] == other[0]  # the backbone on the same pairs
    assert one[-1] != other[-1]


def test_a_budget_ends_a_row_and_lowers_the_rate_of_another(
    small_recipe: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = small_recipe(tmp_path)
    ends, slows = "budget: {drift: 1.0e-4}", "budget: {drift: 1.0e-4, then: lower}"
    rows = (
        f"methods=[vanilla, {{vanilla: {{label: ends, training: {{replay: {{}}, {ends}}}}}}}, "
        f"{{vanilla: {{label: slows, training: {{replay: {{}}, {slows}}}}}}}]"
    )
    often = ("data.replay={prompts: [{corpus: lab-requests, limit: 20}], max_tokens: 8}", "training.validate_every=5")
    said = dragoman("train", path, rows, *often)
    found = {title: Train.facts(made) for title, made in done(path, rows, *often).items() if title.startswith("train-")}
    ended, slowed = found["train-ends"], found["train-slows"]
    assert "drift" not in found["train-vanilla"]
    assert [step for step, _ in ended["drift"]["general"]] == [0, 5]
    assert (ended["steps"], ended["over_budget"]) == (5, [5])
    assert (slowed["steps"], slowed["over_budget"]) == (12, [5, 10, 12])
    assert "over the budget of 0.0001 (training.budget): the training ended there." in ended["hints"][0]
    assert "the learning rate was halved there, and 2 times more later." in slowed["hints"][-1]
    assert f"drift {ended['drift']['general'][-1][1]:.3f} on general prompts" in said
