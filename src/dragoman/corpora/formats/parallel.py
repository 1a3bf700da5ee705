"""Parallel text: reads pairs from two aligned files, a table or an archive, one at a time, however large the file.

    source, target      line by line translations of each other
    .tsv                source, one tab, target; empty lines stand between documents, as in WMT's files
    .jsonl, .json       objects with `source` and `target`, or with a `translation` for each language
    .tmx                translation memories
    .zip                OPUS's Moses format, or one of the tables above

Any of them may be compressed (`.gz`).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from dragoman.corpora.formats import archives, tmx
from dragoman.corpora.formats.aligned import aligned, columns
from dragoman.corpora.formats.text import ending
from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Pair
from dragoman.errors import DataError
from dragoman.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class ParallelText:
    """Files with translations: `source` and `target`, line by line, or one `table`.

    A table is .tsv (two columns), .jsonl, .json, .tmx or .zip, possibly followed by .gz. `both` also gives every pair
    in the other direction. `documents` names, in its first column, the document of each line of two files.
    """

    direction: str
    source: Path | None = None
    target: Path | None = None
    table: Path | None = None
    both: bool = False
    documents: Path | None = None

    @property
    def languages(self) -> tuple[str, str]:
        source, target = self.direction.split("-")
        return source, target

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions that `read` gives."""
        source, target = self.languages
        return (self.direction, f"{target}-{source}") if self.both else (self.direction,)

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for path in (self.source, self.target, self.table, self.documents) if path is not None)


class FilesChoice(Protocol):
    """The user's own files, as a recipe names them."""

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


def read(text: ParallelText, dropped: Counter[str] | None = None) -> Iterator[Pair]:
    """The pairs of some files, in their order, both sides stripped of surrounding whitespace.

    Pairs with an empty side or with half a character are left out and counted in `dropped`, by direction (without
    `dropped`, half a character is an error). `DataError` names file and line of anything that is wrong.
    """
    left_out = None if dropped is None else Counter[str]()
    source_language, target_language = text.languages
    try:
        for source, target, document in _rows(text, left_out):
            if not (source.strip() and target.strip()):
                if left_out is not None:
                    left_out["empty"] += 1
                continue
            pair = Pair(source.strip(), target.strip(), source_language, target_language, document)
            yield pair
            if text.both:
                yield pair.reversed()
    finally:
        if dropped is not None and left_out:
            dropped.update({reason: count * len(text.directions) for reason, count in left_out.items()})


def _rows(text: ParallelText, dropped: Counter[str] | None) -> Iterator[tuple[str, str, str]]:
    """Source, target and document of each pair."""
    if text.table is None:
        if text.source is None or text.target is None:
            raise DataError(f"parallel text for {text.direction} needs `source` and `target`, or a `table`")
        _no_swap((ending(text.source.name)[1:], ending(text.target.name)[1:]), text)
        return aligned((text.source, ""), (text.target, ""), documents=text.documents)
    if text.source is not None or text.target is not None:
        raise DataError(f"parallel text for {text.direction} has a `table`, so `source` and `target` can't be used too")
    if ending(text.table.name) != ".zip":
        return _table(text, text.table, "", dropped)
    chosen = archives.choose(text.table, text.languages)
    if isinstance(chosen, str):
        return _table(text, text.table, chosen, dropped)
    sides = (text.table, chosen.source), (text.table, chosen.target)
    return aligned(*sides, (text.table, chosen.ids) if chosen.ids else None)


def _table(text: ParallelText, path: Path, member: str, dropped: Counter[str] | None) -> Iterator[tuple[str, str, str]]:
    form = ending(member or path.name)
    if form == ".tsv":
        named = re.search(r"(?:^|\.)([a-z]{2,3})-([a-z]{2,3})\.", PurePosixPath(member or path.name).name)
        _no_swap((named[1], named[2]) if named else ("", ""), text)
        return columns(path, member)
    if form == ".tmx":
        return ((*sides, "") for sides in tmx.units(path, text.languages, member, dropped))
    if form in (".jsonl", ".json"):
        return (_sides(place, record, text.languages) for place, record in json_records(path, member, dropped))
    raise DataError(
        f"{path}: a table must be .tsv, .jsonl, .json, .tmx or .zip by its name (or one of them with .gz behind it); "
        "for two plain text files use `source` and `target`"
    )


def _no_swap(named: tuple[str, str], text: ParallelText) -> None:
    """Refuses files whose names contradict the direction: a model trained on them would learn the wrong language."""
    source, target = text.languages
    if named == (target, source):
        raise DataError(
            f"{', '.join(map(str, text.paths))}: by name this is {target}-{source}, in this order, and the direction "
            f"says {text.direction}. Write `direction: {target}-{source}`; `both: true` gives the pairs the other way "
            f"round as well, and `directions: [{text.direction}]` takes those alone."
        )


def _sides(place: str, record: JsonObject, languages: tuple[str, str]) -> tuple[str, str, str]:
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
    source, target = (holder[key] for key in keys)
    if not (isinstance(source, str) and isinstance(target, str)):
        raise DataError(f"{place}: {keys[0]!r} and {keys[1]!r} must both be text")
    return source, target, str(record.get("document", ""))
