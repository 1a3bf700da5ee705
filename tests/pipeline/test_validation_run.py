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
