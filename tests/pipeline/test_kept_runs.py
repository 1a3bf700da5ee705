"""What is kept: looked at before it is read again, wherever it was moved to, and where nothing can be written."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.commands.recipes import recipe as load
from dragoman.errors import StoreError
from dragoman.pipeline.run import run
from tests.pipeline.running import RECIPE, artifacts

Write = Callable[[Path], Path]
SMALL = ("methods=[vanilla]", "evaluate=[lab]", "data.test=null", "training.epochs=1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: Path) -> Path:
    """A folder with a recipe, `recipe.yaml`, that is done; its runs are in `runs`."""
    folder = tmp_path_factory.mktemp("finished")
    shutil.copytree(tiny_backbone, folder / "backbone")
    (folder / "recipe.yaml").write_text(RECIPE.format(backbone=folder / "backbone", folder=folder))
    run(load(folder / "recipe.yaml", SMALL), say=lambda _: None)
    return folder


@pytest.fixture
def moved(finished: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which is a folder of runs that was moved."""
    shutil.copytree(finished, tmp_path / "moved", symlinks=True)
    return tmp_path / "moved"


def again(folder: Path, *changes: str, trust: bool = False) -> list[str]:
    """What a run of the recipe says, on the runs and the backbone of this folder."""
    said: list[str] = []
    places = (f"runs={folder / 'runs'}", f"backbone={folder / 'backbone'}")
    run(load(folder / "recipe.yaml", (*SMALL, *places, *changes)), trust=trust, say=said.append)
    return said


def flip(path: Path) -> None:
    """Changes bits as a disk does: nothing but the contents tells."""
    state, content = path.stat(), bytearray(path.read_bytes())
    for at in range(len(content) // 2, len(content), max(1, len(content) // 400)):
        content[at] ^= 0x40
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_a_moved_folder_of_runs_is_whole(moved: Path, finished: Path) -> None:
    shutil.rmtree(moved / "backbone")
    (moved / "backbone").symlink_to(finished / "backbone")
    links = [path for path in (moved / "runs").rglob("*") if path.is_symlink()]
    assert {path.name for path in links} == {"data", "backbone.json", "vanilla.json", "vanilla", "vanilla.jsonl"}
    for link in links:
        assert link.resolve().is_relative_to((moved / "runs" / ".store").resolve())
        assert link.exists()
    assert sum("done before" in line for line in again(moved)) == len(artifacts(moved / "runs"))


def test_bits_that_flipped_are_seen_before_a_stage_reads_them(moved: Path) -> None:
    runs = moved / "runs"
    again(moved)  # which remembers the checksums
    (weights,) = runs.glob(".store/artifacts/merge-vanilla-*/model/model.safetensors")
    whole = weights.read_bytes()
    flip(weights)
    assert len(again(moved)) == len(artifacts(runs))  # nothing new is made, so nothing is read

    trusting = again(moved, "evaluation.questions=1", trust=True)
    assert not [line for line in trusting if "damaged" in line]
    said = again(moved, "evaluation.questions=3")
    damaged = [line for line in said if line.startswith("damaged: merge-vanilla")]
    assert len(damaged) == 1
    assert "model.safetensors is not what was written" in damaged[0]
    assert weights.read_bytes() == whole
    assert any(line.startswith("✓ merge-vanilla") and "done before" not in line for line in said)
    assert len([line for line in said if "train-vanilla" in line]) == 1


def test_a_report_that_rotted_is_made_again_before_it_is_shown(moved: Path) -> None:
    again(moved)
    (card,) = (moved / "runs").glob(".store/artifacts/report-*/report/scorecard.json")
    whole = card.read_bytes()
    flip(card)
    said = again(moved)
    assert any(line.startswith("damaged: report-") for line in said)
    assert any(line.startswith("✓ report  0:") for line in said)
    (shown,) = (moved / "runs").glob("*/scorecard.json")
    assert shown.read_bytes() == whole


def test_weights_that_are_not_what_they_were_are_not_asked(moved: Path) -> None:
    again(moved)
    weights = moved / "backbone" / "model.safetensors"
    flip(weights)
    assert len(again(moved)) == len(artifacts(moved / "runs"))
    for _ in range(2):  # it is said until something is done about it
        with pytest.raises(StoreError, match=r"model\.safetensors is not what it was: .* `touch` it"):
            again(moved, "training.epochs=2")
    weights.touch()
    names = set(artifacts(moved / "runs"))
    run(load(moved / "recipe.yaml", (*SMALL, f"runs={moved / 'runs'}", f"backbone={moved / 'backbone'}")), upto="train")
    assert {name.rpartition("-")[0] for name in set(artifacts(moved / "runs")) - names} == {
        "examples-vanilla",
        "train-vanilla",
    }


def test_a_corpus_that_is_not_what_it_was_is_not_learnt(moved: Path, tmp_path: Path) -> None:
    table = tmp_path / "own.tsv"
    table.write_text("".join(f"Satz {number}\tsentence {number}\n" for number in range(40)))
    own = f"data.train={{files: [{{table: {table}, direction: de-en}}]}}"
    run(load(moved / "recipe.yaml", (*SMALL, f"runs={tmp_path}/runs", own)), upto="data")
    flip(table)
    changed = (*SMALL, f"runs={tmp_path}/runs", own, "data.max_tokens=99", "data.train.limit=5")
    with pytest.raises(StoreError, match=r"own\.tsv is not what it was"):
        run(load(moved / "recipe.yaml", changed), upto="data")


def test_a_plan_looks_past_what_is_damaged_beside_it(moved: Path) -> None:
    beside = moved / "runs" / ".store" / "artifacts" / "train-other-0123456789abcdef"
    beside.mkdir()
    (beside / "manifest.json").write_bytes(b'{"format": 1, "facts": {"rate": \xff}}')
    changes = [*SMALL, f"runs={moved / 'runs'}", f"backbone={moved / 'backbone'}", "training.epochs=2"]
    ran = CliRunner().invoke(app, ["run", str(moved / "recipe.yaml"), *changes, "--dry-run"])
    assert ran.exit_code == 0, ran.exception
    assert "4 of 7 stages are to do" in ran.output


@pytest.mark.parametrize("command", ["run", "generate", "train", "merge", "evaluate"])
def test_a_store_can_be_trusted(command: str, finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def stop(*_: object, trust: bool, **__: object) -> None:
        asked.append(trust)
        raise StoreError("stopped")

    monkeypatch.setattr("dragoman.commands.recipes.run", stop)
    for more in ([], ["--trust-store"]):
        CliRunner().invoke(app, [command, str(finished / "recipe.yaml"), *more])
    assert asked == [False, True]


READ_ONLY = """
import json, sys
from typer.testing import CliRunner
from dragoman.cli import app
said = []
for command in json.loads(sys.argv[1]):
    ran = CliRunner().invoke(app, command)
    said.append([ran.exit_code, ran.output, repr(ran.exception)])
print("\\n" + json.dumps(said))
"""


def unwritable(folder: Path, *commands: list[str]) -> list[list[object]]:
    """Exit code, output and exception of commands in a process for which a folder is mounted read-only."""
    mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    lent = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]
    if shutil.which("unshare") is None or subprocess.run([*lent, "true"], capture_output=True).returncode:
        pytest.skip("this machine lends no mounts of one's own")
    ran = subprocess.run(
        [*lent, sys.executable, "-c", READ_ONLY, json.dumps(commands)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: list[list[object]] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("remembered", [True, False])
def test_what_cannot_be_written_can_be_looked_at(moved: Path, remembered: bool) -> None:
    runs = moved / "runs"
    changes = [*SMALL, f"runs={runs}", f"backbone={moved / 'backbone'}"]
    again(moved)
    if not remembered:
        (runs / ".store" / "digests.json").unlink()
    before = sorted((str(path), path.lstat().st_mtime_ns) for path in runs.rglob("*"))
    recipe = str(moved / "recipe.yaml")
    commands = [
        ["run", recipe, *changes, "--dry-run"],
        ["run", recipe, *changes],
        ["report", recipe, *changes],
        ["report", recipe, *changes, "--table", "abilities"],
        ["report", "--compare", f"{runs}/small", f"{runs}/small/vanilla"],
        ["show", recipe, *changes],
        ["run", recipe, *changes, "training.epochs=2", "--dry-run"],
        ["run", recipe, *changes, "training.epochs=2"],
        ["store", "verify", str(runs)],
    ]
    *looked, refused, verified = unwritable(moved, *commands)
    assert [code for code, _, _ in looked] == [0] * 7, looked
    assert "All 7 stages of small are done" in str(looked[0][1])
    assert "4 of 7 stages are to do" in str(looked[6][1])
    assert refused[0] == 1
    assert "train-vanilla is not made yet, and" in str(refused[1])
    assert "name another folder with `runs:`" in str(refused[1])
    assert verified[0] == 0, verified
    assert sorted((str(path), path.lstat().st_mtime_ns) for path in runs.rglob("*")) == before


def test_all_that_is_kept_is_verified(moved: Path) -> None:
    runs = moved / "runs"
    again(moved)

    def verify() -> tuple[int, list[str]]:
        ran = CliRunner().invoke(app, ["store", "verify", str(runs)])
        assert not isinstance(ran.exception, Exception) or isinstance(ran.exception, SystemExit), ran.exception
        return ran.exit_code, ran.output.splitlines()

    code, said = verify()
    assert code == 0
    assert len(said) == 1
    assert "7 artifacts" in said[0]
    assert said[0].endswith(": nothing damaged")
    (adapter,) = runs.glob(".store/artifacts/train-vanilla-*/adapter/adapter_model.safetensors")
    (manifest,) = runs.glob(".store/artifacts/data-*/manifest.json")
    shard = next(runs.glob(".store/completions/*/*.parquet"))
    flip(adapter)
    flip(shard)
    flip(moved / "backbone" / "model.safetensors")
    manifest.write_text(manifest.read_text().replace('"train"', '"tr4in"', 1))
    code, said = verify()
    assert code == 1
    assert len(said) == 5
    assert said[0].startswith(f"damaged: {manifest.parent.name} (its manifest is not what was written)")
    assert said[1].startswith("damaged: train-vanilla-")
    assert said[2].startswith(f"damaged: {shard} is not what was written")
    assert said[3].startswith(f"changed: {moved / 'backbone' / 'model.safetensors'} is not what it was")
    assert said[4].endswith(": 4 damaged")
    assert not adapter.exists()
    assert not shard.exists()
    code, said = verify()  # what is nobody's to make again is still said
    assert [line.partition(" ")[0] for line in said[:-1]] == ["changed:"]
    code, whole = verify_at(moved)
    assert code == 1
    assert "there is no store in" in whole


def test_pruning_takes_nothing_that_a_finished_run_needs(moved: Path) -> None:
    runs = moved / "runs"
    again(moved, "training.learning_rate=1e-3")
    newer = artifacts(runs)
    assert len(newer) == 11  # data, examples and the backbone's answers are those of before
    again(moved)
    ran = CliRunner().invoke(app, ["store", "prune", str(runs), "--yes"])
    assert ran.exit_code == 0, ran.output
    assert "removed 4 folders" in ran.output
    assert len(artifacts(runs)) == 7
    assert [line for line in again(moved) if "done before" not in line] == []
    (runs / "small" / "stages.json").unlink()  # as in runs of an earlier version
    ran = CliRunner().invoke(app, ["store", "prune", str(runs), "--yes"])
    assert "there is nothing to remove" in ran.output
    shutil.rmtree(runs / "small")
    ran = CliRunner().invoke(app, ["store", "prune", str(runs), "--yes"])
    assert "removed 7 folders" in ran.output
    assert not artifacts(runs)


def verify_at(folder: Path) -> tuple[int, str]:
    ran = CliRunner().invoke(app, ["store", "verify", str(folder)])
    return ran.exit_code, ran.output
