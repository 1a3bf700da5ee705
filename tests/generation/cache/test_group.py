"""Groups of completions: found again by whole keys, by every process, in shards that are never changed."""

import hashlib
import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.errors import StoreError
from dragoman.generation import inspect_cache as browse
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.cache import group as cache
from dragoman.generation.cache import shards
from dragoman.generation.cache.group import Group
from dragoman.generation.cache.storage import shelf_at

SAMPLING = Sampling(max_tokens=8, stop=(2,))


def done(first: int, last: int) -> list[tuple[Ids, Completion]]:
    return [((number, 1), Completion((number, 2), str(number), "stop", seconds=0.5)) for number in range(first, last)]


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    return tmp_path if request.param == "local" else f"memory://{tmp_path.name}"


def group(folder: Path | str, model: str = "weights") -> Group:
    return Group(folder, model, SAMPLING, lambda sentence: None)


def test_what_was_put_is_found_here_and_by_others(folder: Path | str) -> None:
    here, there = group(folder), group(folder)
    here.refresh()
    assert here.get([(1, 1)]) == {}
    here.put(done(0, 10))
    here.put(done(10, 13))
    wanted: list[Ids] = [(11, 1), (99, 1), (3, 1), (0, 1)]
    expected = {prompt: Completion((prompt[0], 2), str(prompt[0]), "stop") for prompt in ((11, 1), (3, 1), (0, 1))}
    assert here.get(wanted) == expected
    assert there.get(wanted) == {}
    there.refresh()
    assert there.get(wanted) == expected
    assert [one.seconds for one in there.get(wanted).values()] == [0.5] * 3
    assert there.get([]) == {}
    other = group(folder, "other weights")
    other.refresh()
    assert other.get(wanted) == {}


def test_what_an_earlier_version_kept_is_found(tmp_path: Path) -> None:
    """The name of a group stays what it was, whatever fields come to sampling."""
    assert Path(group(tmp_path).address).name == "69a42f82b5d71ab2148e3eeceaeff2f0"
    assert Group(tmp_path, "weights", replace(SAMPLING, ban_tokens=2), print).address != group(tmp_path).address


def test_a_shard_is_named_by_its_bytes(tmp_path: Path) -> None:
    one = group(tmp_path)
    one.put(done(0, 10))
    one.put(done(0, 10))  # two processes may have done the same
    (folder,) = tmp_path.iterdir()
    assert str(folder) == one.address
    (shard,) = folder.glob("*.parquet")
    assert shard.stem == hashlib.sha256(shard.read_bytes()).hexdigest()
    assert one.get([(3, 1)])[(3, 1)].text == "3"
    about = json.loads((folder / "group.json").read_text())
    assert (about["model"], about["sampling"]["stop"]) == ("weights", [2])
    assert folder.name == hashlib.sha256((folder / "group.json").read_bytes()).hexdigest()[:32]


def test_keys_that_begin_alike_are_told_apart(folder: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = shards.keys

    def alike(prompts: list[Ids]) -> np.ndarray:
        keys = whole(prompts).copy()
        keys[:, :8] = 7
        return keys

    monkeypatch.setattr(shards, "keys", alike)
    one = group(folder)
    one.put(done(0, 5))
    assert one.get([(7, 1)]) == {}  # in the index, it seems, but in no shard
    one.put(done(5, 10))
    for reader in (one, group(folder)):
        reader.refresh()
        found = reader.get([(number, 1) for number in range(12)])
        assert {prompt: completion.text for prompt, completion in found.items()} == {
            (number, 1): str(number) for number in range(10)
        }


def test_damage_is_said_and_set_aside(tmp_path: Path) -> None:
    group(tmp_path).put(done(0, 5))
    group(tmp_path).put(done(5, 10))
    hurt, _ = sorted(tmp_path.glob("*/*.parquet"))
    lost = {tuple(prompt) for prompt in shards.unpack(hurt.read_bytes())["prompt"].to_pylist()}
    said: list[str] = []
    reader = Group(tmp_path, "weights", SAMPLING, said.append)
    reader.refresh()
    hurt.write_bytes(hurt.read_bytes()[:-1])
    everything = [prompt for prompt, _ in done(0, 10)]
    assert set(reader.get(everything)) == set(everything) - lost
    assert said == [
        "A shard of the generation cache is damaged; set aside as "
        f"{hurt.with_suffix('.damaged')}, to be generated again."
    ]
    reader.refresh()
    reader.get(everything)
    assert len(said) == 1
    reader.put([one for one in done(0, 10) if one[0] in lost])
    assert set(reader.get(everything)) == set(everything)


def test_all_that_is_kept_is_looked_at(folder: Path | str) -> None:
    one, other = group(folder), group(folder, "other weights")
    one.put(done(0, 5))
    other.put(done(0, 5))
    looked: list[int] = []
    named = cache.groups(folder)
    assert sorted(f"{folder}/{name}" for name in named) == sorted([one.address, other.address])
    assert list(cache.damaged(folder, named, lambda: looked.append(1))) == []
    assert len(looked) == 2
    shelf = shelf_at(folder, one.address.rpartition("/")[2])
    (shard,) = (name for name in shelf.names() if name.endswith(".parquet"))
    ((_, content),) = shelf.read([shard])
    assert content is not None
    shelf.write(shard, content[:-1] + b"?")
    shelf.write("group.json", b'{"model": "of somebody else"}')
    told = list(cache.damaged(folder, named, lambda: None))
    assert len(told) == 2
    assert told[0].startswith(f"{shelf.path(shard)} is not what was written; set aside as ")
    assert told[1].startswith(f"{shelf.path('group.json')} is not what was written; set aside as group.damaged")
    assert list(cache.damaged(folder, named, lambda: None)) == []
    assert [kept.model for kept in browse.kept(folder, 1)] == ["other weights"]
    one.put(done(0, 5))
    group(folder).put(done(5, 6))  # which says again whose they are
    assert sorted(kept.model for kept in browse.kept(folder, 1)) == ["other weights", "weights"]


def test_bytes_that_are_whole_but_no_parquet_are_a_sentence(tmp_path: Path) -> None:
    one = group(tmp_path)
    one.put(done(0, 1))
    (Path(one.address) / f"{hashlib.sha256(b'else').hexdigest()}.parquet").write_bytes(b"else")
    with pytest.raises(StoreError, match="is whole, but this pyarrow cannot read it"):
        group(tmp_path).refresh()


def test_what_failed_is_recorded_beside_the_shards(folder: Path | str) -> None:
    one = group(folder)
    path = one.record(
        {(5, 6): Completion((), "", "failed", why="HTTP 400: too long"), (4,): Completion((), "", "failed")}
    )
    assert path.startswith(f"{one.address}/failures-")
    data = dict(one._shelf.read([path.rpartition("/")[2]])).popitem()[1]
    assert data is not None
    assert [json.loads(line) for line in data.splitlines()] == [
        {"key": shards.keys([(4,)])[0].tobytes().hex(), "prompt_tokens": 1, "why": ""},
        {"key": shards.keys([(5, 6)])[0].tobytes().hex(), "prompt_tokens": 2, "why": "HTTP 400: too long"},
    ]
    one.refresh()
    assert one.get([(4,), (5, 6)]) == {}


def test_a_slow_listing_is_not_repeated_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    one, other = group(tmp_path), group(tmp_path)
    slow = one._shelf.names

    def names() -> list[str]:
        now[0] += 2.0
        return slow()

    monkeypatch.setattr(one._shelf, "names", names)
    one.refresh()
    other.put(done(0, 5))
    now[0] += 39
    one.refresh()
    assert one.get([(0, 1)]) == {}
    now[0] += 2
    one.refresh()
    assert len(one.get([(0, 1)])) == 1


def _write(folder: Path, first: int) -> None:
    one = group(folder)
    for start in range(first, first + 200, 20):
        one.refresh()
        one.put(done(start, start + 20))


def test_processes_write_into_one_group(tmp_path: Path) -> None:
    start = multiprocessing.get_context("spawn")
    workers = [start.Process(target=_write, args=(tmp_path, first)) for first in (0, 100, 200)]  # they overlap
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    one = group(tmp_path)
    one.refresh()
    assert {completion.text for completion in one.get([prompt for prompt, _ in done(0, 400)]).values()} == {
        str(number) for number in range(400)
    }
    assert not list(tmp_path.glob("*/.writing*"))
