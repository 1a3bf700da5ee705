"""Completions as the bytes of a Parquet file, and back.

A shard explains itself to any reader of Parquet. Its columns: `key` (16 bytes of the sha256 of the prompt's ids as
int32), `prompt` and `ids` (token ids), `text`, `finish`, `seconds`, `made_in`, and `text_bytes`, present only for
texts that are not valid Unicode (half a character, held as a surrogate). Where log-probabilities were asked for,
`logprob_ids` and `logprobs` hold `logprobs_width` (in the metadata) values for each generated token, the most likely
first, padded with id -1.
"""

from array import array
from collections.abc import Sequence
from hashlib import sha256
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dragoman.generation.ask import Completion, Ids

if TYPE_CHECKING:
    from pyarrow import ChunkedArray, DataType, ListArray, Table

KEY_BYTES = 16
_WIDTH = b"logprobs_width"
_NONE = -1


def keys(prompts: Sequence[Ids]) -> NDArray[np.uint8]:
    """The cache key of each prompt.  # [prompts, KEY_BYTES]"""
    digests = b"".join(sha256(array("i", prompt)).digest()[:KEY_BYTES] for prompt in prompts)
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, KEY_BYTES)


def pack(done: Sequence[tuple[Ids, Completion]], known_by: NDArray[np.uint8]) -> bytes:
    """The bytes of a shard. `known_by` are the prompts' keys."""
    import pyarrow as pa
    from pyarrow import parquet

    answers = [completion for _, completion in done]
    texts = [completion.text for completion in answers]
    odd = [None if _is_unicode(text) else text.encode("utf-8", "surrogatepass") for text in texts]
    readable = [text if raw is None else raw.decode("utf-8", "replace") for text, raw in zip(texts, odd, strict=True)]
    columns = {
        "key": pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(KEY_BYTES), len(done), [None, pa.py_buffer(known_by.tobytes())]
        ),
        "prompt": _lists([prompt for prompt, _ in done], pa.int32()),
        "ids": _lists([completion.ids for completion in answers], pa.int32()),
        "text": pa.array(readable, pa.string()),
        "text_bytes": pa.array(odd, pa.binary()),
        "finish": pa.array([completion.finish for completion in answers], pa.string()),
        "seconds": pa.array([completion.seconds for completion in answers], pa.float32()),
        "made_in": pa.array([completion.made_in for completion in answers], pa.string()),
    }
    metadata = {}
    steps = [completion.logprobs for completion in answers]
    if any(step is not None for step in steps):
        width = max((len(step) for row in steps for step in row or ()), default=0)
        filled = [None if row is None else _filled(row, width) for row in steps]
        columns["logprob_ids"] = _lists(
            [None if row is None else [token for token, _ in row] for row in filled], pa.int32()
        )
        columns["logprobs"] = _lists(
            [None if row is None else [value for _, value in row] for row in filled], pa.float32()
        )
        metadata[_WIDTH] = str(width).encode()
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns, metadata=metadata), sink, compression="zstd")
    return bytes(sink.getvalue())


def unpack(data: bytes, columns: Sequence[str] | None = None) -> "Table":
    """The table in a shard's bytes, or some of its columns; input for `table_keys` and `completions`."""
    import pyarrow as pa
    from pyarrow import parquet

    return parquet.ParquetFile(pa.BufferReader(data)).read(
        columns, use_threads=False
    )  # for so little data, threads only cost time


def table_keys(table: "Table") -> NDArray[np.uint8]:
    """The keys of a shard's rows.  # [rows, KEY_BYTES]"""
    column = table["key"].combine_chunks()
    start = column.offset * KEY_BYTES
    raw = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    return raw[start : start + len(column) * KEY_BYTES].reshape(-1, KEY_BYTES)


def completions(table: "Table", rows: NDArray[np.int64]) -> list[Completion]:
    """The completions in these rows of a shard."""
    if len(rows) < len(table):
        table, rows = table.take(rows), np.arange(len(rows))
    ids, texts, finishes = _tuples(table["ids"]), table["text"].to_pylist(), table["finish"].to_pylist()
    if table["text_bytes"].null_count < len(table):
        for row, raw in enumerate(table["text_bytes"].to_pylist()):
            texts[row] = texts[row] if raw is None else raw.decode("utf-8", "surrogatepass")
    seconds = table["seconds"].to_pylist()
    likely = _steps(table) if "logprobs" in table.column_names else [None] * len(table)
    made_in = (
        table["made_in"].to_pylist() if "made_in" in table.column_names else [""] * len(table)
    )  # older shards have none
    return [
        Completion(ids[row], texts[row], finishes[row], likely[row], seconds[row], made_in=made_in[row])
        for row in rows.tolist()
    ]


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _filled(steps: Sequence[Sequence[tuple[int, float]]], width: int) -> list[tuple[int, float]]:
    """The log-probabilities of one completion as a flat list, each step padded to `width`."""
    nothing = (_NONE, float("-inf"))
    return [pair for step in steps for pair in (*step, *[nothing] * (width - len(step)))]


def _lists(rows: Sequence[Sequence[float] | None], kind: "DataType") -> "ListArray":
    """A list column of flat values; a row may be None."""
    import pyarrow as pa

    lengths = np.array([0, *(len(row or ()) for row in rows)], dtype=np.int32)
    values = np.fromiter(chain.from_iterable(row or () for row in rows), dtype=kind.to_pandas_dtype())
    missing = np.array([row is None for row in rows])
    mask = pa.array(missing) if missing.any() else None
    return pa.ListArray.from_arrays(pa.array(np.cumsum(lengths, dtype=np.int32)), pa.array(values), mask=mask)


def _tuples(column: "ChunkedArray") -> list[tuple[Any, ...]]:
    """The rows of a list column; None counts as empty."""
    column = column.combine_chunks()
    ends, values = column.offsets.tolist(), column.values.to_numpy(zero_copy_only=False).tolist()
    return [tuple(values[start:end]) for start, end in pairwise(ends)]


def _steps(table: "Table") -> list[tuple[tuple[tuple[int, float], ...], ...] | None]:
    """The log-probabilities of each row, step by step."""
    width = int(table.schema.metadata[_WIDTH])
    found: list[tuple[tuple[tuple[int, float], ...], ...] | None] = []
    known = table["logprob_ids"].combine_chunks().is_valid().to_pylist()
    for tokens, values, ids, valid in zip(
        _tuples(table["logprob_ids"]), _tuples(table["logprobs"]), table["ids"].to_pylist(), known, strict=True
    ):
        if not valid:
            found.append(None)
            continue
        pairs = list(zip(tokens, values, strict=True))
        steps = (pairs[start : start + width] for start in range(0, len(ids) * width, width or 1))
        found.append(tuple(tuple(pair for pair in step if pair[0] != _NONE) for step in steps))
    return found
