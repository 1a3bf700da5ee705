"""Results under `runs/NAME`: put there by many runs at once, and only what is new."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.commands.recipes import DEMO, recipe
from dragoman.errors import StoreError
from dragoman.pipeline import publish as publishing
from dragoman.pipeline.publish import publish
from dragoman.store import Artifact, Store

PUBLISH = """
import sys
from pathlib import Path
from dragoman.commands.recipes import DEMO, recipe
from dragoman.pipeline.publish import publish
from dragoman.store import Store

runs, wait = Path(sys.argv[1]), Path(sys.argv[2])
loaded = recipe(DEMO, [f"runs={runs}"])
stores = [Store(runs / name) for name in (".store", ".other")]
done = [{name.rpartition("-")[0]: store.find(name) for name in store.names()} for store in stores]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(50):
    for some in done:
        publish(loaded, runs / "demo", some)
"""


def made(store: Store, name: str, files: dict[str, str]) -> Artifact:
    with store.making(name) as out:
        for file, text in files.items():
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            (out / file).write_text(text)
        return store.finish(name, {})


def run_of(runs: Path, store: str, text: str) -> dict[str, Artifact]:
    kept = Store(runs / store)
    return {
        "data": made(kept, f"data-{text}", {"train.jsonl": text}),
        "evaluate-radis": made(kept, f"evaluate-radis-{text}", {"results.json": text}),
        "merge-radis": made(kept, f"merge-radis-{text}", {"model/config.json": text}),
        "report": made(kept, f"report-{text}", {"report/scorecard.json": text, f"report/tables/{text}.md": text}),
    }


def test_runs_that_publish_at_once_do_not_trip_over_one_another(tmp_path: Path) -> None:
    run_of(tmp_path, ".store", "one")
    run_of(tmp_path, ".other", "other")
    command = [sys.executable, "-c", PUBLISH, str(tmp_path), str(tmp_path)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".writing-")]
    assert (tmp_path / "demo" / "models" / "radis" / "config.json").read_text() in ("one", "other")


def test_what_is_there_already_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, done = recipe(DEMO, [f"runs={tmp_path}"]), run_of(tmp_path, ".store", "one")
    folder = tmp_path / "demo"
    publish(loaded, folder, done)
    before = {path: path.lstat().st_ino for path in folder.rglob("*")}
    publish(loaded, folder, done)
    assert {path: path.lstat().st_ino for path in folder.rglob("*")} == before
    assert os.readlink(folder / "models" / "radis") == "../../.store/artifacts/merge-radis-one/model"

    monkeypatch.chdir(tmp_path)
    publish(recipe(DEMO, ["runs=."]), folder, done)  # the same folder under another name, as where it is mounted
    assert {path: path.lstat().st_ino for path in folder.rglob("*")} == before

    publish(loaded, folder, run_of(tmp_path, ".other", "other"))
    assert [path.name for path in (folder / "tables").iterdir()] == ["other.md"]
    assert (folder / "data" / "train.jsonl").read_text() == "other"

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(publishing, "write_atomic", refuse)
    with pytest.raises(StoreError, match=r"the results of demo are in the store and not yet in .*Read-only"):
        publish(loaded, folder, done)


def test_links_lead_to_a_store_on_another_disk(tmp_path: Path) -> None:
    elsewhere = tmp_path / "large" / "deep" / "runs"
    elsewhere.mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / ".store").symlink_to(elsewhere)
    (tmp_path / "large" / "demo").mkdir()
    (tmp_path / "runs" / "demo").symlink_to(tmp_path / "large" / "demo")
    publish(recipe(DEMO), tmp_path / "runs" / "demo", run_of(tmp_path / "runs", ".store", "one"))
    assert (tmp_path / "runs" / "demo" / "models" / "radis" / "config.json").read_text() == "one"
