"""Examples on disk are the examples that were written."""

import numpy as np
import pytest

from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples

FIRST = [
    Example((Segment("prompt", (1, 2, 3), 0.0), Segment("reference", (4, 5)), Segment("end", (2,))), "a"),
    Example((Segment("prompt", (7,), 0.0), Segment("reference", (8,), 0.5)), "b"),
]
SECOND = [Example((Segment("replay", (151_000, 9)), Segment("prompt", (1,), 0.0)), "c")]


def test_example():
    assert FIRST[0].ids == (1, 2, 3, 4, 5, 2)
    assert len(FIRST[0]) == 6
    assert [example.trained for example in (*FIRST, *SECOND)] == [3, 1, 2]


def test_round_trip(tmp_path):
    """Over two chunks whose segments are not the same."""
    write_examples(tmp_path, 1, SECOND)
    write_examples(tmp_path, 0, FIRST)
    table = ExampleTable(tmp_path)
    assert len(table) == 3
    assert table.lengths.tolist() == [6, 2, 3]
    for row, example in zip(table, [*FIRST, *SECOND], strict=True):
        assert tuple(row.ids.tolist()) == example.ids
        assert row.ids.dtype == np.int32
        written = [
            (table.names[segment], weight) for segment, weight in zip(row.segments, row.weights.tolist(), strict=True)
        ]
        assert written == [(part.name, part.weight) for part in example.segments for _ in part.ids]


def test_outside_of_the_table(tmp_path):
    write_examples(tmp_path, 0, FIRST)
    with pytest.raises(IndexError, match="example 2 of 2"):
        ExampleTable(tmp_path)[2]


def test_empty_tables(tmp_path):
    assert len(ExampleTable(tmp_path)) == 0
    assert ExampleTable(tmp_path).lengths.tolist() == []
    write_examples(tmp_path, 0, [])
    write_examples(tmp_path, 1, SECOND)
    table = ExampleTable(tmp_path)
    assert [tuple(row.ids.tolist()) for row in table] == [SECOND[0].ids]
