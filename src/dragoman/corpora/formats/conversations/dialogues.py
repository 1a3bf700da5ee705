"""Dialogue files: instruction data from JSON Lines, one JSON array, or Parquet.

A record's form is recognised by its keys: see `forms`. The request is the instruction; its input or context
is kept separately, and a chat format without a place for it puts it after a blank line.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dragoman.corpora.formats.conversations import forms
from dragoman.corpora.formats.values import json_records, parquet_records
from dragoman.corpora.records import Dialogue, draw
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, JsonObject, as_text

ENOUGH = 20  # faults, after which a file is not read on


@dataclass(frozen=True, slots=True)
class DialogueFile:
    """A file with dialogues, the name they go by, and their language.

    If its records name a programming language (`lang`), only those in the one given here are read.
    """

    path: Path
    origin: str
    lang: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Chosen:
    """Dialogues that can be iterated repeatedly, read from their file each time; `dropped` counts what was left out.

    `renamed` has the file's keys that were read as others, such as `istruzione` as `instruction`.
    """

    file: DialogueFile
    dropped: Counter[str]
    kept: NDArray[np.bool_]  # [dialogues of the file, in its order]
    renamed: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Dialogue]:
        return compress(read(self.file), self.kept)

    def __len__(self) -> int:
        return int(self.kept.sum())


def read(
    file: DialogueFile, dropped: Counter[str] | None = None, renamed: dict[str, str] | None = None
) -> Iterator[Dialogue]:
    """The dialogues of a file in its order, texts stripped of surrounding whitespace.

    Those without a request or an answer, with half a character, or in a programming language other than the wanted
    one are left out and counted in `dropped`. Keys that were read as others are added to `renamed`. `DataError` lists
    what is wrong, up to 20 faults.
    """
    dropped = Counter() if dropped is None else dropped
    renamed = {} if renamed is None else renamed
    faults: list[str] = []
    found = False
    for place, raw in _records(file.path, dropped):
        found = True
        record, names = forms.canonical(raw)
        renamed.update(names)
        wrong = _language_faults(record, file.lang) or forms.faults(record)
        faults += [f"{place}: {fault}" for fault in wrong]
        if len(faults) > ENOUGH:
            break
        if faults:
            continue
        if file.lang and as_text(record["lang"]).casefold() != file.lang.casefold():
            dropped[f"not {file.lang}"] += 1
            continue
        turns, left_out = forms.turns(record)
        dropped.update(left_out)
        if turns:
            yield Dialogue(turns, file.origin, file.language)
    refuse(faults, complete=False)
    if not found:
        raise DataError(f"{file.path} has no conversations in it")


def _records(path: Path, dropped: Counter[str]) -> Iterator[tuple[str, JsonObject]]:
    return (
        parquet_records(path) if path.suffix == ".parquet" and path.is_file() else json_records(path, dropped=dropped)
    )


def _language_faults(record: Mapping[str, Json], lang: str) -> list[str]:
    if lang and not isinstance(record.get("lang"), str):
        return [f"'lang' must say which language the record is in, since only {lang} is taken"]
    return []


def select(
    file: DialogueFile, limit: int | None, seed: int, unwanted: Callable[[Dialogue], str | None] = lambda _: None
) -> Chosen:
    """Reads through a file and decides which of its dialogues to keep: no duplicates, and no more than `limit`.

    `unwanted` returns a reason to leave a dialogue out, or None. A limit keeps those with the smallest draws, so the
    choice does not depend on their order.
    """
    dropped: Counter[str] = Counter()
    renamed: dict[str, str] = {}
    keys, draws = array("Q"), array("d")
    reasons: list[str | None] = []
    for dialogue in read(file, dropped, renamed):
        key = dialogue.key
        keys.append(int(key, 16))
        draws.append(draw(key, "limit", seed))
        reasons.append(unwanted(dialogue))
    kept = np.zeros(len(keys), dtype=bool)
    kept[np.unique(np.array(keys, dtype=np.uint64), return_index=True)[1]] = True
    dropped["duplicate"] += len(keys) - int(kept.sum())
    dropped.update(reason for reason, first in zip(reasons, kept, strict=True) if first and reason)
    kept &= np.array([reason is None for reason in reasons], dtype=bool)
    if limit is not None:
        candidates = np.flatnonzero(kept)
        order = np.argsort(np.array(draws)[candidates], kind="stable")
        kept[candidates[order[limit:]]] = False
        dropped["over the limit"] += max(0, len(candidates) - limit)
    return Chosen(file, +dropped, kept, renamed)
