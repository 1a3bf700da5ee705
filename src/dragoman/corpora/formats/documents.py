"""Documents: plain text, one document after another, however large the file.

    .jsonl, .json       objects with the text in a field
    .parquet            rows with the text in a column
    any other           one document a line

All but Parquet may be compressed (`.gz`, `.bz2`, `.xz`, `.zst`). Of a folder, all such files below it are read, in the
order of their names.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dragoman.corpora.formats.text import ending, lines
from dragoman.corpora.formats.values import json_records, parquet_records
from dragoman.errors import DataError
from dragoman.paths import below, existing

KINDS = (".txt", ".jsonl", ".json", ".parquet")
"""Endings of the files that are read of a folder."""


def files(path: Path, dropped: Counter[str] | None = None) -> tuple[Path, ...]:
    """The file, or all files with documents below the folder; others there are counted in `dropped`.

    `DataError` if there is none.
    """
    if not path.is_dir():
        return (existing(path),)
    there = below(path)
    found = tuple(one for one in there if ending(one.name) in KINDS)
    if not found:
        raise DataError(f"{path}: in this folder there is no file with documents ({', '.join(KINDS)}, or compressed)")
    if dropped is not None:
        dropped["files of another kind"] += len(there) - len(found)
    return found


def read(path: Path, field: str = "text", dropped: Counter[str] | None = None) -> Iterator[str]:
    """The documents of a file, without white space around them.

    Empty ones, and those with half a character, are left out and counted in `dropped`. `DataError` names file and line
    of anything that is wrong.
    """
    dropped = Counter() if dropped is None else dropped
    for text in _texts(path, field, dropped):
        if text := text.strip():
            yield text
        else:
            dropped["empty"] += 1


def _texts(path: Path, field: str, dropped: Counter[str]) -> Iterator[str]:
    kind = ending(path.name)
    if kind not in (".jsonl", ".json", ".parquet"):
        yield from (line for _, line in lines(path))
        return
    for place, record in parquet_records(path) if kind == ".parquet" else json_records(path, dropped=dropped):
        text = record.get(field)
        if isinstance(text, str):
            yield text
        elif field in record:
            raise DataError(f"{place}: {field!r} is no text, and a document is needed there")
        else:
            raise DataError(
                f"{place}: no field {field!r}; there is {', '.join(map(repr, record)) or 'nothing'}. Name the one with "
                "the text, as in `field: content`."
            )
