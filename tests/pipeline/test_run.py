"""The whole pipeline through the command line: once, again, changed, damaged, killed half-way, twice at a time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.running import alive, artifacts, dragoman, losses, start

# The loss of each step, computed once and written down: whoever changes them changes what is trained.
VANILLA = [8.0312, 7.9804, 7.976, 7.9349, 7.9459, 7.9631, 7.9386, 7.9161, 7.9094, 7.9102, 7.9226, 7.9398]
RADIS = [7.7065, 7.6439, 7.6822, 7.6432, 7.678, 7.63, 7.646, 7.6064, 7.6043, 7.6237, 7.6355, 7.6742]

Write = Callable[[Path], Path]


def test_a_recipe_is_done_once_and_only_what_changed_or_broke_is_done_again(
    tmp_path: Path, small_recipe: Write
) -> None:
    recipe, runs = small_recipe(tmp_path), tmp_path / "runs"
    assert "11 of 11 stages are to do" in dragoman("run", recipe, "--dry-run")
    assert not artifacts(runs)
    dragoman("run", recipe)

    card = json.loads((runs / "small" / "scorecard.json").read_text())
    assert [row["name"] for row in card["rows"]] == ["backbone", "vanilla", "radis"]
    assert set(card["rows"][1]["translation"]["directions"]) == {"de-en", "en-de"}
    assert card["rows"][2]["translation"]["out_of_english"]["chrf++"]["n"] == 6
    assert card["rows"][0]["abilities"]["arithmetic"]["n"] == 2
    page = (runs / "small" / "report.html").read_text()
    assert "<html" in page
    assert ">nothing<" not in page
    assert (runs / "small" / "models" / "radis" / "model.safetensors").is_file()
    assert losses(runs, "vanilla") == pytest.approx(VANILLA, abs=2e-4)
    assert losses(runs, "radis") == pytest.approx(RADIS, abs=2e-4)

    before = artifacts(runs)
    assert len(before) == 11
    said = dragoman("run", recipe)
    assert said.count("done before") == 11
    assert artifacts(runs) == before
    assert "All 11 stages of small are done" in dragoman("run", recipe, "--dry-run")

    # A shorter training makes adapters, models, scores and the report again, and no examples.
    said = dragoman("run", recipe, "training.epochs=1")
    again = {name.rpartition("-")[0] for name in set(artifacts(runs)) - set(before)}
    assert again == {f"{kind}-{row}" for kind in ("train", "merge", "evaluate") for row in ("vanilla", "radis")} | {
        "report"
    }

    # A damaged artifact is seen by its checksum, set aside, and made again from the cached completions.
    results = next(runs.glob(".store/artifacts/evaluate-radis-*/results.json"))
    whole = results.read_bytes()
    results.write_bytes(whole.replace(b"translation", b"trAnslation", 1))
    report = sorted(runs.glob(".store/artifacts/report-*"))
    for folder in report:
        shutil.rmtree(folder)
    changed = results.parent.name
    both = dragoman("run", recipe) + dragoman("run", recipe, "training.epochs=1")
    assert f"damaged: {changed}" in both
    assert results.read_bytes() == whole


def test_a_killed_run_leaves_no_process_behind_and_goes_on_where_it_was(tmp_path: Path, small_recipe: Write) -> None:
    long = ("methods=[vanilla]", "training.epochs=40", "training.save_every=12")
    whole = small_recipe(tmp_path / "whole")
    dragoman("train", whole, *long)
    cut = small_recipe(tmp_path / "cut")
    process = start("train", cut, *long)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "cut").glob("runs/.store/partial/train-*/checkpoints/checkpoint-4*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while alive(process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (clocked,) = (tmp_path / "cut" / "runs" / ".store" / "spent").glob("train-*")
    before = float(clocked.read_text())
    began = time.monotonic()
    said = dragoman("train", cut, *long)
    assert "goes on from step" in said
    (trained,) = (tmp_path / "cut" / "runs" / ".store" / "artifacts").glob("train-*/manifest.json")
    assert before < json.loads(trained.read_text())["facts"]["seconds"] < before + time.monotonic() - began
    assert losses(tmp_path / "cut" / "runs", "vanilla") == losses(tmp_path / "whole" / "runs", "vanilla")


def test_torchrun_ends_with_a_sentence(tmp_path: Path, small_recipe: Write) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, "-m", "dragoman", "train", str(small_recipe(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "This is one of 2 processes that were started together (WORLD_SIZE is set" in done.stderr
    assert not list(tmp_path.glob("runs/.store/artifacts/*"))


def test_two_runs_on_one_store_share_the_work(tmp_path: Path, small_recipe: Write) -> None:
    recipe = small_recipe(tmp_path)
    processes = [start("generate", recipe) for _ in range(2)]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert sorted(name.rpartition("-")[0] for name in artifacts(tmp_path / "runs")) == [
        "data",
        "examples-radis",
        "examples-vanilla",
    ]
    assert not list((tmp_path / "runs" / ".store" / "partial").iterdir())


def test_ctrl_c_ends_with_a_sentence(tmp_path: Path, small_recipe: Write) -> None:
    process = start("train", small_recipe(tmp_path), "training.epochs=400")
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/.store/partial/train-*/checkpoints")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run again to go on" in said
    assert "Traceback" not in said
