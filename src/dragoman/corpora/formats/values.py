"""JSON, YAML and Parquet from outside: invalid or harmful contents become an error that says where.

half a character     "\\ud83d" alone, which crawls have where an emoji was cut in two: no text can hold it
nested too deeply    a few kilobytes of brackets end whatever walks through them
endless numbers      whole numbers of more than 308 digits are too large for any other number
aliases              in YAML, a few lines of which can come to more values than there is memory
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from dragoman.corpora.formats import archives
from dragoman.corpora.formats.text import BEGINNING, called, decoded, ending, lines, opened, whole
from dragoman.errors import DataError
from dragoman.json_values import Json, JsonObject, as_list

DIGITS = 308  # digits of a whole number
VALUES = 100_000  # of a YAML file
DEEPEST = 100  # lists and objects around a value
BATCH = 1000  # rows of a Parquet file that are held at once
HALF = "with half a character"
"""The reason given when such a record is left out."""
_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


class HalfCharacter(DataError):
    """A record with half a character in a text, and otherwise valid."""


class NotJson(DataError):
    """The text is not JSON at all, or more than one JSON value."""


def parsed(text: str, name: str, line: int = 1) -> Json:
    """The value of some JSON, which begins on line `line` of what is called `name`.

    Raises `DataError` with file and line, or `HalfCharacter` if that is all that is wrong with it.
    """
    value = _loaded(text, name, line)
    if _ESCAPED.search(text):
        refuse_halves(value, f"{name}, line {line}")
    return value


def _loaded(text: str, name: str, line: int) -> Json:
    try:  # input from outside
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"{name}, line {line + error.lineno - 1}, column {error.colno}"
        raise NotJson(f"{where}: not valid JSON ({error.msg})") from error
    except RecursionError as error:
        raise _too_deep(name, line) from error
    except OverflowError as error:
        raise DataError(f"{name}, line {line}: {error}") from error
    if text.count("[") + text.count("{") > DEEPEST and _deep(value):
        raise _too_deep(name, line)
    return value


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise OverflowError(f"a whole number of more than {DIGITS} digits. Write it as text, in quotes")
    return int(digits)


_DECODER = json.JSONDecoder(parse_int=_whole)


def _too_deep(name: str, line: int) -> DataError:
    return DataError(f"{name}, line {line}: lists and objects inside each other, more than {DEEPEST} of them")


def _deep(value: Json) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [child for one in level for child in _children(one)]
        if not level:
            return False
    return any(isinstance(one, dict | list) for one in level)


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def refuse_halves(value: Json, place: str) -> None:
    """Raises `HalfCharacter` if a text in a value has half a character."""
    todo = [value]
    while todo:
        one = todo.pop()
        texts = [one] if isinstance(one, str) else list(one) if isinstance(one, dict) else ()
        if found := next((found for text in texts if (found := _HALF.search(text))), None):
            raise HalfCharacter(
                f"{place}: half a character ({ascii(found[0])[1:-1]}), as where an emoji was cut in two; no text can "
                "hold it. Take it out, or leave the record out."
            )
        todo += _children(one)


def json_file(path: Path, member: str = "") -> Json:
    """The value of a file that holds one JSON value. `DataError` with file and line."""
    name = called(path, member)
    return parsed(decoded(whole(path, member), name), name)


def json_records(
    path: Path, member: str = "", dropped: Counter[str] | None = None, faults: list[str] | None = None
) -> Iterator[tuple[str, JsonObject]]:
    """The objects of a file with one JSON object per line, or of one JSON array; each with its place for messages.

    In a zip archive, its only .json or .jsonl is read. Records with half a character are left out and counted in
    `dropped`; without `dropped` they are an error. What is wrong with single records is told in `faults`, and the
    others are given; without `faults` the first is an error.
    """
    if not member and ending(path.name) == ".zip":
        member = archives.only(path, (".json", ".jsonl"))
    for place, record, suspect in _placed(path, member, faults):
        try:
            if not isinstance(record, dict):
                shown = json.dumps(record, ensure_ascii=False)[:80]
                raise DataError(f"{place}: a JSON object is needed, not {shown}")
            if suspect:
                refuse_halves(record, place)
        except HalfCharacter as error:
            if dropped is not None:
                dropped[HALF] += 1
            else:
                _told(error, faults)
        except DataError as error:
            _told(error, faults)
        else:
            yield place, record


def _told(error: DataError, faults: list[str] | None) -> None:
    """Puts an error among the faults; raises it if there is no list of them."""
    if faults is None:
        raise error
    faults.append(str(error))


def _placed(path: Path, member: str, faults: list[str] | None) -> Iterator[tuple[str, Json, bool]]:
    """The values of a file with their places, and whether there may be half a character in them."""
    name = called(path, member)
    if is_array(path, member):
        text = decoded(whole(path, member), name)
        suspect = bool(_ESCAPED.search(text))
        for number, record in enumerate(as_list(_loaded(text, name, 1)), start=1):
            yield f"{name}, record {number}", record, suspect
        return
    for number, line in lines(path, member):
        if not line.strip():
            continue
        try:
            value = _loaded(line, name, number)
        except DataError as error:
            _told(error, faults)
        else:
            yield f"{name}, line {number}", value, bool(_ESCAPED.search(line))


def is_array(path: Path, member: str = "") -> bool:
    """Whether the first character of a file opens a list."""
    with opened(path, member) as file:
        start = file.read(BEGINNING).removeprefix(b"\xef\xbb\xbf").lstrip()
        while not start and (piece := file.read(BEGINNING)):
            start = piece.lstrip()
    return start.startswith(b"[")


def parquet_records(path: Path, columns: Sequence[str] | None = None) -> Iterator[tuple[str, JsonObject]]:
    """The rows of a Parquet file, each with its place for messages; of `columns` alone, if they are given."""
    from pyarrow import ArrowException, parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH, columns=columns):
                for record in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", record
    except (ArrowException, OSError, ValueError) as error:  # broken in one of many ways, or text that is no UTF-8
        raise DataError(f"{path} can not be read as Parquet: {error}") from error


def yaml_file(path: Path) -> Json:
    """The contents of a YAML file as plain values. `DataError` if it is invalid, or its aliases multiply."""
    text = decoded(whole(path), str(path))
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None and _written_out(node, {}) > VALUES:
            raise DataError(
                f"{path}: its aliases (`*name`) come to more than {VALUES:,} values. Write out what is meant."
            )
        value: Json = yaml.safe_load(text)
        return value
    except DataError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def _written_out(node: yaml.Node, known: dict[int, int]) -> int:
    """The number of values in a node with every alias expanded; too many if a node contains itself."""
    if id(node) not in known:
        known[id(node)] = VALUES + 1
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        below = node.value if isinstance(node, yaml.SequenceNode) else [one for pair in pairs for one in pair]
        known[id(node)] = 1 + sum(_written_out(one, known) for one in below)
    return known[id(node)]
