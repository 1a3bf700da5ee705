"""Tells by its content which format a file is in, so that its texts can be translated."""

import json
from pathlib import Path
from typing import Any

from dragoman.corpora.exam_fields import Bbh, Mmlu, Squad, mmlu_rows
from dragoman.corpora.fields import KNOWN, Content, Lines, Records, form_of
from dragoman.corpora.parallel import json_records
from dragoman.corpora.text import lines
from dragoman.errors import DataError

_TEXT = (".txt", ".text", "")


def recognised(path: Path) -> Content:
    """The content of a file, by what is in it. `DataError` where that is of no known format, or not as it should be."""
    numbered = [line for _, line in lines(path)]
    if not any(line.strip() for line in numbered):
        raise DataError(f"{path} is empty")
    text = "\n".join(numbered)
    if text.lstrip()[:1] in ("{", "["):
        return _json(path, text)
    rows = mmlu_rows(text) if path.suffix.lower() == ".csv" else []
    if rows:
        return Mmlu(rows, str(path))
    if path.suffix.lower() in _TEXT:
        return Lines(numbered)
    raise DataError(f"{path}: no format that is known; it begins {text.lstrip()[:60]!r}. {KNOWN}")


def _json(path: Path, text: str) -> Content:
    whole = _one_value(text)
    if isinstance(whole, dict) and form_of(whole) is None:
        if _holds(whole, "data", "paragraphs"):
            return Squad(whole, str(path))
        if _holds(whole, "examples", "input") and _holds(whole, "examples", "target"):
            return Bbh(whole, str(path))
        raise DataError(f"{path}: no format that is known; it has the keys {', '.join(map(repr, whole))}. {KNOWN}")
    placed = list(json_records(path))
    if not placed:
        raise DataError(f"{path} has no records in it")
    one_a_line = not isinstance(whole, list)
    return Records([record for _, record in placed], [place for place, _ in placed], one_a_line)


def _one_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:  # one value a line, or none: reading it by line will tell
        return None


def _holds(whole: dict[str, Any], key: str, inner: str) -> bool:
    """Whether `key` is a list of objects that have `inner`."""
    held = whole.get(key)
    return isinstance(held, list) and bool(held) and isinstance(held[0], dict) and inner in held[0]
