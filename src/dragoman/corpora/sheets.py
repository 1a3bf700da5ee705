"""The tables of a benchmark that comes as one file a subject: in a folder, an archive (tar, zip), or by themselves."""

import csv
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dragoman.corpora.archives import members
from dragoman.corpora.text import BEGINNING, called, kind, opened
from dragoman.errors import DataError

TABLES = (".csv", ".json", ".jsonl", ".parquet")
PACKED = (".tar", ".tgz", ".tar.gz", ".zip")
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file, or a member of an archive: what messages call it, its name without folders, and its bytes."""

    place: str
    name: str
    data: bytes

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def sheets(places: Path | Sequence[Path], endings: Sequence[str] = TABLES) -> list[Sheet]:
    """The tables below these places, in order of their names. `DataError` where there is none, or something else."""
    places = (places,) if isinstance(places, Path) else places
    found = [sheet for place in places for sheet in _below(place, endings)]
    if not found:
        raise DataError(f"{', '.join(map(str, places))}: there is no table in it ({', '.join(endings)})")
    return sorted(found, key=lambda sheet: sheet.name)


def _below(place: Path, endings: Sequence[str]) -> Iterator[Sheet]:
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            if path.is_file() and _meant(path.name, endings):
                yield Sheet(str(path), path.name, _bytes(path))
    elif not place.is_file():
        raise DataError(f"there is no file or folder {place}")
    elif place.name.lower().endswith(".zip"):
        for name in members(place):
            if _meant(name, endings):
                yield Sheet(called(place, name), PurePosixPath(name).name, _bytes(place, name))
    elif place.name.lower().endswith(PACKED):
        yield from _tar(place, endings)
    else:
        yield Sheet(str(place), place.name, _bytes(place))


def _meant(name: str, endings: Sequence[str]) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in endings and not path.name.startswith(".")


def _bytes(path: Path, member: str = "") -> bytes:
    if (member or path.name).lower().endswith(".parquet"):
        if not member:
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    with opened(path, member) as file:  # which refuses what is no text
        return file.read()


def _tar(place: Path, endings: Sequence[str]) -> Iterator[Sheet]:
    try:
        with tarfile.open(place) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() and _meant(member.name, endings) else None
                if file is not None:
                    yield Sheet(called(place, member.name), PurePosixPath(member.name).name, file.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        with place.open("rb") as raw:
            what = kind(raw.read(BEGINNING))
        raise DataError(
            f"{place}: no tar archive"
            + (f"; it holds {what}" if what else f", or a broken one ({error})")
            + ". Get it anew."
        ) from error


def text(sheet: Sheet) -> str:
    """What is in a table. `DataError` where it is not UTF-8."""
    try:
        return sheet.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{sheet.place}: not valid UTF-8 (byte 0x{sheet.data[error.start]:02x} at {error.start + 1:,}). "
            "Convert the file to UTF-8 first, for example with iconv."
        ) from error


def csv_rows(sheet: Sheet) -> list[list[str]]:
    """The rows of a CSV table; a field in quotes may go over several lines. Empty lines are no rows."""
    try:
        return [row for row in csv.reader(io.StringIO(text(sheet), newline="")) if row]
    except csv.Error as error:
        raise DataError(f"{sheet.place}: not a table in CSV ({error})") from error


def records(sheet: Sheet) -> list[dict[str, Any]]:
    """The objects of a table in JSON (a list), JSONL or Parquet."""
    if sheet.suffix == ".parquet":
        return _parquet(sheet)
    try:
        if sheet.suffix == ".jsonl":
            found = [json.loads(line) for line in text(sheet).split("\n") if line.strip()]
        else:
            found = json.loads(text(sheet))
    except json.JSONDecodeError as error:
        raise DataError(f"{sheet.place}: not valid JSON ({error})") from error
    if not isinstance(found, list) or [one for one in found if not isinstance(one, dict)]:
        raise DataError(f"{sheet.place}: a list of objects is needed, one for each question")
    return found


def _parquet(sheet: Sheet) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(sheet.data)).to_pylist()
    except pyarrow.ArrowInvalid as error:
        what = kind(sheet.data[:BEGINNING])
        raise DataError(
            f"{sheet.place}: no Parquet file" + (f"; it holds {what}" if what else f" ({error})")
        ) from error
    return rows


def refuse(faults: Sequence[str]) -> None:
    """Raises `DataError` with the first faults, if there are any."""
    if faults:
        more = [f"… and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise DataError("\n".join([*faults[:SHOWN], *more]))
