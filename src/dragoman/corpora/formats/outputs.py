"""Saved outputs: plain lines that correspond to other lines, and JSONL whose records answer the questions of a file.

Lines end only at a line feed, and the line feed at the end of a file does not begin another line.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.formats.text import ending, lines
from dragoman.corpora.formats.values import HalfCharacter, parsed
from dragoman.errors import DataError, listed, refuse
from dragoman.json_values import Json, JsonObject

RECORDS = (".jsonl", ".ndjson", ".json")
Texts = tuple[str, ...]
SHOWN = 10  # ids in a message


@dataclass(frozen=True, slots=True)
class Output:
    """A model's answer to one question; `id` is None if the record has none."""

    line: int
    id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Triples:
    """Sources, translations and references from one JSONL; missing fields are empty."""

    sources: Texts
    translations: Texts
    references: tuple[Texts, ...]
    """Each reference set, from the first line to the last."""


def is_jsonl(path: Path) -> bool:
    """Whether a file holds records rather than text, by its name or its first line (a JSON object, or a list of
    them).
    """
    if ending(path.name) in RECORDS:
        return True
    first = next((line for _, line in lines(path) if line.strip()), "")
    try:  # hardly ever JSON
        value = parsed(first, str(path))
    except HalfCharacter:  # whoever reads it says what is wrong
        return True
    except DataError:
        return False
    return bool(value) and isinstance(value[0] if isinstance(value, list) else value, dict)


def read_text(path: Path) -> Texts:
    """The lines of a text. `DataError` if there are none."""
    found = tuple(line for _, line in lines(path))
    if not found:
        raise DataError(f"{path} is empty: there is nothing in it to score")
    return found


def read_records(path: Path) -> list[tuple[int, JsonObject]]:
    """The objects of a JSONL with their line numbers; blank lines are skipped. `DataError` names each bad line."""
    found: list[tuple[int, JsonObject]] = []
    faults: list[str] = []
    opening = ""
    for number, line in lines(path):
        if not line.strip():
            continue
        opening = opening or line.strip()[0]
        try:
            record = parsed(line, str(path), number)
        except DataError as error:
            faults.append(str(error))
            continue
        if isinstance(record, dict):
            found.append((number, record))
        else:
            faults.append(f"{path}, line {number}: should be an object in braces, not {_short(record)}")
    if faults and opening == "[":
        faults[1:] = ["If the file is one JSON list, put each object of it on a line of its own, as jq -c '.[]' does."]
    refuse(faults)
    if not found:
        raise DataError(f"{path} is empty")
    return found


def read_triples(path: Path) -> Triples:
    """The fields `src`, `mt` and `ref` of a JSONL; `ref` may be a list of several references.

    A field must be in every record or in none. `DataError` names each line that differs.
    """
    records = read_records(path)
    faults: list[str] = []
    columns: dict[str, list[tuple[str, ...]]] = {}
    for field in ("src", "mt", "ref"):
        given = [number for number, record in records if record.get(field) is not None]
        if not given:
            columns[field] = []
            continue
        if len(given) < len(records):
            first = next(number for number, record in records if record.get(field) is None)
            faults.append(f"{path}, line {first}: {field!r} is missing, and {len(given):,} other lines have one")
            continue
        several = field == "ref"
        columns[field] = []
        for number, record in records:
            value = record[field]
            given_texts = value if several and isinstance(value, list) and value else [value]
            texts = tuple(text for text in given_texts if isinstance(text, str))
            if len(texts) < len(given_texts):
                wanted = "some text, or a list of texts" if several else "some text"
                faults.append(f"{path}, line {number}: {field!r} must be {wanted}, not {_short(value)}")
            columns[field].append(texts)
    refuse(faults)
    counts = {len(texts) for texts in columns["ref"]}
    if len(counts) > 1:
        at = next(at for at, texts in enumerate(columns["ref"]) if len(texts) != len(columns["ref"][0]))
        raise DataError(
            f"{path}, line {records[at][0]}: {len(columns['ref'][at])} references, and line {records[0][0]} has "
            f"{len(columns['ref'][0])}: all must have equally many"
        )
    return Triples(
        tuple(texts[0] for texts in columns["src"]),
        tuple(texts[0] for texts in columns["mt"]),
        tuple(zip(*columns["ref"], strict=True)),
    )


def read_outputs(path: Path, ids: Sequence[str] = ("id",), texts: Sequence[str] = ("output",)) -> list[Output]:
    """The answer to each question. `ids` and `texts` are the names that the fields may have, preferred ones first.

    Ids must be in every record or in none; a number is read as the text that it is written as.
    """
    found: list[Output] = []
    faults: list[str] = []
    for number, record in read_records(path):
        text = _first(record, texts)
        name = _first(record, ids)
        if not isinstance(text, str):
            missing = not any(name in record for name in texts)
            what = "is missing" if missing else f"must be some text, not {_short(text)}"
            also = f" It has {', '.join(record) or 'nothing'}." if missing else ""
            faults.append(f"{path}, line {number}: {texts[0]!r} {what}.{also}")
        elif name is not None and (isinstance(name, bool) or not isinstance(name, str | int)):
            faults.append(f"{path}, line {number}: {ids[0]!r} must be a text or a whole number, not {_short(name)}")
        else:
            found.append(Output(number, None if name is None else str(name), text))
    without = [output.line for output in found if output.id is None]
    if without and len(without) < len(found):
        faults.append(f"{path}, line {without[0]}: no {ids[0]!r}, and other lines have one: all must have it, or none")
    refuse(faults)
    return found


def matched(
    path: Path,
    outputs: Sequence[Output],
    ids: Sequence[str],
    data: str,
    *,
    left_out: int = 0,
    rows: Sequence[int] = (),
    several: bool = False,
) -> list[tuple[str, ...]]:
    """The outputs for each question of the data, in the order of `ids`, the questions' ids in the data.

    Outputs without ids are matched by position. `several` allows more than one output per question. `left_out` is the
    number of rows in the data that were not questions: that many outputs may have unknown ids. `rows` is each
    question's position among all rows, counted from 0; with it, there may be an output for each row, by position,
    without ids or if the data uses ids more than once. `DataError` lists unknown, missing and duplicate ids, and
    gives both counts if they differ.
    """
    if not left_out:
        rows = range(len(ids))
    count = len(ids) + left_out
    in_order = [outputs[row] for row in rows] if len(outputs) == count else []
    if outputs[0].id is None:
        if left_out and not rows:
            raise DataError(
                f"{left_out:,} rows of {data} had to be left out, so outputs can't be matched by their order: give "
                f"each line of {path} an 'id', such as {ids[0]!r}"
            )
        if not in_order:
            what = f"rows, {left_out:,} of them left out" if left_out else "questions"
            raise DataError(
                f"{path} has {len(outputs):,} outputs and {data} has {count:,} {what}: without ids each "
                f"{'row' if left_out else 'question'} needs one, in the order of the data"
            )
        return [(output.text,) for output in in_order]
    if twice := listed([name for name, uses in Counter(ids).items() if uses > 1], SHOWN):
        if in_order and not several and [output.id for output in in_order] == list(ids):
            return [(output.text,) for output in in_order]
        raise DataError(
            f"{data} uses ids more than once ({twice}), so outputs can only be matched by their order: {path} needs "
            f"one for each of its {count:,} rows, in the order of the data"
        )
    found: dict[str, list[str]] = {}
    for output in outputs:
        found.setdefault(str(output.id), []).append(output.text)
    refuse(list(_faults(path, found, ids, data, left_out, several)))
    return [tuple(found[name]) for name in ids]


def _faults(
    path: Path, found: Mapping[str, Sequence[str]], ids: Sequence[str], data: str, left_out: int, several: bool
) -> Iterator[str]:
    known = set(ids)
    unknown = [name for name in found if name not in known]
    missing = [name for name in ids if name not in found]
    if len(unknown) > left_out or (unknown and missing):
        first = f"It has such as {ids[0]!r}" + (": numbers count from 1." if f"{ids[0][:-1]}0" in found else ".")
        yield f"{path}: ids that {data} does not have ({len(unknown):,}): {listed(unknown, SHOWN)}. {first}"
    if missing:
        counted = f"{len(missing):,} of {len(ids):,}"
        yield f"{path}: questions of {data} that have no output ({counted}): {listed(missing, SHOWN)}"
    if not several and (twice := [name for name, texts in found.items() if len(texts) > 1]):
        yield f"{path}: ids that have more than one output ({len(twice):,}): {listed(twice, SHOWN)}"


def _first(record: Mapping[str, Json], names: Sequence[str]) -> Json:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _short(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 40 else shown[:40] + "…"
