"""A row that is recovered after its training, run whole: what is made, told and counted, also after kills."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.commands.recipes import recipe
from dragoman.generation.ask import Completion, Sampling
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan
from dragoman.pipeline.stages import recover
from dragoman.pipeline.stages.recover import Recover
from dragoman.pipeline.stages.replay import MakeReplay
from dragoman.pipeline.stages.train import Train
from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples
from dragoman.recipe.training import Recovery
from dragoman.scoring.scorecard.read import read_scorecard
from dragoman.store import Artifact
from tests.pipeline.running import alive, artifacts, dragoman, start

Write = Callable[[Path], Path]

RECOVERY = "recovery: {steps: 6, prompts: 4, rounds: 3, max_tokens: 8, learning_rate: 3e-3}"
RECOVERED = (
    f"methods=[vanilla, {{vanilla: {{label: recovered, training: {{{RECOVERY}}}}}}}]",
    "data.replay={prompts: [{corpus: lab-requests, limit: 30}], max_tokens: 8}",
    "training.learning_rate=3e-2",
    "training.save_every=1",
)


def done(path: Path, *overrides: str) -> dict[str, Artifact]:
    return {step.stage.title: step.artifact for step in plan(recipe(path, overrides)).steps if step.artifact}


@pytest.mark.slow
def test_a_row_is_recovered_and_that_is_told_and_counted(small_recipe: Write, tmp_path: Path) -> None:
    path = small_recipe(tmp_path)
    said = dragoman("run", path, *RECOVERED)
    found = done(path, *RECOVERED)
    last, before = Recover.facts(found["recover-recovered"]), Train.facts(found["train-vanilla"])
    assert found["train-recovered"].digest("adapter/*") == found["train-vanilla"].digest("adapter/*")
    assert found["recover-recovered"].digest("adapter/*") != found["train-vanilla"].digest("adapter/*")
    assert (last["steps"], last["answers"], last["failed"]) == (6, 24, 0)
    drift = last["drift"]["general"]
    assert [step for step, _ in drift] == [0, 2, 4, 6]
    assert drift[-1][1] < drift[0][1]
    assert "6 steps on 24 answers of its own" in said
    assert f"drift {drift[0][1]:.3f} → {drift[-1][1]:.3f} on general prompts" in said
    assert not (found["recover-recovered"].folder / "rounds").exists()

    plain, recovered = read_scorecard(tmp_path / "runs" / "small" / "scorecard.json")["rows"][1:]
    assert recovered["settings"] == {"training.recovery.steps": 6}
    assert "recovery" not in plain
    told = {"before": drift[0][1], "after": drift[-1][1]}
    assert recovered["recovery"] == {"steps": 6, "answers": 24, "kl": "reverse", "drift": {"general": told}}
    assert plain["cost"]
    assert recovered["cost"]
    assert recovered["cost"]["steps"] == plain["cost"]["steps"] + 6
    assert recovered["cost"]["trained_tokens"] == before["tokens"] + last["tokens"]
    replay = MakeReplay.facts(found["replay"])["generated"]["tokens"]
    assert recovered["cost"]["generated_tokens"] == replay + last["generated"]["tokens"]
    page = (tmp_path / "runs" / "small" / "report.html").read_text()
    assert "recovered was recovered after its training: in 6 steps" in " ".join(page.split())
    log = (tmp_path / "runs" / "small" / "recovered.recovery.jsonl").read_text().splitlines()
    assert sum("loss" in json.loads(line) for line in log) == 6

    made = artifacts(tmp_path / "runs")
    assert "recover-recovered  done before" in dragoman("run", path, *RECOVERED)
    assert artifacts(tmp_path / "runs") == made
    lower = (RECOVERED[0].replace("steps: 6", "steps: 3"), *RECOVERED[1:])
    dragoman("merge", path, *lower)
    again = {name.split("-")[0] for name in artifacts(tmp_path / "runs").keys() - made}
    assert again == {"recover", "merge"}  # the training is what it was


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_weights(small_recipe: Write, tmp_path: Path) -> None:
    path, whole = small_recipe(tmp_path / "killed"), small_recipe(tmp_path / "whole")
    one = (RECOVERED[0].replace("vanilla, {", "{", 1), *RECOVERED[1:])
    dragoman("merge", whole, *one)
    dragoman("train", path, *one)
    partial = path.parent / "runs" / ".store" / "partial"
    kept: dict[str, int] = {}
    for file in ("rounds/1/checkpoints/*/complete.json", "notes/learnt-1.json", "checkpoints/*/complete.json"):
        process = start("merge", path, *one)
        until = time.monotonic() + 200
        while not (there := list(partial.glob(f"recover-*/{file}"))) and process.poll() is None:
            assert time.monotonic() < until, file
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        while alive(process.pid):
            time.sleep(0.01)
        assert there, f"it ended before there was {file}"
        for note, written in kept.items():
            assert next(partial.glob(f"recover-*/{note}")).stat().st_mtime_ns == written, f"{note} was made again"
        kept |= {
            str(note.relative_to(note.parents[1])): note.stat().st_mtime_ns
            for note in partial.glob("recover-*/notes/*.json")
        }
    dragoman("merge", path, *one)
    first, second = done(whole, *one), done(path, *one)
    for pattern in ("adapter/*", "answers/*"):
        assert first["recover-recovered"].digest(pattern) == second["recover-recovered"].digest(pattern)
    assert first["merge-recovered"].name == second["merge-recovered"].name


def test_seeds_are_recovered_apart_and_refreshed_rows_after_their_last_round(
    small_recipe: Write, tmp_path: Path
) -> None:
    said = f"refresh: true, training: {{{RECOVERY}}}"
    rows = f"methods=[{{radis: {{{said}}}}}, {{radis: {{label: half, scale: 0.5, {said}}}}}]"
    foreseen = plan(recipe(small_recipe(tmp_path), (rows, "seeds=[1, 2]")))
    found = {step.stage.title: step.stage.needs for step in foreseen.steps}
    for seed in (1, 2):
        assert found[f"recover-radis~{seed}"] == (f"train-radis~{seed}", "replay")
        assert found[f"merge-radis~{seed}"] == found[f"merge-half~{seed}"] == (f"recover-radis~{seed}",)
        assert f"recover-half~{seed}" not in found
    assert "replay" not in found["train-radis~1"]
    last = next(step.stage for step in foreseen.steps if step.stage.kind == "recover")
    assert Reckoning(foreseen).cost(last).work.startswith("6 steps on 24 answers of its own, in 3 rounds, 192 tokens")


def examples(folder: Path) -> ExampleTable:
    made = [Example((Segment("prompt", (7, at), 0.0), Segment("replay", (3, 4))), f"key-{at}") for at in range(10)]
    write_examples(folder, 0, made)
    return ExampleTable(folder)


def test_rounds_ask_all_prompts_before_any_comes_again(tmp_path: Path) -> None:
    table, wanted = examples(tmp_path / "replay"), Recovery(steps=6, prompts=2, rounds=2)
    first, second = (recover._prompts(table, wanted, 5, number) for number in (1, 2))
    assert (len(first), len(second)) == (6, 6)
    assert len({key for key, _ in (*first, *second[:4])}) == 10
    assert second[4:] == first[:2]
    assert first != recover._prompts(table, wanted, 6, 1)
    assert all(ids == (7, int(key.removeprefix("key-"))) for key, ids in first)


def test_an_answer_that_is_but_an_end_is_learnt_and_what_failed_is_not() -> None:
    asking = recover._own([("a", (5,)), ("b", (6,)), ("c", (7,))], Sampling(4, (2,), 1.0))
    ask = next(asking)
    assert (ask.model, ask.prompts) == (recover.ASKED, [(5,), (6,), (7,)])
    said = [
        Completion((2,), "", "stop"),
        Completion((), "", "failed", why="no"),
        Completion((8, 9, 8, 9), "", "length"),
    ]
    with pytest.raises(StopIteration) as ended:
        asking.send(said)
    answered = ended.value.value
    assert [one.ids for one in answered.examples] == [(5, 2), (7, 8, 9, 8, 9)]
    assert [one.segments[1].name for one in answered.examples] == ["own", "own"]
    assert answered.cut_off == 1
