"""Completions on disk, addressed by what determined them: model contents, sampling, prompt ids.

A group is one model under one sampling; its folder holds shards, each a file of flat arrays that
is written once and named by the hash of its own bytes. So a shard is either whole or known to be
damaged, and any number of processes may write into one group.
"""

import hashlib
import io
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.errors import StoreError
from dragoman.generation.ask import Completion, Ids, Sampling

_FINISHES = ("stop", "length")
_KEY_BYTES = 16


class Group:
    """The completions of one model under one sampling.

    Only the index stays in memory; what it points to is read when it is asked for.
    """

    def __init__(self, folder: Path, model: str, sampling: Sampling, say: Callable[[str], None]):
        self._about = json.dumps({"model": model, "sampling": asdict(sampling)}, sort_keys=True, indent=1).encode()
        self.folder = folder / hashlib.sha256(self._about).hexdigest()[:32]
        self._say = say
        self._seen: set[str] = set()
        self._places: dict[bytes, tuple[str, int]] = {}

    def refresh(self) -> None:
        """Reads the keys of shards that are new, ours or another process's. A damaged one is set aside."""
        for path in sorted(self.folder.glob("*.npz")):
            if path.name in self._seen:
                continue
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == path.stem:
                self._index(path.name, _arrays(data)["keys"])
                continue
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            self._say(f"A shard of the generation cache is damaged; set aside as {aside}, to be generated again.")

    def __contains__(self, prompt: Ids) -> bool:
        return _key(prompt) in self._places

    def get(self, prompts: Iterable[Ids]) -> dict[Ids, Completion]:
        """The completions of these prompts; those that are not known are left out."""
        wanted: dict[str, list[tuple[Ids, int]]] = defaultdict(list)
        for prompt in prompts:
            place = self._places.get(_key(prompt))
            if place is not None:
                wanted[place[0]].append((prompt, place[1]))
        found: dict[Ids, Completion] = {}
        for name, rows in wanted.items():
            shard = _arrays((self.folder / name).read_bytes())
            found.update((prompt, _unpack(shard, row)) for prompt, row in rows)
        return found

    def put(self, done: Sequence[tuple[Ids, Completion]]) -> None:
        """Writes one shard, whole or not at all; from then on its prompts are known."""
        buffer = io.BytesIO()
        arrays = _pack(done)
        np.savez(buffer, allow_pickle=False, **arrays)
        data = buffer.getvalue()
        name = f"{hashlib.sha256(data).hexdigest()}.npz"
        self.folder.mkdir(parents=True, exist_ok=True)
        about = self.folder / "group.json"
        if not about.exists():
            _write(about, self._about)
        _write(self.folder / name, data)
        self._index(name, arrays["keys"])

    def _index(self, name: str, keys: NDArray[Any]) -> None:
        self._seen.add(name)
        run = keys.tobytes()
        for row in range(len(run) // _KEY_BYTES):
            self._places[run[row * _KEY_BYTES : (row + 1) * _KEY_BYTES]] = (name, row)


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _key(prompt: Ids) -> bytes:
    return hashlib.sha256(np.asarray(prompt, dtype="<i4").tobytes()).digest()[:_KEY_BYTES]


def _pack(done: Sequence[tuple[Ids, Completion]]) -> dict[str, NDArray[Any]]:
    """Flat arrays; `*_ends` say where each row's run ends."""
    completions = [completion for _, completion in done]
    texts = [completion.text.encode("utf-8", "surrogatepass") for completion in completions]
    arrays: dict[str, NDArray[Any]] = {
        "keys": np.frombuffer(b"".join(_key(prompt) for prompt, _ in done), dtype=np.uint8),
        "ids": np.array([token for completion in completions for token in completion.ids], dtype="<i4"),
        "ids_ends": np.cumsum([len(completion.ids) for completion in completions], dtype="<i8"),
        "text": np.frombuffer(b"".join(texts), dtype=np.uint8),
        "text_ends": np.cumsum([len(text) for text in texts], dtype="<i8"),
        "finish": np.array([_FINISHES.index(completion.finish) for completion in completions], dtype=np.uint8),
    }
    steps = [step for completion in completions for step in completion.logprobs or ()]
    if steps:
        arrays["logprob_ids"] = np.array([[token for token, _ in step] for step in steps], dtype="<i4")
        arrays["logprobs"] = np.array([[value for _, value in step] for step in steps], dtype="<f4")
    return arrays


def _unpack(shard: Mapping[str, NDArray[Any]], row: int) -> Completion:
    start, end = _run(shard["ids_ends"], row)
    first, last = _run(shard["text_ends"], row)
    logprobs = None
    if "logprobs" in shard:
        tokens, values = shard["logprob_ids"][start:end].tolist(), shard["logprobs"][start:end].tolist()
        logprobs = tuple(tuple(zip(*step, strict=True)) for step in zip(tokens, values, strict=True))
    return Completion(
        tuple(shard["ids"][start:end].tolist()),
        shard["text"][first:last].tobytes().decode("utf-8", "surrogatepass"),
        "stop" if shard["finish"][row] == 0 else "length",
        logprobs,
    )


def _run(ends: NDArray[Any], row: int) -> tuple[int, int]:
    return (int(ends[row - 1]) if row else 0), int(ends[row])


def _write(path: Path, data: bytes) -> None:
    """Beside, flushed, renamed: the name exists only with the whole content."""
    try:  # a full disk is the one thing that a person can do something about
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        raise StoreError(f"{path.parent} could not be written: {error.strerror}. What was there is whole.") from error
