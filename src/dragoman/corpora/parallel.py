"""Reads parallel text: two aligned files, or one table. One pair at a time, however large the file.

Lines end at a line feed and nowhere else. Crawled text has U+2028, U+0085 and form feeds inside its
lines; a reader that breaks lines there shifts every pair after it by one.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

from dragoman.corpora.records import Pair
from dragoman.errors import DataError


@dataclass(frozen=True, slots=True)
class ParallelText:
    """Files with translations: `source` and `target`, line by line, or one `table`.

    A table is .tsv (two columns), .jsonl or .json. `both` gives every pair the other way round too.
    """

    direction: str
    source: Path | None = None
    target: Path | None = None
    table: Path | None = None
    both: bool = False

    @property
    def languages(self) -> tuple[str, str]:
        source, target = self.direction.split("-")
        return source, target

    @property
    def directions(self) -> tuple[str, ...]:
        """What `read` will give."""
        source, target = self.languages
        return (self.direction, f"{target}-{source}") if self.both else (self.direction,)

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.source, self.target, self.table) if path is not None)


class FilesChoice(Protocol):
    """Files of one's own, as a recipe names them."""

    @property
    def source(self) -> str | None: ...
    @property
    def target(self) -> str | None: ...
    @property
    def table(self) -> str | None: ...
    @property
    def direction(self) -> str: ...
    @property
    def both(self) -> bool: ...


def located(files: FilesChoice, base: Path = Path()) -> ParallelText:
    """The files that a recipe names, relative to `base` (the recipe's folder)."""
    source, target, table = (path and base / path for path in (files.source, files.target, files.table))
    return ParallelText(files.direction, source or None, target or None, table or None, files.both)


def read_files(files: FilesChoice, base: Path = Path()) -> Iterator[Pair]:
    """The pairs of the files that a recipe names, as `read` gives them."""
    return read(located(files, base))


def read(text: ParallelText, dropped: Counter[str] | None = None) -> Iterator[Pair]:
    """The pairs of some files, in their order, both sides stripped of surrounding whitespace.

    Pairs with an empty side are left out and counted in `dropped["empty"]`. `DataError` with file
    and line for what is not as it should be.
    """
    dropped = Counter() if dropped is None else dropped
    source_language, target_language = text.languages
    for source, target, document in _rows(text):
        if not (source.strip() and target.strip()):
            dropped["empty"] += len(text.directions)
            continue
        pair = Pair(source.strip(), target.strip(), source_language, target_language, document)
        yield pair
        if text.both:
            yield pair.reversed()


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers, without line end (and without a byte order mark)."""
    if not path.is_file():
        raise DataError(f"there is no file {path}" + (": it is a folder" if path.is_dir() else ""))
    with path.open("rb") as file:  # only in binary does Python break lines at line feeds alone
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}, line {number}: not valid UTF-8 (byte 0x{raw[error.start]:02x}, {error.start + 1} bytes "
                    "into the line). Convert the file to UTF-8 first, for example with iconv."
                ) from error
            yield number, line.removeprefix("\ufeff" if number == 1 else "").removesuffix("\n").removesuffix("\r")


def _rows(text: ParallelText) -> Iterator[tuple[str, str, str]]:
    """Source, target and document of each pair."""
    if text.table is None:
        if text.source is None or text.target is None:
            raise DataError(f"parallel text for {text.direction} needs `source` and `target`, or a `table`")
        yield from _aligned(text.source, text.target)
    elif text.source is not None or text.target is not None:
        raise DataError(f"parallel text for {text.direction} has a `table`, so `source` and `target` can't be used too")
    elif text.table.suffix == ".tsv":
        yield from _columns(text.table)
    elif text.table.suffix in (".jsonl", ".json"):
        for place, record in json_records(text.table):
            yield _sides(place, record, text.languages)
    else:
        raise DataError(
            f"{text.table}: a table must be .tsv, .jsonl or .json by its name; for two plain text files use "
            "`source` and `target`"
        )


def _aligned(source: Path, target: Path) -> Iterator[tuple[str, str, str]]:
    sources, targets = lines(source), lines(target)
    for left, right in zip_longest(sources, targets):
        if left is None or right is None:
            number, _ = left or right or (0, "")
            longer = number + sum(1 for _ in (targets if left is None else sources))
            counts = (number - 1, longer) if left is None else (longer, number - 1)
            raise DataError(
                f"two files of different length: {source} has {counts[0]:,} lines, {target} has {counts[1]:,}. "
                "Line by line they must be translations of each other."
            )
        yield left[1], right[1], ""


def _columns(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in lines(path):
        columns = line.split("\t") if line.strip() else ["", ""]
        if len(columns) != 2:
            raise DataError(
                f"{path}, line {number}: {len(columns)} column{'s' * (len(columns) != 1)} where there should be two, "
                "source and target with one tab between them"
            )
        yield columns[0], columns[1], ""


def json_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file with one JSON object a line, or of one JSON array; each with its place for messages."""
    first = next((line for _, line in lines(path) if line.strip()), "")
    if first.lstrip().startswith("["):
        records = _parsed("\n".join(line for _, line in lines(path)), path, 1)
        placed = ((f"{path}, record {number}", record) for number, record in enumerate(records, start=1))
    else:
        placed = (
            (f"{path}, line {number}", _parsed(line, path, number)) for number, line in lines(path) if line.strip()
        )
    for place, record in placed:
        if not isinstance(record, dict):
            raise DataError(f"{place}: a JSON object is needed, not {json.dumps(record, ensure_ascii=False)[:80]}")
        yield place, record


def _parsed(text: str, path: Path, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path}, line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{where}: not valid JSON ({error.msg})") from error


def _sides(place: str, record: dict[str, Any], languages: tuple[str, str]) -> tuple[str, str, str]:
    keys = languages if "translation" in record else ("source", "target")
    holder = record.get("translation", record)
    if not isinstance(holder, dict):
        raise DataError(f'{place}: "translation" must be an object with the keys {" and ".join(keys)}')
    missing = [key for key in keys if key not in holder]
    if missing:
        raise DataError(
            f"{place}: {' and '.join(map(repr, missing))} missing; there is "
            f"{', '.join(map(repr, holder)) or 'nothing'}. Needed are 'source' and 'target', or a \"translation\" "
            f"object with a text for each language of {'-'.join(languages)}."
        )
    sides = [holder[key] for key in keys]
    if not all(isinstance(side, str) for side in sides):
        raise DataError(f"{place}: {keys[0]!r} and {keys[1]!r} must both be text")
    return sides[0], sides[1], str(record.get("document", ""))
