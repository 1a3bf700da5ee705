"""Shards: every completion comes back as it was, and any reader of Parquet understands them."""

import hashlib
import io
import math

import numpy as np
import pandas
import pytest

from dragoman.generation.ask import Completion, Ids
from dragoman.generation.cache import shards

Done = list[tuple[Ids, Completion]]

PLAIN: Done = [
    ((1, 2, 3), Completion((7, 8, 2), "two words", "stop", seconds=0.25)),
    ((2**31 - 1,), Completion((), "", "length")),
    ((5,), Completion((9,), "für \u2028\n\x00 𝄞", "length", seconds=12.5)),
]
BROKEN: Done = [
    ((1,), Completion((7,), "a half \ud834 and its other \udd1e", "length")),
    ((2,), Completion((7,), "whole", "length")),
    ((3,), Completion((7,), "\udce4", "length")),
]
LIKELY: Done = [
    ((1,), Completion((7, 2), "a", "stop", (((7, -0.5), (8, -1.25)), ((2, -0.125), (9, -3.0))))),
    ((2,), Completion((7,), "b", "length", (((7, -0.5), (8, -1.25), (1, -2.0)),))),  # a server gave one more
    ((3,), Completion((7, 8), "c", "length", (((7, -0.5),), ()))),  # or fewer
    ((4,), Completion((), "", "length", ())),
    ((5,), Completion((6,), "d", "length", None)),  # or none
]


def packed(done: Done) -> bytes:
    return shards.pack(done, shards.keys([prompt for prompt, _ in done]))


@pytest.mark.parametrize("done", [PLAIN, BROKEN, LIKELY, LIKELY[4:], LIKELY[3:4], [*PLAIN, *LIKELY]])
@pytest.mark.parametrize("order", [1, -1])
def test_what_goes_in_comes_out(done: Done, order: int) -> None:
    table = shards.unpack(packed(done))
    rows = np.arange(len(done))[::order]
    expected = [completion for _, completion in done][::order]
    found = shards.completions(table, rows)
    assert found == expected
    assert [one.seconds for one in found] == [one.seconds for one in expected]
    assert shards.completions(table, rows[:1]) == expected[:1]
    assert shards.completions(table, rows[:0]) == []
    assert (shards.table_keys(table) == shards.keys([prompt for prompt, _ in done])).all()


def test_keys_are_hashes_of_int32() -> None:
    key = hashlib.sha256(np.array([1, 70_000], "<i4").tobytes()).digest()[:16]
    assert shards.keys([(5,), (1, 70_000)])[1].tobytes() == key
    assert shards.keys([]).shape == (0, 16)


def test_pandas_reads_a_shard() -> None:
    frame = pandas.read_parquet(io.BytesIO(packed(PLAIN)))
    assert list(frame) == ["key", "prompt", "ids", "text", "text_bytes", "finish", "seconds", "made_in"]
    assert frame["text"].tolist() == [completion.text for _, completion in PLAIN]
    assert frame["ids"].map(list).tolist() == [[7, 8, 2], [], [9]]
    assert frame["prompt"].map(list).tolist() == [[1, 2, 3], [2**31 - 1], [5]]
    assert frame["seconds"].tolist() == [0.25, 0.0, 12.5]


def test_a_text_that_is_no_unicode_is_readable_and_whole() -> None:
    frame = pandas.read_parquet(io.BytesIO(packed(BROKEN)))
    assert [text.replace("�", "") for text in frame["text"]] == ["a half  and its other ", "whole", ""]
    assert frame["text_bytes"].isna().tolist() == [False, True, False]
    assert frame["text_bytes"][2].decode("utf-8", "surrogatepass") == "\udce4"


def test_log_probabilities_lie_flat() -> None:
    frame = pandas.read_parquet(io.BytesIO(packed(LIKELY)))
    assert list(frame["logprob_ids"][0]) == [7, 8, -1, 2, 9, -1]
    assert list(frame["logprobs"][0]) == [-0.5, -1.25, -math.inf, -0.125, -3.0, -math.inf]
    assert shards.unpack(packed(LIKELY)).schema.metadata == {b"logprobs_width": b"3"}
    assert frame["logprobs"].isna().tolist() == [False, False, False, False, True]
