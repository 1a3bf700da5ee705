"""Aligned text: two files, or two columns, whose lines are translations of each other; and their documents."""

import re
from collections.abc import Iterator
from itertools import islice, repeat, zip_longest
from pathlib import Path

from dragoman.corpora.formats.text import called, lines
from dragoman.errors import DataError

GLANCE = 1000  # lines of a .tsv within which a first document ends, if it tells documents apart


def aligned(
    source: tuple[Path, str],
    target: tuple[Path, str],
    ids: tuple[Path, str] | None = None,
    documents: Path | None = None,
) -> Iterator[tuple[str, str, str]]:
    """Two texts line by line, with each line's document from a third file: an OPUS `.ids`, or `documents`."""
    left, right = lines(*source), lines(*target)
    named: Iterator[str] = _documents(*ids) if ids else repeat("")
    if documents:
        ids, named = (documents, ""), _first_column(documents)
    for one, other in zip_longest(left, right):
        if one is None or other is None:
            number, _ = one or other or (0, "")
            longer = number + sum(1 for _ in (right if one is None else left))
            counts = (number - 1, longer) if one is None else (longer, number - 1)
            raise DataError(
                f"two files of different length: {called(*source)} has {counts[0]:,} lines, {called(*target)} has "
                f"{counts[1]:,}. Line by line they must be translations of each other."
            )
        document = next(named, None)
        if document is None:
            raise DataError(_unfit(ids, f"it ends after line {one[0] - 1:,}, and the text goes on"))
        yield one[1], other[1], document
    if ids and next(named, None) is not None:
        raise DataError(_unfit(ids, "the text ends, and it goes on"))


def _documents(path: Path, member: str) -> Iterator[str]:
    """The document of each line from an OPUS `.ids`: four columns with documents and sentence numbers of both sides."""
    for number, line in lines(path, member):
        cells = line.split("\t")
        if len(cells) != 4:
            counted = f"{len(cells)} column{'s' * (len(cells) != 1)}"
            where = f"line {number} has {counted}, and should have four: two documents, two sentence numbers"
            raise DataError(_unfit((path, member), where))
        yield re.sub(r"^[^/]+/|(\.xml)?(\.gz)?$", "", cells[0])  # de/1993/some-title.xml.gz


def _first_column(path: Path) -> Iterator[str]:
    """The document of each line from the first column; header lines, as in FLORES' metadata, are left out."""
    for number, line in lines(path):
        document = line.split("\t")[0]
        if number > 1 or document != "URL":
            yield document


def _unfit(ids: tuple[Path, str] | None, why: str) -> str:
    return (
        f"{called(*ids) if ids else ''}: the documents do not fit the text ({why}). Take the file out, or get it anew."
    )


def columns(path: Path, member: str) -> Iterator[tuple[str, str, str]]:
    """The columns of a .tsv. If empty lines separate documents, these are numbered."""
    told_apart = any(not line.strip() for _, line in islice(lines(path, member), GLANCE))
    document = 1
    for number, line in lines(path, member):
        if not line.strip():
            document += 1
            continue
        cells = line.split("\t")
        if len(cells) != 2:
            raise DataError(
                f"{called(path, member)}, line {number}: {len(cells)} column{'s' * (len(cells) != 1)} where there "
                "should be two, source and target with one tab between them"
            )
        yield cells[0], cells[1], str(document) if told_apart else ""
