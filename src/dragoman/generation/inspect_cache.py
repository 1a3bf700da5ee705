"""Inspecting the completion cache: its groups and samples of what they hold, for a person to read."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dragoman.generation.ask import Completion, Ids
from dragoman.generation.batches import Ended
from dragoman.generation.cache import shards
from dragoman.generation.cache.storage import shelf_at
from dragoman.json_values import JsonObject

LOOKED_AT = 64  # shards of a group that are read


@dataclass(frozen=True, slots=True)
class Kept:
    """One group: a model under one sampling. `ended` counts only completions in shards that were read."""

    model: str
    sampling: JsonObject
    address: str
    shards: int
    ended: Ended
    tokens: int
    samples: list[tuple[Ids, Completion]]


def kept(folder: Path | str, samples: int) -> Iterator[Kept]:
    """The groups in a cache, each with some of its completions. StoreError if the cache cannot be read."""
    for name in shelf_at(folder, "").names():
        shelf = shelf_at(folder, name)
        about = dict(shelf.read(["group.json"])).get("group.json") if "." not in name else None
        if about is None or hashlib.sha256(about).hexdigest()[: len(name)] != name:
            continue  # nothing of ours, or damaged
        group = json.loads(about)
        names = [name for name in shelf.names() if name.endswith(".parquet")]
        ended, tokens, shown = Ended(bool(group["sampling"].get("heal"))), 0, list[tuple[Ids, Completion]]()
        for _, data in shelf.read(names[:LOOKED_AT]):
            if data is None:
                continue
            table = shards.unpack(data)
            found = shards.completions(table, np.arange(len(table)))
            for completion in found:
                ended.count(completion)
                tokens += len(completion.ids)
            prompts = map(tuple, table["prompt"].slice(0, samples - len(shown)).to_pylist())
            shown += zip(prompts, found, strict=False)
        yield Kept(group["model"], group["sampling"], shelf.path("").rstrip("/"), len(names), ended, tokens, shown)
