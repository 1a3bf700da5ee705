"""Detecting a file's format by its contents, so that its texts can be translated."""

from pathlib import Path

from dragoman.corpora.formats.text import decoded, lines, whole
from dragoman.corpora.formats.values import NotJson, json_records, parsed
from dragoman.corpora.translatable.content import KNOWN, Content, Lines, Records, form_of
from dragoman.corpora.translatable.exams import Bbh, Mmlu, Squad, mmlu_rows
from dragoman.errors import DataError
from dragoman.json_values import JsonObject

_TEXT = (".txt", ".text", "")


def recognised(path: Path) -> Content:
    """The content of a file. `DataError` if its format is unknown, or the file is invalid."""
    text = decoded(whole(path), str(path))
    if not text.strip():
        raise DataError(f"{path} is empty")
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text)
    rows = mmlu_rows(text) if path.suffix.lower() == ".csv" else []
    if rows:
        return Mmlu(rows, str(path))
    if path.suffix.lower() in _TEXT:
        return Lines([line for _, line in lines(path)])
    raise DataError(f"{path}: no format that is known; it begins {text.lstrip()[:60]!r}. {KNOWN}")


def _json(path: Path, text: str) -> Content:
    try:
        value = parsed(text, str(path))
    except NotJson:  # one value a line, or none: reading it by line will tell
        value = None
    if isinstance(value, dict) and form_of(value) is None:
        if _holds(value, "data", "paragraphs"):
            return Squad(value, str(path))
        if _holds(value, "examples", "input") and _holds(value, "examples", "target"):
            return Bbh(value, str(path))
        raise DataError(f"{path}: no format that is known; it has the keys {', '.join(map(repr, value))}. {KNOWN}")
    placed = list(json_records(path))
    if not placed:
        raise DataError(f"{path} has no records in it")
    one_a_line = not isinstance(value, list)
    return Records([record for _, record in placed], [place for place, _ in placed], one_a_line)


def _holds(record: JsonObject, key: str, inner: str) -> bool:
    """Whether `key` is a list of objects that have `inner`."""
    listed = record.get(key)
    return isinstance(listed, list) and bool(listed) and isinstance(listed[0], dict) and inner in listed[0]
