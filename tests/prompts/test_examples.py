"""Examples on disk are the examples that were written."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.prompts import examples
from dragoman.prompts.examples import Example, ExampleTable, Segment, write_examples

FIRST = [
    Example((Segment("prompt", (1, 2, 3), 0.0), Segment("reference", (4, 5)), Segment("end", (2,))), "a"),
    Example((Segment("prompt", (7,), 0.0), Segment("reference", (8,), 0.5)), "b"),
]
SECOND = [Example((Segment("replay", (151_000, 9)), Segment("prompt", (1,), 0.0)), "c")]


def test_example() -> None:
    assert FIRST[0].ids == (1, 2, 3, 4, 5, 2)
    assert len(FIRST[0]) == 6
    assert [example.trained for example in (*FIRST, *SECOND)] == [3, 1, 2]


def test_round_trip(tmp_path: Path) -> None:
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


def test_log_probabilities_are_written_beside_their_tokens_and_only_where_there_are_some(tmp_path: Path) -> None:
    """With places that have fewer than others, and some that have none."""
    steps = (((4, -0.5), (9, -1.5)), (), ((151_500, -0.25),))
    likely = Example(
        (Segment("prompt", (1, 2)), Segment("rationale", (4, 5, 6, 7), logprobs=steps), Segment("end", (2,))), "d"
    )
    write_examples(tmp_path, 0, FIRST)
    write_examples(tmp_path, 1, [*SECOND, likely, replace(likely, key="e")])
    plain, kept = ({path.name for path in (tmp_path / part).iterdir()} for part in ("000000", "000001"))
    assert kept - plain == {"likely_places.npy", "likely_ids.npy", "likely_logprobs.npy"}
    table = ExampleTable(tmp_path)
    assert [row.likely is None for row in table] == [True, True, False, False, False]
    none, *rows = (row.likely for row in list(table)[2:])
    assert none is not None
    assert len(none.places) == 0
    for row in rows:
        assert row is not None
        assert row.places.tolist() == [2, 4]
        assert row.ids.tolist() == [[4, 9], [151_500, 0]]
        assert row.logprobs.tolist() == [[-0.5, -1.5], [-0.25, -np.inf]]
        assert (row.ids.dtype, row.logprobs.dtype) == (np.int32, np.float32)
    assert table.with_logprobs() == {"prompt": 0, "reference": 0, "end": 0, "replay": 0, "rationale": 4}
    assert table.highest == 151_500


def test_outside_of_the_table(tmp_path: Path) -> None:
    write_examples(tmp_path, 0, FIRST)
    with pytest.raises(IndexError, match="example 2 of 2"):
        ExampleTable(tmp_path)[2]


def test_empty_tables(tmp_path: Path) -> None:
    assert len(ExampleTable(tmp_path)) == 0
    assert ExampleTable(tmp_path).lengths.tolist() == []
    write_examples(tmp_path, 0, [])
    write_examples(tmp_path, 1, SECOND)
    table = ExampleTable(tmp_path)
    assert [tuple(row.ids.tolist()) for row in table] == [SECOND[0].ids]


FEW_FILES = """
import resource, sys
from pathlib import Path
import numpy as np
from dragoman.prompts.examples import ExampleTable

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
table = ExampleTable(Path(sys.argv[1]))
order = np.random.default_rng(0).permutation(len(table)).tolist()
print(len(table), sum(int(table[at].ids.sum()) for at in order), int(table.lengths.sum()), table.trained()[0])
"""


def test_thousands_of_chunks_where_a_process_may_open_few_files(tmp_path: Path) -> None:
    first = tmp_path / "000000"
    write_examples(tmp_path, 0, FIRST)
    for chunk in range(1, 2000):
        part = tmp_path / f"{chunk:06d}"
        part.mkdir()
        for path in first.iterdir():
            os.link(path, part / path.name)
    ran = subprocess.run([sys.executable, "-c", FEW_FILES, tmp_path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    trained = {"prompt": 0, "reference": 3 * 2000, "end": 2000}
    assert ran.stdout.strip() == f"{2 * 2000} {(17 + 15) * 2000} {8 * 2000} {trained}"


def test_chunks_that_had_to_go_are_mapped_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "MAPPED", 2)
    for chunk in range(4):
        write_examples(tmp_path, chunk, [Example((Segment("reference", (chunk, chunk + 1)),))])
    table = ExampleTable(tmp_path)
    for at in [0, 3, 1, 2, 0, 2, 3, 1, 0]:
        assert table[at].ids.tolist() == [at, at + 1]
    kept = table[0]
    assert [row.ids.tolist() for row in table] == [[at, at + 1] for at in range(4)]
    assert kept.ids.tolist() == [0, 1]  # whoever holds a row still has it
