"""Artifacts are whole or absent, and never pass for one another."""

import json
import multiprocessing
import time
from pathlib import Path

import pytest

from dragoman.errors import StoreError
from dragoman.store import FORMAT, Digests, Store, fingerprint, sha256, write_atomic


def make(store: Store, name: str, text: str = "weights") -> None:
    with store.making(name) as out:
        (out / "adapter").mkdir()
        (out / "adapter" / "weights.bin").write_text(text)
        store.finish(name, {"steps": 3})


def test_a_finished_artifact_is_found_with_its_facts_and_checksums(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make(store, "train-radis-1")
    found = Store(tmp_path).find("train-radis-1")
    assert found is not None
    assert found.facts == {"steps": 3}
    assert found.files == {"adapter/weights.bin": sha256(found.folder / "adapter" / "weights.bin")}
    assert found.digest("adapter/*") == fingerprint(dict(found.files))
    assert found.digest("nothing") == fingerprint({})


def test_what_was_not_finished_is_not_found_but_is_still_there_to_go_on_with(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def begin() -> None:
        with store.making("train-radis-1") as out:
            (out / "checkpoint").write_text("step 100")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert store.find("train-radis-1") is None
    with store.making("train-radis-1") as out:
        assert (out / "checkpoint").read_text() == "step 100"


@pytest.mark.parametrize("damage", ["changed", "missing", "no manifest"])
def test_damage_is_seen_set_aside_and_said(tmp_path: Path, damage: str) -> None:
    said: list[str] = []
    store = Store(tmp_path, said.append)
    make(store, "merge-radis-1")
    weights = tmp_path / "artifacts" / "merge-radis-1" / "adapter" / "weights.bin"
    if damage == "changed":
        weights.write_text("wEights")
    elif damage == "missing":
        weights.unlink()
    else:
        (weights.parents[1] / "manifest.json").write_text("{")
    assert store.find("merge-radis-1") is None
    assert len(said) == 1
    assert "damaged: merge-radis-1" in said[0]
    make(store, "merge-radis-1")
    assert store.find("merge-radis-1") is not None


def test_a_newer_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    write_atomic(tmp_path / "store.json", json.dumps({"format": FORMAT + 1}))
    with pytest.raises(StoreError, match=r"written by a newer Dragoman .* Update Dragoman"):
        Store(tmp_path)


def _hold(folder: Path, name: str, ready: "multiprocessing.Queue[str]") -> None:
    store = Store(folder)
    with store.making(name) as out:
        ready.put("locked")
        time.sleep(0.5)
        (out / "file").write_text("by the first")
        store.finish(name, {})


def test_a_second_run_waits_for_the_first_and_finds_its_work(tmp_path: Path) -> None:
    ready: multiprocessing.Queue[str] = multiprocessing.Queue()
    first = multiprocessing.Process(target=_hold, args=(tmp_path, "data-1", ready))
    first.start()
    assert ready.get(timeout=20) == "locked"
    said: list[str] = []
    store = Store(tmp_path, said.append)
    with store.making("data-1"):
        found = store.find("data-1")
        assert found is not None
        assert (found.folder / "file").read_text() == "by the first"
    first.join()
    assert said == ["another run is making data-1; waiting for it"]


def test_no_room_is_said_before_work_begins(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the merge needs about 1000000000\.0 GB .* Make room"):
        Store(tmp_path).need_room(10**18, "the merge")


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_text("one")
    digests = Digests(tmp_path / "memo.json")
    first = digests.of(path)
    assert Digests(tmp_path / "memo.json").of(path) == first == sha256(path)
    path.write_text("two, longer")
    assert digests.of(path) == sha256(path) != first


def test_fingerprints_ignore_the_order_of_keys_and_nothing_else() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1, "b": [1, 2]}) != fingerprint({"a": 1, "b": [2, 1]})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_half_a_character_is_kept(tmp_path):
    """Answers may have one; what holds them can be written all the same, and read again."""
    write_atomic(tmp_path / "a.json", json.dumps(["a \ud83d", "ä"], ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == ["a \ud83d", "ä"]
