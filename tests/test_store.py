"""Artifacts are whole or absent, and never pass for one another."""

import json
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any, cast

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
    digests.save()
    assert Digests(tmp_path / "memo.json").of(path) == first == sha256(path)
    path.write_text("two, longer")
    assert digests.of(path) == sha256(path) != first


def test_fingerprints_ignore_the_order_of_keys_and_nothing_else() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1, "b": [1, 2]}) != fingerprint({"a": 1, "b": [2, 1]})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def test_half_a_character_is_kept(tmp_path: Path) -> None:
    """Answers may have one; what holds them can be written all the same, and read again."""
    write_atomic(tmp_path / "a.json", json.dumps(["a \ud83d", "ä"], ensure_ascii=False))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == ["a \ud83d", "ä"]


def manifest_of(folder: Path) -> Path:
    make(Store(folder), "merge-radis-1")
    return folder / "artifacts" / "merge-radis-1" / "manifest.json"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"steps": 3', '"steps": 4'),
        ('"format": 1', '"format": 9'),
        ('"facts"', '"fac4s"'),
        (
            '": "',
            '": "0',
        ),
    ],
)
def test_a_manifest_tells_of_its_own_damage(tmp_path: Path, old: str, new: str) -> None:
    path, said = manifest_of(tmp_path), list[str]()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert Store(tmp_path, said.append).find("merge-radis-1") is None
    assert said[0].startswith("damaged: merge-radis-1 (its manifest is not what was written)")
    make(Store(tmp_path), "merge-radis-1")
    assert Store(tmp_path).find("merge-radis-1") is not None


def test_a_manifest_of_an_earlier_version_has_no_checksum_and_is_good(tmp_path: Path) -> None:
    path = manifest_of(tmp_path)
    manifest = json.loads(path.read_text())
    del manifest["checksum"]
    path.write_text(json.dumps(manifest))
    found = Store(tmp_path, pytest.fail).find("merge-radis-1")
    assert found is not None
    assert found.facts == {"steps": 3}


GOOD = {"format": 1, "name": "merge-radis-1", "facts": {}, "files": {"adapter/weights.bin": "0" * 64}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"facts": ' * 900 + b"{}" + b"}" * 900,
        b"9" * 5000,
        b"null",
        b"[]",
        b'"text"',
        *(json.dumps({key: value for key, value in GOOD.items() if key != left}).encode() for left in GOOD),
        *(
            json.dumps({**GOOD, **change}).encode()
            for change in cast(
                "list[dict[str, Any]]",
                [
                    {"format": "1"},
                    {"format": True},
                    {"name": "merge-vanilla-1"},
                    {"facts": []},
                    {"files": ["adapter/weights.bin"]},
                    {"files": {"adapter/weights.bin": None}},
                    {"files": {"adapter/weights.bin": ["0"]}},
                    {"files": {"../../../etc/passwd": "0" * 64}},
                    {"files": {"/etc/passwd": "0" * 64}},
                    {"files": {"": "0" * 64}},
                    {"files": {"n" * 300: "0" * 64}},
                    {"files": {"\ud83d": "0" * 64}},
                    {"files": {"a\0b": "0" * 64}},
                    {"checksum": None},
                    {"checksum": "0" * 64},
                ],
            )
        ),
    ],
)
def test_a_malformed_manifest_is_damage_and_made_again(tmp_path: Path, content: bytes) -> None:
    path, said = manifest_of(tmp_path), list[str]()
    path.write_bytes(content)
    store = Store(tmp_path, said.append)
    assert store.find("merge-radis-1") is None
    assert len(said) == 1
    assert said[0].startswith("damaged: merge-radis-1 (")
    make(store, "merge-radis-1")
    assert store.find("merge-radis-1") is not None


@pytest.mark.parametrize("content", [b"[]", b"\xff", b'{"format": "new"}', b"[" * 100_000])
def test_a_store_whose_mark_cannot_be_read_still_opens(tmp_path: Path, content: bytes) -> None:
    make(Store(tmp_path), "train-radis-1")
    (tmp_path / "store.json").write_bytes(content)
    assert Store(tmp_path).find("train-radis-1") is not None
    make(Store(tmp_path), "train-radis-2")
    assert json.loads((tmp_path / "store.json").read_text()) == {"format": FORMAT}


def test_whether_it_is_whole_is_read_and_not_remembered(tmp_path: Path) -> None:
    said: list[str] = []
    make(Store(tmp_path), "merge-radis-1")
    found = Store(tmp_path).find("merge-radis-1")
    assert found is not None
    weights = found.folder / "adapter" / "weights.bin"
    store = Store(tmp_path, said.append)
    store.find("merge-radis-1")
    store.digests.save()
    state = weights.stat()
    with weights.open("r+") as file:
        file.write("WEI")
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
    store = Store(tmp_path, said.append)
    assert store.find("merge-radis-1") is not None
    sizes: list[int] = []
    assert store.whole(found, "other/*", sizes.append)
    assert sizes == []
    assert not store.whole(found, "adapter/*", sizes.append)
    assert "adapter/weights.bin is not what was written" in said[0]
    assert store.find("merge-radis-1") is None


def test_a_memo_of_other_digests_damages_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, pytest.fail)
    make(store, "merge-radis-1")
    store.digests.save()
    memo = json.loads((tmp_path / "digests.json").read_text())
    del memo["checksum"]  # as earlier versions wrote it
    (tmp_path / "digests.json").write_text(json.dumps({name: [*entry[:3], "0" * 64] for name, entry in memo.items()}))
    assert Store(tmp_path, pytest.fail).find("merge-radis-1") is not None


def test_nothing_is_written_where_nothing_is_made(tmp_path: Path) -> None:
    assert Store(tmp_path / "new").find("train-radis-1") is None
    assert not (tmp_path / "new").exists()


def test_thousands_of_files_are_read_with_one_memo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    monkeypatch.setattr("dragoman.store._flush", lambda _: None)
    with store.making("examples-radis-1") as out:
        for number in range(5000):
            (out / f"{number}").write_text(str(number))
        store.finish("examples-radis-1", {})
    (tmp_path / "digests.json").unlink(missing_ok=True)
    memos: list[Path] = []
    monkeypatch.setattr("dragoman.disk.write_atomic", lambda path, _: memos.append(path))
    store = Store(tmp_path)
    assert store.find("examples-radis-1") is not None
    store.digests.save()
    assert len(memos) == 1


def test_what_a_killed_write_left_is_no_part_of_an_artifact(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.making("train-radis-1") as out:
        (out / ".writing-0123").write_text("half")
        (out / "whole").write_text("whole")
        (out / "whole").chmod(0o600)
        found = store.finish("train-radis-1", {})
    assert set(found.files) == {"whole"}
    assert sorted(path.name for path in found.folder.iterdir()) == ["manifest.json", "whole"]
    assert (found.folder / "whole").stat().st_mode == (found.folder / "manifest.json").stat().st_mode
