"""What a store holds and who needs it; and pruning, which never takes what a run needs or holds."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dragoman.cli import app
from dragoman.errors import RecipeError, StoreError
from dragoman.pipeline.storage.needs import note_all, note_stage
from dragoman.pipeline.storage.prune import Pruning, Wanted, prunable, prune
from dragoman.pipeline.storage.usage import Opened, opened, size_of
from dragoman.recipe.schema import Recipe
from dragoman.store import Store

KILO = 1000


def unreadable(path: Path) -> Recipe:
    raise RecipeError(f"{path}: its file de.txt is gone")


def made(store: Store, name: str, size: int = KILO) -> Path:
    with store.making(name) as out:
        (out / "file").write_bytes(os.urandom(size))
        return store.finish(name, {}).folder


def begun(store: Store, name: str, size: int = KILO) -> Path:
    with store.making(name) as out:
        (out / "file").write_bytes(os.urandom(size))
        return out


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs that share their data, one of them interrupted; and what is left of a third, which was removed."""
    runs = tmp_path / "runs"
    store = Store(runs / ".store")
    for name in ("data-1", "train-a-1", "train-b-1", "train-old-1"):
        made(store, name)
    begun(store, "merge-b-1")
    begun(store, "merge-old-1")
    (runs / ".store" / "spent").mkdir()
    (runs / ".store" / "spent" / "merge-old-1").write_text("3.0")
    (runs / ".store" / "completions" / "group").mkdir(parents=True)
    (runs / ".store" / "completions" / "group" / "shard").write_bytes(os.urandom(5 * KILO))
    note_all(runs / "one", {"data": "data-1", "train-a": "train-a-1"})
    for title, name in (("data", "data-1"), ("train-b", "train-b-1"), ("merge-b", "merge-b-1")):
        note_stage(runs / "two", title, name)
    return runs


def look(runs: Path, load: Callable[[Path], Recipe] = unreadable) -> Opened:
    return opened([runs], load, lambda _: None)


def names(going: Pruning) -> list[str]:
    return [one.name for one in going.every]


def there(runs: Path) -> set[str]:
    return {path.name for part in ("artifacts", "partial") for path in (runs / ".store" / part).iterdir()}


def pruned(runs: Path, wanted: Wanted | None = None) -> Pruning:
    found = look(runs)
    return prune(found.store, found.look, wanted or Wanted())


def test_what_no_run_needs_goes_and_all_else_stays(runs: Path) -> None:
    found = look(runs)
    before = size_of(runs)
    going = prunable(found.store, found.look(), Wanted())
    assert names(going) == ["train-old-1", "merge-old-1"]
    assert "merge-b-1 (two); --partial removes" in going.stays[0]
    assert size_of(runs) == before

    went = pruned(runs)
    assert names(went) == ["train-old-1", "merge-old-1"]
    assert there(runs) == {"data-1", "train-a-1", "train-b-1", "merge-b-1"}
    assert not (runs / ".store" / "spent" / "merge-old-1").exists()
    assert not (runs / ".store" / "removing").exists()
    assert names(pruned(runs)) == []
    assert names(pruned(runs, Wanted(completions=True, resumable=True))) == ["merge-b-1", "completions"]
    assert there(runs) == {"data-1", "train-a-1", "train-b-1"}


def test_what_a_run_holds_stays(runs: Path) -> None:
    store = Store(runs / ".store")
    with store.making("merge-old-1"):  # another run has it
        going = pruned(runs)
        assert names(going) == ["train-old-1"]
        assert going.stays[0] == "Being worked on: merge-old-1."
        assert "merge-old-1" in there(runs)
    made(store, "train-new-1")
    with store.in_use(), store.in_use():
        going = pruned(runs, Wanted(completions=True))
        assert names(going) == ["merge-old-1"]
        assert going.stays[0].startswith("A run is at work in this store: finished stages, completions")
    assert "train-new-1" in there(runs)
    said: list[str] = []
    with store.unused() as unused, Store(runs / ".store", said.append).unused() as again:
        assert (unused, again) == (True, False)


def test_links_and_models_of_a_recipe_are_needed_too(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(runs / ".store")
    (made(store, "merge-c-1") / "model").mkdir()
    made(store, "merge-d-1")
    (runs / "three" / "models").mkdir(parents=True)
    (runs / "three" / "models" / "c").symlink_to("../../.store/artifacts/merge-c-1/model")
    (runs / "two" / "recipe.yaml").write_text("compare: [{model: runs/.store/artifacts/merge-d-1/model, row: d}]")
    monkeypatch.chdir(runs.parent)
    assert names(pruned(Path("runs"))) == ["train-old-1", "merge-old-1"]
    assert there(runs) >= {"merge-c-1", "merge-d-1"}


def test_a_run_whose_needs_are_unknown_keeps_everything_finished(runs: Path) -> None:
    (runs / "early").mkdir()  # by a version that noted nothing
    (runs / "early" / "recipe.yaml").write_text("name: early")
    going = pruned(runs)
    assert names(going) == ["merge-old-1"]
    assert going.stays[0].startswith("early: what it needs is not known for certain (its recipe cannot be planned: ")
    assert going.stays[0].endswith(f"Run it once more, or remove {runs / 'early'}.")
    (runs / "two" / "stages.json").write_text("{")
    assert "stages.json cannot be read" in pruned(runs).stays[1]
    assert there(runs) >= {"train-old-1", "train-b-1"}


def test_notes_grow_until_a_whole_run_replaces_them(tmp_path: Path) -> None:
    note_stage(tmp_path, "data", "data-1")
    note_stage(tmp_path, "data", "data-2")
    note_stage(tmp_path, "data", "data-1")
    assert json.loads((tmp_path / "stages.json").read_text()) == {"data": ["data-1", "data-2"]}
    note_all(tmp_path, {"data": "data-2"})
    assert json.loads((tmp_path / "stages.json").read_text()) == {"data": ["data-2"]}


def test_folders_of_runs_that_share_a_store(runs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / ".store").symlink_to(runs / ".store")
    note_all(other / "x", {"train-old": "train-old-1"})
    both = opened([runs, other], unreadable, lambda _: None)
    assert names(prunable(both.store, both.look(), Wanted())) == ["merge-old-1"]
    Store(tmp_path / "apart" / ".store")
    made(Store(tmp_path / "apart" / ".store"), "data-1")
    with pytest.raises(StoreError, match="are two stores"):
        opened([runs, tmp_path / "apart"], unreadable, lambda _: None)
    (runs / ".store").rename(tmp_path / "kept")
    with pytest.raises(StoreError, match="nothing tells which runs need"):
        opened([tmp_path / "kept"], unreadable, lambda _: None).require_runs()


def test_the_commands(runs: Path) -> None:
    def dragoman(*words: str) -> str:
        ran = CliRunner().invoke(app, ["store", *words, str(runs)])
        assert ran.exit_code == 0, ran.output
        return " ".join(ran.output.split())

    said = dragoman("list")
    assert "run data train all one 1 kB 1 kB" in said
    assert "(no run) 1 kB 1 kB" in said
    assert "merge-b-1 (of two, to go on with)" in said
    assert "merge-old-1 (nobody goes on with it)" in said
    assert "completions 5 kB" in said
    assert "`dragoman store prune` would free 2 kB." in said

    said = dragoman("prune")
    assert "2 folders, 2 kB in" in said
    assert said.endswith("Nothing was removed; --yes does it.")
    assert "train-old-1" in there(runs)
    assert dragoman("prune", "--yes").endswith("removed 2 folders, 2 kB")
    assert there(runs) == {"data-1", "train-a-1", "train-b-1", "merge-b-1"}
    assert dragoman("prune", "--yes").endswith("there is nothing to remove")
