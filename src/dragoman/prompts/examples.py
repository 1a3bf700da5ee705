"""Training examples: token ids cut into named, weighted segments, and their form on disk.

Every token of an example belongs to one segment. A weight of 0 means "seen, not trained" (the
prompt). On disk a table of examples is a handful of flat arrays, so that any number of examples is
read through a memory map.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A named run of tokens. The papers' own loss has weight 1 on everything but the prompt."""

    name: str
    ids: Ids
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """What the model is trained on: segments in the order of the text. Empty segments are left out."""

    segments: tuple[Segment, ...]
    key: str = ""

    @property
    def ids(self) -> Ids:
        return tuple(token for segment in self.segments for token in segment.ids)

    def __len__(self) -> int:
        return sum(len(segment.ids) for segment in self.segments)

    @property
    def trained(self) -> int:
        """How many tokens carry a loss."""
        return sum(len(segment.ids) for segment in self.segments if segment.weight)


@dataclass(frozen=True, slots=True)
class Row:
    """One example of a table, as arrays of one entry a token."""

    ids: NDArray[np.int32]
    segments: NDArray[np.uint8]  # index into the table's names
    weights: NDArray[np.float32]


class ExampleTable:
    """Examples on disk, in the order in which they were written; one folder a chunk."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._parts: list[dict[str, Any]] = []
        self.names: list[str] = []
        starts = [0]
        for part in sorted(path for path in folder.iterdir() if path.is_dir()):
            names = json.loads((part / "names.json").read_text(encoding="utf-8"))
            self.names += [name for name in names if name not in self.names]
            arrays: dict[str, Any] = {
                name: np.load(part / f"{name}.npy", mmap_mode="r") for name in ("ids", "segments", "weights", "offsets")
            }
            arrays["recode"] = np.array([self.names.index(name) for name in names], dtype=np.uint8)
            self._parts.append(arrays)
            starts.append(starts[-1] + len(arrays["offsets"]) - 1)
        self._starts = np.array(starts)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each example."""
        if not self._parts:
            return np.zeros(0, dtype=np.int64)
        return np.concatenate([np.diff(part["offsets"]) for part in self._parts])

    @property
    def keys(self) -> list[str]:
        """The examples' names, which say of what record each was made."""
        parts = sorted(path for path in self.folder.iterdir() if path.is_dir())
        return [key for part in parts for key in json.loads((part / "keys.json").read_text(encoding="utf-8"))]

    def trained(self) -> tuple[dict[str, int], int]:
        """Trained tokens of each segment, and how many examples have none.

        The first token of an example is predicted from nothing, so it is never trained.
        """
        counts = np.zeros(len(self.names), dtype=np.int64)
        empty = 0
        for part in self._parts:
            live = part["weights"] > 0
            live[part["offsets"][:-1]] = False
            counts += np.bincount(part["recode"][part["segments"][live]], minlength=len(self.names))
            empty += int((np.diff(np.concatenate([[0], np.cumsum(live)])[part["offsets"]]) == 0).sum())
        return dict(zip(self.names, counts.tolist(), strict=True)), empty

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        part = self._parts[at]
        start, end = part["offsets"][index - self._starts[at] : index - self._starts[at] + 2]
        return Row(part["ids"][start:end], part["recode"][part["segments"][start:end]], part["weights"][start:end])

    def __iter__(self) -> Iterator[Row]:
        return (self[index] for index in range(len(self)))


def write_examples(folder: Path, chunk: int, examples: Sequence[Example]) -> None:
    """Writes one chunk of examples below `folder`."""
    part = folder / f"{chunk:06d}"
    part.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(segment.name for example in examples for segment in example.segments))
    segments = [segment for example in examples for segment in example.segments]
    lengths = [len(segment.ids) for segment in segments]
    np.save(part / "ids.npy", _flat((segment.ids for segment in segments), np.int32))
    np.save(part / "segments.npy", np.repeat([names.index(s.name) for s in segments], lengths).astype(np.uint8))
    np.save(part / "weights.npy", np.repeat([s.weight for s in segments], lengths).astype(np.float32))
    np.save(part / "offsets.npy", np.cumsum([0, *(len(example) for example in examples)], dtype=np.int64))
    (part / "names.json").write_text(json.dumps(names), encoding="utf-8")
    (part / "keys.json").write_text(json.dumps([example.key for example in examples]), encoding="utf-8")


def _flat(runs: Iterable[Ids], kind: type) -> NDArray[Any]:
    return np.fromiter((token for run in runs for token in run), dtype=kind)
