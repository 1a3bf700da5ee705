"""Training examples: token ids in named, weighted segments, and their form on disk.

Every token of an example belongs to one segment. A weight of 0 means "seen, not trained" (the prompt). On disk a
table of examples is a handful of flat arrays, so that any number of examples can be read through a memory map.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = tuple[int, ...]

SEGMENTS = ("prompt", "reference", "rationale", "own", "answer", "replay", "end")
"""Names of segments that methods make."""

ARRAYS = ("ids", "segments", "weights", "offsets")
MAPPED = 8192  # chunks at once, of four maps each: half of what Linux lets a process have


@dataclass(frozen=True, slots=True)
class Segment:
    """A named run of tokens with a weight. In the papers' loss, everything but the prompt has weight 1."""

    name: str
    ids: Ids
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """What a model is trained on: segments in the order of the text. Empty segments are left out."""

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
class AnsweredPrompt:
    """A prompt and what was answered."""

    prompt: Ids
    answer: Ids


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One example of a table, as arrays with one entry per token."""

    ids: NDArray[np.int32]
    segments: NDArray[np.uint8]  # index into the table's names
    weights: NDArray[np.float32]
    replay: bool = False
    """Whether it is learnt beside the task, with a mean of its own."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The arrays of one chunk; an example is the tokens between two offsets."""

    ids: NDArray[np.int32]
    segments: NDArray[np.uint8]
    weights: NDArray[np.float32]
    offsets: NDArray[np.int64]
    recode: NDArray[np.uint8]  # of the chunk's segments: their index into the table's names


class ExampleTable:
    """Examples on disk, in the order in which they were written; one folder per chunk.

    A chunk is mapped when it is first read, and keeps no file open, since a process may open only a limited number.
    Maps are limited as well, so with very many chunks some are unmapped and mapped again when needed.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.names: list[str] = []
        self._parts = sorted(path for path in folder.iterdir() if path.is_dir())
        self._recodes: list[NDArray[np.uint8]] = []
        starts = [0]
        for part in self._parts:
            names = json.loads((part / "names.json").read_text(encoding="utf-8"))
            self.names += [name for name in names if name not in self.names]
            self._recodes.append(np.array([self.names.index(name) for name in names], dtype=np.uint8))
            starts.append(starts[-1] + len(_mapped(part / "offsets.npy")) - 1)
        self._starts = np.array(starts)
        self._chunks: dict[int, _Chunk] = {}

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each example."""
        lengths = [np.diff(_mapped(part / "offsets.npy")) for part in self._parts]
        return np.concatenate([np.zeros(0, dtype=np.int64), *lengths])

    @property
    def highest(self) -> int:
        """The highest token id; -1 if there are no examples."""
        chunks = map(self._chunk, range(len(self._parts)))
        return max((int(chunk.ids.max()) for chunk in chunks if chunk.ids.size), default=-1)

    @property
    def keys(self) -> list[str]:
        """The keys of the examples, which say what record each was made from."""
        return [key for part in self._parts for key in json.loads((part / "keys.json").read_text(encoding="utf-8"))]

    def trained(self, weighted: Collection[str] = ()) -> tuple[dict[str, int], int]:
        """The number of trained tokens of each segment, and the number of examples without any.

        Segments that are `weighted` are trained whatever their weight is here. The first token of an example is never
        trained, since nothing comes before it to predict it from.
        """
        given = np.array([name in weighted for name in self.names], dtype=bool)
        counts = np.zeros(len(self.names), dtype=np.int64)
        empty = 0
        for chunk in map(self._chunk, range(len(self._parts))):
            live = (chunk.weights > 0) | given[chunk.recode[chunk.segments]]
            live[chunk.offsets[:-1]] = False
            counts += np.bincount(chunk.recode[chunk.segments[live]], minlength=len(self.names))
            empty += int((np.diff(np.concatenate([[0], np.cumsum(live)])[chunk.offsets]) == 0).sum())
        return dict(zip(self.names, counts.tolist(), strict=True)), empty

    def __getitem__(self, index: int) -> ExampleRow:
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        chunk = self._chunk(at)
        start, end = chunk.offsets[index - self._starts[at] : index - self._starts[at] + 2]
        return ExampleRow(chunk.ids[start:end], chunk.recode[chunk.segments[start:end]], chunk.weights[start:end])

    def __iter__(self) -> Iterator[ExampleRow]:
        return (self[index] for index in range(len(self)))

    def _chunk(self, at: int) -> _Chunk:
        found = self._chunks.get(at)
        if found is None:
            if len(self._chunks) == MAPPED:
                del self._chunks[next(iter(self._chunks))]  # that has been mapped longest
            ids, segments, weights, offsets = (_mapped(self._parts[at] / f"{name}.npy") for name in ARRAYS)
            found = self._chunks[at] = _Chunk(ids, segments, weights, offsets, self._recodes[at])
        return found


def _mapped(path: Path) -> NDArray[Any]:
    """The array in a numpy file, through a memory map. Unlike numpy's own, it closes the file."""
    from pyarrow import memory_map

    with memory_map(str(path)) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read_header(file)
        return np.frombuffer(file.read_buffer(), dtype=kind).reshape(shape)


def write_examples(folder: Path, chunk: int, examples: Sequence[Example]) -> None:
    """Writes one chunk of examples below `folder`."""
    part = folder / f"{chunk:06d}"
    part.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(segment.name for example in examples for segment in example.segments))
    segments = [segment for example in examples for segment in example.segments]
    lengths = [len(segment.ids) for segment in segments]
    np.save(part / "ids.npy", _flat(segment.ids for segment in segments))
    np.save(part / "segments.npy", np.repeat([names.index(s.name) for s in segments], lengths).astype(np.uint8))
    np.save(part / "weights.npy", np.repeat([s.weight for s in segments], lengths).astype(np.float32))
    np.save(part / "offsets.npy", np.cumsum([0, *(len(example) for example in examples)], dtype=np.int64))
    (part / "names.json").write_text(json.dumps(names), encoding="utf-8")
    (part / "keys.json").write_text(json.dumps([example.key for example in examples]), encoding="utf-8")


def _flat(runs: Iterable[Ids]) -> NDArray[np.int32]:
    return np.fromiter((token for run in runs for token in run), dtype=np.int32)
