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
Logprobs = tuple[tuple[tuple[int, float], ...], ...]
"""For one token after another: the likeliest ones at its place, each with its log-probability."""

SEGMENTS = ("prompt", "reference", "rationale", "own", "answer", "replay", "text", "chosen", "rejected", "end")
"""Names of segments that methods make."""

ARRAYS = ("ids", "segments", "weights", "offsets")
LIKELY = ("likely_places", "likely_ids", "likely_logprobs")  # where log-probabilities were kept
MAPPED = 8192  # chunks at once, of seven maps each at most: Linux lets a process have 65,530


@dataclass(frozen=True, slots=True)
class Segment:
    """A named run of tokens with a weight. In the papers' loss, everything but the prompt has weight 1."""

    name: str
    ids: Ids
    weight: float = 1.0
    logprobs: Logprobs = ()
    """What the backbone found likely when it wrote these ids, as far as that was kept."""


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
class Likely:
    """The likeliest tokens at some places, as the backbone found them when it wrote what stands there."""

    places: NDArray[np.int64]  # [kept], increasing
    ids: NDArray[np.int32]  # [kept, K]
    logprobs: NDArray[np.float32]  # [kept, K], of the whole vocabulary at temperature 1; -inf: fewer than K were kept


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """One example of a table, as arrays with one entry per token."""

    ids: NDArray[np.int32]
    segments: NDArray[np.uint8]  # index into the table's names
    weights: NDArray[np.float32]
    replay: bool = False
    """Whether it is learnt beside the task, with a mean of its own."""
    likely: Likely | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The arrays of one chunk; an example is the tokens between two offsets."""

    ids: NDArray[np.int32]
    segments: NDArray[np.uint8]
    weights: NDArray[np.float32]
    offsets: NDArray[np.int64]
    recode: NDArray[np.uint8]  # of the chunk's segments: their index into the table's names
    likely: Likely | None


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
        """The highest token id, also of those that were likely; -1 if there are no examples."""
        chunks = map(self._chunk, range(len(self._parts)))
        arrays = (ids for chunk in chunks for ids in (chunk.ids, *([chunk.likely.ids] if chunk.likely else [])))
        return max((int(ids.max()) for ids in arrays if ids.size), default=-1)

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

    def with_logprobs(self) -> dict[str, int]:
        """The number of tokens of each segment whose log-probabilities were kept."""
        counts = np.zeros(len(self.names), dtype=np.int64)
        for chunk in map(self._chunk, range(len(self._parts))):
            if chunk.likely:
                counts += np.bincount(chunk.recode[chunk.segments[chunk.likely.places]], minlength=len(self.names))
        return dict(zip(self.names, counts.tolist(), strict=True))

    def __getitem__(self, index: int) -> ExampleRow:
        if not 0 <= index < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        chunk = self._chunk(at)
        start, end = chunk.offsets[index - self._starts[at] : index - self._starts[at] + 2]
        likely = chunk.likely
        if likely:
            kept = slice(*np.searchsorted(likely.places, (start, end)))
            likely = Likely(likely.places[kept] - start, likely.ids[kept], likely.logprobs[kept])
        segments = chunk.recode[chunk.segments[start:end]]
        return ExampleRow(chunk.ids[start:end], segments, chunk.weights[start:end], likely=likely)

    def __iter__(self) -> Iterator[ExampleRow]:
        return (self[index] for index in range(len(self)))

    def _chunk(self, at: int) -> _Chunk:
        found = self._chunks.get(at)
        if found is None:
            if len(self._chunks) == MAPPED:
                del self._chunks[next(iter(self._chunks))]  # that has been mapped longest
            part = self._parts[at]
            ids, segments, weights, offsets = (_mapped(part / f"{name}.npy") for name in ARRAYS)
            kept = (part / f"{LIKELY[0]}.npy").is_file()
            likely = Likely(*(_mapped(part / f"{name}.npy") for name in LIKELY)) if kept else None
            found = self._chunks[at] = _Chunk(ids, segments, weights, offsets, self._recodes[at], likely)
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
    if any(any(segment.logprobs) for segment in segments):
        likely = _likely(segments, np.cumsum([0, *lengths]).tolist())
        np.save(part / "likely_places.npy", likely.places)
        np.save(part / "likely_ids.npy", likely.ids)
        np.save(part / "likely_logprobs.npy", likely.logprobs)
    (part / "names.json").write_text(json.dumps(names), encoding="utf-8")
    (part / "keys.json").write_text(json.dumps([example.key for example in examples]), encoding="utf-8")


def _flat(runs: Iterable[Ids]) -> NDArray[np.int32]:
    return np.fromiter((token for run in runs for token in run), dtype=np.int32)


def _likely(segments: Sequence[Segment], starts: Sequence[int]) -> Likely:
    """The likeliest tokens at all places that have some."""
    kept = [
        (start + at, step)
        for start, segment in zip(starts, segments, strict=False)
        for at, step in enumerate(segment.logprobs)
        if step
    ]
    shape = len(kept), max(len(step) for _, step in kept)
    ids, logprobs = np.zeros(shape, dtype=np.int32), np.full(shape, -np.inf, dtype=np.float32)
    for row, (_, step) in enumerate(kept):
        ids[row, : len(step)], logprobs[row, : len(step)] = zip(*step, strict=True)
    return Likely(np.array([place for place, _ in kept], dtype=np.int64), ids, logprobs)
