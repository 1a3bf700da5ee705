"""Scored outputs: several systems' translations of each sentence with a number for each, as COMET gives them.

They lie in lines that correspond (sources, a system's translations, their scores), in records with a `source`, a
`translation` and a `score`, or in ParroT's JSON, which has the translations of each sentence together. A `severity`
beside a score says how bad the errors are; where there is none, the score does.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dragoman.corpora.formats.judgements.table import Table, listed_lines
from dragoman.corpora.formats.text import ending, lines
from dragoman.corpora.formats.values import is_array, json_file, json_records, parsed
from dragoman.corpora.records import Rated, RatedTranslation, TranslationError
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, JsonObject

ENDINGS = (".json", ".jsonl", ".ndjson")
POINTS = 25.0  # of MQM, from the best translation to the worst, which are 1 and 0 by COMET
DIGITS = 6  # 25 times 0.2 is to be 5
CLEAN = ("no", "no-error")
SEVERITIES = (*CLEAN, "minor", "major")
TOGETHER = ("source", "hypothesis", "rating")
"""Fields of a segment in ParroT's JSON, each a list; `severity` may be there as well."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How scores are read: whose they are, and from which points of MQM on a translation has errors."""

    of: Literal["comet", "mqm"] = "comet"
    minor: float = -1.0
    major: float = -5.0

    def points(self, score: float) -> float:
        """A score in points of MQM: 0 is the best."""
        return round(POINTS * (score - 1), DIGITS) if self.of == "comet" else score

    def severity(self, points: float) -> str:
        return "major" if points <= self.major else "minor" if points <= self.minor else "no"


@dataclass(frozen=True, slots=True)
class Output:
    """A system's translations, a line each, and the file with their scores."""

    file: Path
    scores: Path
    system: str


@dataclass(frozen=True, slots=True)
class _Scored:
    """A translation with its score as it was found. `line` is that of its source, or its number in the file."""

    line: int
    source: str
    text: str
    score: float
    severity: str = ""
    system: str = ""


@dataclass(slots=True)
class _Reading:
    """What is found in a file, and what is wrong with it."""

    found: list[_Scored] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, line: int, place: str, said: Sequence[Json], system: str = "") -> None:
        """Adds a source, a translation, its score and perhaps a severity, or says what is wrong with them."""
        source, text, score, severity = (*said, None)[:4]
        if not isinstance(source, str) or not isinstance(text, str):
            self.faults.append(f"{place}: source and translation must be texts")
        elif (number := _number(score)) is None:
            self.faults.append(f"{place}: {_shown(score)} is no score; a number is needed, as in 0.8312")
        elif severity is not None and str(severity).lower() not in SEVERITIES:
            self.faults.append(f"{place}: severity {_shown(severity)}; known are {', '.join(SEVERITIES)}")
        else:
            word = str(severity or "").lower()
            self.found.append(_Scored(line, source.strip(), text.strip(), number, word, system))


def read(path: Path, languages: tuple[str, str], scale: Scale, origin: str = "") -> Table[Rated]:
    """The segments of a file of records, or of ParroT's JSON. `DataError` with the place of all that is wrong."""
    reading = _Reading()
    if _is_together(path):
        _read_together(path, reading)
    else:
        for number, (place, record) in enumerate(json_records(path, faults=reading.faults), start=1):
            if missing := [name for name in ("source", "translation", "score") if record.get(name) is None]:
                reading.faults.append(f"{place}: {missing[0]!r} is missing. It has {', '.join(record) or 'nothing'}.")
                continue
            said = [record.get(name) for name in ("source", "translation", "score", "severity")]
            reading.add(number, place, said, str(record.get("system") or ""))
    return _table(str(path), reading, languages, scale, origin)


def read_lines(
    source: Path, outputs: Sequence[Output], languages: tuple[str, str], scale: Scale, origin: str = ""
) -> Table[Rated]:
    """The segments of files whose lines correspond. `DataError` where they have not equally many, or for a line that
    is no score.
    """
    sources = [line for _, line in lines(source)]
    reading = _Reading()
    for output in outputs:
        texts, scores = ([line for _, line in lines(path)] for path in (output.file, output.scores))
        for path, there in ((output.file, texts), (output.scores, scores)):
            if len(there) != len(sources):
                reading.faults.append(
                    f"{path}: {len(there):,} lines, and {source} has {len(sources):,}; each sentence needs its own"
                )
        if len(texts) == len(scores) == len(sources):
            for number, said in enumerate(zip(sources, texts, scores, strict=True), start=1):
                reading.add(number, f"{output.scores}, line {number}", said, output.system)
    return _table(str(source), reading, languages, scale, origin)


def _is_together(path: Path) -> bool:
    """Whether a file is one object, with a segment under each of its keys."""
    if ending(path.name) != ".json" or is_array(path):
        return False
    first = next((line for _, line in lines(path) if line.strip()), "")
    try:
        value = parsed(first, str(path))
    except DataError:  # it goes on in the next line
        return True
    return isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())


def _read_together(path: Path, reading: _Reading) -> None:
    segments = json_file(path)
    if not isinstance(segments, dict):
        raise DataError(f"{path}: should be one object, with a segment under each of its keys")
    for number, (name, segment) in enumerate(segments.items(), start=1):
        place = f"{path}, segment {name!r}"
        columns = _columns(segment) if isinstance(segment, dict) else None
        if columns is None:
            reading.faults.append(
                f"{place}: needs lists `source` with one text, `hypothesis` and `rating` with equally many, and as "
                "many `severity`, if there is any"
            )
            continue
        source, *columns = columns
        for row in zip(*columns, strict=True):
            reading.add(number, place, (source[0], *row))


def _columns(segment: JsonObject) -> list[list[Json]] | None:
    """The lists of a segment; None if one is missing or too short."""
    names = (*TOGETHER, *(["severity"] if "severity" in segment else []))
    found = [value for name in names if isinstance(value := segment.get(name), list)]
    fits = len(found) == len(names) and found[0] and len({len(column) for column in found[1:]}) == 1
    return found if fits else None


def _table(name: str, reading: _Reading, languages: tuple[str, str], scale: Scale, origin: str) -> Table[Rated]:
    refuse(reading.faults)
    if not reading.found:
        raise DataError(f"{name}: no scored translation is in it")
    dropped: Counter[str] = Counter()
    segments: dict[str, list[RatedTranslation]] = {}
    sourceless: list[int] = []
    for one in reading.found:
        if not one.source:
            sourceless.append(one.line)
        elif not one.text:
            dropped["empty translation"] += 1
        else:
            segments.setdefault(one.source, []).append(_rated(one, scale))
    dropped["segment without source"] += len({*sourceless})
    doubts: tuple[str, ...] = ()
    if sourceless:
        told = listed_lines(list(dict.fromkeys(sourceless)))
        doubts = (f"{name}: {len({*sourceless}):,} segments without a source ({told})",)
    rated = [Rated(source, tuple(said), *languages, origin) for source, said in segments.items()]
    return Table(rated, +dropped, doubts)


def _rated(one: _Scored, scale: Scale) -> RatedTranslation:
    points = scale.points(one.score)
    severity = one.severity or scale.severity(points)
    errors = () if severity in CLEAN else (TranslationError("", severity),)
    return RatedTranslation(one.text, points, errors, one.system)


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
