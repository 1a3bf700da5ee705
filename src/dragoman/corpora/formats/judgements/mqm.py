"""MQM tables: the errors that raters marked in several systems' translations of each segment, and what they come to.

A table is read by its header. Columns: `system`, `source`, `target`, `category` and `severity`, a segment's `seg_id`
or `doc_id`, and perhaps `doc` and `rater`; others, such as `comment`, are left unread. The error's place stands in
`target` as `<v>…</v>`; a row of severity `No-error` says that a rater found none.
"""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.corpora.formats.judgements.table import Table, listed_lines
from dragoman.corpora.formats.text import decoded, whole
from dragoman.corpora.records import Rated, RatedTranslation, TranslationError
from dragoman.errors import DataError, refuse

NEEDED = ("system", "source", "target", "category", "severity")
SEGMENT = ("doc", "doc_id", "seg_id")
LACKING = ("seg_id", "rater")
"""What the rows of some tables do not have, though the header names it: newstest2020's source errors."""
WEIGHTS = {"no-error": 0.0, "neutral": 0.0, "minor": 1.0, "major": 5.0, "critical": 5.0}
MINOR_PUNCTUATION, NON_TRANSLATION = 0.1, 25.0
OPEN, CLOSE = "<v>", "</v>"
SHARE, FEWEST = 0.1, 10  # of the spans: so many that do not close are no accident

# A quotation mark in a cell that does not begin with one: no such file is quoted as CSV is.
_LOOSE = re.compile(r'(?:^|\t)[^"\t\n][^\t\n]*"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Row:
    """What a rater said of a translation: an error, or that there is none."""

    line: int
    system: str
    segment: tuple[str, ...]
    rater: str
    source: str
    text: str
    error: TranslationError | None
    weight: float


def is_mqm(path: Path) -> bool:
    """Whether a file is an MQM table by its header."""
    header = next(_rows(path), (1, []))[1]
    return {"category", "severity"} <= {name.strip().lower() for name in header}


def weight(category: str, severity: str) -> float:
    """What an error counts, by the published weights. KeyError for an unknown severity."""
    found = WEIGHTS[severity.lower()]
    if category.lower().startswith("non-translation"):
        return NON_TRANSLATION
    return MINOR_PUNCTUATION if (category.lower(), severity.lower()) == ("fluency/punctuation", "minor") else found


def read(path: Path, languages: tuple[str, str], origin: str = "") -> Table[Rated]:
    """The segments of a table, each with its systems' translations and their scores.

    A score is minus the mean over raters of the errors' weights. `DataError` with file and line for what is no MQM
    table, and where many spans do not close; a few errors may have lost their place, and rows their rater.
    """
    rows, unclosed = _annotations(path)
    marked = sum(row.error is not None and row.error.start is not None for row in rows) + len(unclosed)
    doubts = _unclosed(path, unclosed, marked)
    segments: defaultdict[tuple[str, ...], defaultdict[str, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        segments[row.segment][row.system].append(row)
    dropped: Counter[str] = Counter()
    found, moved, sourceless = [], 0, []
    for systems in segments.values():
        source = _usual([row.source for said in systems.values() for row in said])
        if not source:
            sourceless += [row.line for said in systems.values() for row in said][:1]
            dropped["segment without source"] += 1
            continue
        translations = []
        for system, said in systems.items():
            text = _usual([row.text for row in said])
            errors = [_placed(row, text) for row in said if row.error]
            moved += sum(row.text != text for row in said)
            if text:
                translations.append(RatedTranslation(text, _score(said), tuple(errors), system))
            else:
                dropped["empty translation"] += 1
        if translations:
            found.append(Rated(source, tuple(translations), *languages, origin))
        else:
            dropped["segment without translation"] += 1
    if nameless := [row.line for row in rows if not row.rater]:
        doubts += (
            f"{path}: {len(nameless):,} of {len(rows):,} rows name no rater ({listed_lines(nameless)}); where none is "
            "named, a score counts all that was marked, as if by one",
        )
    if sourceless:
        doubts += (f"{path}: {len(sourceless):,} segments without a source ({listed_lines(sourceless)})",)
    if moved:
        doubts += (
            f"{path}: {moved:,} of {len(rows):,} rows have a translation otherwise than other rows of the same system "
            "and segment; the most frequent one counts, and errors have their place in it where it can be told",
        )
    return Table(found, dropped, doubts)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row with its line. A table is quoted as CSV if it can be read so and no other way."""
    text = decoded(whole(path), str(path))
    if '"' in text and not _LOOSE.search(text):
        try:
            quoted = csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True)
            found = [(quoted.line_num, row) for row in quoted]
        except csv.Error:
            pass
        else:
            yield from ((line, row) for line, row in found if any(row))
            return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r").split("\t")


def _annotations(path: Path) -> tuple[list[_Row], list[int]]:
    """The rows of a table, and the lines whose span does not close."""
    rows = _rows(path)
    header = [name.strip().lower() for name in next(rows, (1, [""]))[1]]
    missing = [name for name in NEEDED if name not in header]
    missing += ["seg_id (or doc_id)"] * (not {"seg_id", "doc_id"} & {*header})
    if missing:
        raise DataError(
            f"{path}: no MQM table: the column {', '.join(missing)} is missing. Its first row has "
            f"{', '.join(filter(None, header)) or 'nothing'}; that row should name the columns."
        )
    found, unclosed, faults = [], [], []
    for line, row in rows:
        cells = _named(header, row)
        if cells is None:
            faults.append(f"{path}, line {line}: {len(row)} columns, and the first row names {len(header)}")
            continue
        category, severity = cells["category"].strip(), cells["severity"].strip()
        if severity.lower() not in WEIGHTS:
            faults.append(f"{path}, line {line}: severity {severity!r}; known are {', '.join(WEIGHTS)}")
            continue
        text, place = _parted(cells["target"])
        if place is None and (OPEN in cells["target"] or CLOSE in cells["target"]):
            unclosed.append(line)
        clean = severity.lower() == "no-error"
        start, end = place or (None, None)
        found.append(
            _Row(
                line,
                cells["system"].strip(),
                tuple(cells.get(name, "").strip() for name in SEGMENT),
                cells.get("rater", "").strip(),
                cells["source"].replace(OPEN, "").replace(CLOSE, "").strip(),
                text,
                None if clean else TranslationError(category, severity, start, end),
                0.0 if clean else weight(category, severity),
            )
        )
    refuse(faults)
    if not found:
        raise DataError(f"{path}: an MQM table without rows below its header")
    return found, unclosed


def _named(header: Sequence[str], row: Sequence[str]) -> Mapping[str, str] | None:
    """The cells of a row by the names of their columns; None if they do not fit.

    Empty cells may follow; the last columns may be missing if nothing that is needed is among them.
    """
    short = [name for name in header if name not in LACKING]
    for names in (header, short):
        least = max(names.index(name) for name in NEEDED) + 1
        if least <= len(row) and not any(row[len(names) :]) and row[least - 1].strip().lower() in WEIGHTS:
            return dict(zip(names, row, strict=False))
    return dict(zip(header, row, strict=True)) if len(row) == len(header) else None


def _parted(target: str) -> tuple[str, tuple[int, int] | None]:
    """A translation without the marks of its span, and where that was; no place if there is none that closes."""
    text = target.replace(OPEN, "").replace(CLOSE, "")
    cut = len(text) - len(text.lstrip())
    text = text.strip()
    start, end = target.find(OPEN), target.find(CLOSE)
    if start < 0 or end < start or target.count(OPEN) != 1 or target.count(CLOSE) != 1:
        return text, None
    places = (start - cut, end - len(OPEN) - cut)
    first, last = (min(max(place, 0), len(text)) for place in places)
    return text, (first, last)


def _usual(texts: Sequence[str]) -> str:
    """The most frequent of some texts; of equally frequent ones the shortest, since others have something twice."""
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], len(text)))


def _placed(row: _Row, text: str) -> TranslationError:
    """An error with its place in the translation that counts; without one where that cannot be told."""
    error = row.error
    assert error is not None
    if row.text == text or error.start is None:
        return error
    marked = row.text[error.start : error.end]
    at = text.find(marked) if marked.strip() and text.count(marked) == 1 else -1
    return replace(error, start=at, end=at + len(marked)) if at >= 0 else replace(error, start=None, end=None)


def _score(rows: Sequence[_Row]) -> float:
    """Minus the mean over raters of what their errors count; over one, where none is named."""
    raters = {row.rater for row in rows if row.rater}
    return 0.0 - sum(row.weight for row in rows) / max(len(raters), 1)


def _unclosed(path: Path, lines: Sequence[int], marked: int) -> tuple[str, ...]:
    """What there is to say of spans that do not close. DataError if they are many."""
    if not lines:
        return ()
    counted = f"{path}: {len(lines):,} of {marked:,} spans do not close ({listed_lines(lines)})"
    if len(lines) >= FEWEST and len(lines) > SHARE * marked:
        raise DataError(f"{counted}. Each should stand in `target` as {OPEN}…{CLOSE}, once a row.")
    return (f"{counted}; these errors count, without a place",)
