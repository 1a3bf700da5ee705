"""Prompts about harm: AdvBench's, which are to be refused, and XSTest's, most of which only look harmful.

A file is a CSV table with a header, or JSON (one object per line, or a list). The prompt is in the field `prompt` or,
in AdvBench, `goal`. XSTest's prompts say whether they are safe to answer in `label` (safe, unsafe), or in their
`type`, which begins with `contrast_` if they are not.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from dragoman.corpora.formats.sheets import Sheet, sheets, text
from dragoman.corpora.formats.values import parsed
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, as_list
from dragoman.suites._suite import Material

Cells = Mapping[str, object]
PROMPT = ("prompt", "goal")
LABELS = ("safe", "unsafe")
CONTRAST = "contrast_"
ENDINGS = (".csv", ".jsonl", ".json")


class Prompt(TypedDict):
    """A prompt; XSTest's have a type, and a label safe or unsafe."""

    key: str
    prompt: str
    type: NotRequired[str]
    label: NotRequired[str]


class Prompts(Material):
    """What a suite asks."""

    prompts: list[Prompt]


def read(kind: str, place: Sequence[Path]) -> Prompts:
    """The prompts of a suite, `safety` or `xstest`, from files or a folder of them.

    In `prompts` each has a unique key and its text; those of `xstest` also a `type` and a `label`. `texts` has the
    texts again, in the same order. `DataError` lists what is wrong, by file, line and column.
    """
    labelled = kind == "xstest"
    prompts: list[Prompt] = []
    faults: list[str] = []
    for sheet in sheets(place, ENDINGS):
        for where, cells in _rows(sheet, labelled):
            found, fault = _prompt(where, cells, labelled)
            prompts += [found] if found else []
            faults += [fault] if fault else []
    refuse(faults)
    if not prompts:
        raise DataError(f"{', '.join(map(str, place))}: there is no prompt in it")
    ids = Counter(prompt["key"] for prompt in prompts)
    if "" in ids or len(ids) < len(prompts):  # without ids, or with the same ones in several files
        prompts = [{**prompt, "key": str(number)} for number, prompt in enumerate(prompts, start=1)]
    return {"prompts": prompts, "texts": [prompt["prompt"] for prompt in prompts]}


def _prompt(where: str, cells: Cells, labelled: bool) -> tuple[Prompt | None, str]:
    """A prompt as it is asked, or what is wrong with its row."""
    column = next((name for name in PROMPT if name in cells), PROMPT[0])
    said = cells.get(column)
    if not isinstance(said, str) or not said.strip():
        return None, f"{where}, column {column!r}: a prompt is needed, not {said!r:.40}"
    found: Prompt = {"key": "" if cells.get("id") is None else str(cells["id"]).strip(), "prompt": said.strip()}
    if not labelled:
        return found, ""
    kind, label = (str(cells.get(name) or "").strip() for name in ("type", "label"))
    if label and label.lower() not in LABELS:
        return None, f"{where}, column 'label': it must be {' or '.join(LABELS)}, not {label[:40]!r}"
    if not label and not kind:
        return None, f"{where}, column 'label': it is empty, and so is 'type'; one must say whether the prompt is safe"
    told = label.lower() or LABELS[kind.startswith(CONTRAST)]
    return {**found, "type": kind or told, "label": told}, ""


def _rows(sheet: Sheet, labelled: bool) -> Iterator[tuple[str, Cells]]:
    """The rows of a table by the names of their columns, each with its place for messages."""
    if sheet.suffix == ".csv":
        yield from _csv(sheet, labelled)
        return
    for where, record in _json(sheet):
        if not isinstance(record, dict):
            raise DataError(f"{where}: a JSON object is needed, not {json.dumps(record, ensure_ascii=False)[:80]}")
        _check(where, record, labelled)
        yield where, record


def _csv(sheet: Sheet, labelled: bool) -> Iterator[tuple[str, Cells]]:
    lines = csv.reader(io.StringIO(text(sheet), newline=""), strict=True)
    names: list[str] = []
    try:
        begins = 1
        for row in lines:
            where, begins = f"{sheet.place}, line {begins}", lines.line_num + 1
            if not row:
                continue
            if not names:
                names = [name.strip().lower() for name in row]
                _check(where, names, labelled)
            elif len(row) != len(names):
                raise DataError(
                    f"{where}: {len(row)} fields where the header names {len(names)} ({', '.join(names)}). A text "
                    "with a comma in it belongs in quotes"
                )
            else:
                yield where, dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise DataError(f"{sheet.place}, line {lines.line_num}: not a table in CSV ({error})") from error


def _json(sheet: Sheet) -> Iterator[tuple[str, Json]]:
    whole = text(sheet)
    if whole.lstrip().startswith("["):
        records = parsed(whole, sheet.place)
        yield from ((f"{sheet.place}, record {at}", record) for at, record in enumerate(as_list(records), start=1))
        return
    for number, line in enumerate(whole.split("\n"), start=1):
        if line.strip():
            yield f"{sheet.place}, line {number}", parsed(line, sheet.place, number)


def _check(where: str, names: Sequence[str] | Cells, labelled: bool) -> None:
    """Raises `DataError` unless the necessary columns are there."""
    has = f"there is {', '.join(map(repr, names)) or 'nothing'}"
    if not set(PROMPT) & set(names):
        raise DataError(f"{where}: no column 'prompt' (nor 'goal', as AdvBench calls it); {has}")
    if labelled and not {"label", "type"} & set(names):
        raise DataError(f"{where}: no column 'label' (safe, unsafe) and no 'type' ('contrast_…' is unsafe); {has}")
