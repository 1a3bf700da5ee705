"""Cached completions of one model and sampling, by prompt, in shards whose names are their checksums.

A group's folder holds `group.json` (model contents and sampling) and shards: Parquet files that are written once and
named by the sha256 of their own bytes. So a shard is either whole or known to be damaged, and any number of processes
and machines may write into one group.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragoman.errors import StoreError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.cache import shards
from dragoman.generation.cache.index import Index
from dragoman.generation.cache.storage import shelf_at

if TYPE_CHECKING:
    from pyarrow import Table

_SUFFIX = ".parquet"
_ABOUT = "group.json"
_ROWS = 32  # bits of a place that are the row; those above are the shard's number
_LISTING = 0.05  # seconds that a listing may take without being counted
_LISTING_SHARE = 20  # a listing that takes longer is repeated only after so many times its own length


class Group:
    """The cached completions of one model under one sampling, in a local folder or at an fsspec address.

    Only an index stays in memory, 16 bytes a completion; completions are read from their shard when they are asked
    for. A disk or bucket that fails raises a StoreError.
    """

    def __init__(self, folder: Path | str, model: str, sampling: Sampling, say: Callable[[str], None]):
        said = asdict(sampling)
        if said["ban_tokens"] == 1:  # a later field: its default is left out, so that older groups are still found
            del said["ban_tokens"]
        self._about = json.dumps({"model": model, "sampling": said}, sort_keys=True, indent=1).encode()
        self._shelf = shelf_at(folder, hashlib.sha256(self._about).hexdigest()[:32])
        self._say = say
        self._index = Index()
        self._names: list[str] = []  # names of shards, by their numbers
        self._seen: set[str] = set()
        self._started = False
        self._listed: tuple[float, float] | None = None

    @property
    def address(self) -> str:
        """Where the group's files are."""
        return self._shelf.path("").rstrip("/")

    def refresh(self) -> None:
        """Looks for new shards, ours or another process's, and sets damaged ones aside.

        Where listing is slow, as in a bucket with a hundred thousand shards, not every call looks.
        """
        start = time.monotonic()
        if self._listed is not None:
            ended, took = self._listed
            if took > _LISTING and start - ended < _LISTING_SHARE * took:
                return
        names = self._shelf.names()
        ended = time.monotonic()
        self._listed = ended, ended - start
        new = [name for name in names if name.endswith(_SUFFIX) and name not in self._seen]
        found, places = [], []
        for name, table in self._read(new, ["key"]):
            found.append(shards.table_keys(table))
            places.append(self._number(name) + np.arange(len(table)))
        if found:
            self._index.add(np.concatenate(found), np.concatenate(places))

    def get(self, prompts: Sequence[Ids]) -> dict[Ids, Completion]:
        """The cached completions among these prompts; prompts without one are left out."""
        keys = shards.keys(prompts)
        numbers, places = self._index.find(keys)
        order = np.argsort(places, kind="stable")
        numbers, places = numbers[order], places[order]
        parts, starts = np.unique(places >> _ROWS, return_index=True)
        wanted = {
            self._names[part]: (numbers[start:end], places[start:end] & ((1 << _ROWS) - 1))
            for part, start, end in zip(parts, starts, np.append(starts, len(places))[1:], strict=True)
        }
        found: dict[Ids, Completion] = {}
        for name, table in self._read(list(wanted)):
            whose, rows = wanted[name]
            same = (shards.table_keys(table)[rows] == keys[whose]).all(axis=1)  # beginnings may be alike by chance
            completions = shards.completions(table, rows[same])
            found.update(zip((prompts[number] for number in whose[same]), completions, strict=True))
        return found

    def put(self, done: Sequence[tuple[Ids, Completion]]) -> None:
        """Writes one shard, whole or not at all, and adds its prompts to the index."""
        keys = shards.keys([prompt for prompt, _ in done])
        data = shards.pack(done, keys)
        name = hashlib.sha256(data).hexdigest() + _SUFFIX
        self._start()
        self._shelf.write(name, data)
        self._index.add(keys, self._number(name) + np.arange(len(done)))

    def record(self, failures: Mapping[Ids, Completion]) -> str:
        """Writes the prompts that failed for good to a file of their own, one per line; returns its address."""
        prompts = sorted(failures)
        lines = [
            json.dumps({"key": key.tobytes().hex(), "prompt_tokens": len(prompt), "why": failures[prompt].why})
            for prompt, key in zip(prompts, shards.keys(prompts), strict=True)
        ]
        data = "".join(f"{line}\n" for line in lines).encode()
        name = f"failures-{hashlib.sha256(data).hexdigest()[:16]}.jsonl"
        self._start()
        self._shelf.write(name, data)
        return self._shelf.path(name)

    def _start(self) -> None:
        if not self._started:
            if _ABOUT not in self._shelf.names():
                self._shelf.write(_ABOUT, self._about)
            self._started = True

    def _number(self, name: str) -> int:
        """Registers a shard's name and returns the place (in the index) of its first row."""
        self._seen.add(name)
        self._names.append(name)
        return (len(self._names) - 1) << _ROWS

    def _read(self, names: Sequence[str], columns: Sequence[str] | None = None) -> Iterator[tuple[str, "Table"]]:
        """The tables of intact shards; a damaged one is set aside, so its prompts are generated again."""
        for name, data in self._shelf.read(names):
            if data is None:  # set aside by another process
                self._seen.discard(name)
            elif hashlib.sha256(data).hexdigest() == name.removesuffix(_SUFFIX):
                yield name, _table(data, columns, self._shelf.path(name))
            else:
                self._seen.discard(name)
                aside = name.removesuffix(_SUFFIX) + ".damaged"
                self._shelf.set_aside(name, aside)
                self._say(
                    f"A shard of the generation cache is damaged; set aside as {self._shelf.path(aside)}, "
                    "to be generated again."
                )


def _table(data: bytes, columns: Sequence[str] | None, path: str) -> "Table":
    """A shard's table. The checksum has matched, so if it cannot be read, it was written by an incompatible pyarrow."""
    from pyarrow import ArrowException

    try:
        return shards.unpack(data, columns)
    except ArrowException as error:
        raise StoreError(
            f"{path} is whole, but this pyarrow cannot read it: {error}. Update pyarrow, or move the file away."
        ) from error


def damaged(folder: Path | str, groups: Sequence[str], done: Callable[[], None]) -> Iterator[str]:
    """Reads every shard of some groups of a cache, and yields a sentence about each that is damaged.

    A damaged shard is set aside where possible, and its prompts are generated again when next asked for. `done` is
    called after each group.
    """
    for name in groups:
        shelf = shelf_at(folder, name)
        names = [file for file in shelf.names() if file.endswith(_SUFFIX) or file == _ABOUT]
        for file, data in shelf.read(names):
            if data is None:
                continue
            known_by = name if file == _ABOUT else file.removesuffix(_SUFFIX)
            if hashlib.sha256(data).hexdigest()[: len(known_by)] != known_by:
                aside = file.partition(".")[0] + ".damaged"
                try:
                    shelf.set_aside(file, aside)
                except StoreError as error:
                    yield str(error)
                else:
                    then = "to be written again" if file == _ABOUT else "to be generated again"
                    yield f"{shelf.path(file)} is not what was written; set aside as {aside}, {then}"
        done()


def groups(folder: Path | str) -> list[str]:
    """The names of the groups in a cache."""
    return [name for name in shelf_at(folder, "").names() if re.fullmatch("[0-9a-f]{32}", name)]
