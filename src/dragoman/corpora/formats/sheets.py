"""Benchmark tables that come as one file per subject: in a folder, an archive (tar, zip), or individually."""

import csv
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dragoman.corpora.formats.archives import members
from dragoman.corpora.formats.text import BEGINNING, FAULTS, WHOLE, called, decoded, kind, opened, whole
from dragoman.corpora.formats.values import parsed
from dragoman.errors import DataError, from_here
from dragoman.json_values import Json, JsonObject

TABLES = (".csv", ".json", ".jsonl", ".parquet")
PACKED = (".tar", ".tgz", ".tar.gz", ".zip")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file, or a member of an archive: its name in messages, its name without folders, and its bytes."""

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
    """The tables below these places, sorted by name. `DataError` if there is none, or something else."""
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
        raise DataError(f"there is no file or folder {place}{from_here(place)}")
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
    return whole(path, member, text=not (member or path.name).lower().endswith(".parquet"))


def _tar(place: Path, endings: Sequence[str]) -> Iterator[Sheet]:
    try:
        with opened(place, text=False) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() and _meant(member.name, endings) else None
                if file is None:
                    continue
                if member.size > WHOLE:  # a file of nothing but holes has any size that it likes
                    raise DataError(f"{place}: {member.name} in it is over {WHOLE >> 30} GiB")
                yield Sheet(called(place, member.name), PurePosixPath(member.name).name, file.read())
    except DataError:
        raise
    except FAULTS as error:
        with place.open("rb") as raw:
            what = kind(raw.read(BEGINNING))
        raise DataError(
            f"{place}: no tar archive"
            + (f"; it holds {what}" if what else f", or a broken one ({error})")
            + ". Get it anew."
        ) from error


def text(sheet: Sheet) -> str:
    """A table's contents as text. `DataError` if it is not UTF-8."""
    return decoded(sheet.data, sheet.place)


def csv_rows(sheet: Sheet) -> list[list[str]]:
    """The rows of a CSV table; a field in quotes may span several lines. Empty lines are skipped."""
    try:
        return [row for row in csv.reader(io.StringIO(text(sheet), newline="")) if row]
    except csv.Error as error:
        raise DataError(f"{sheet.place}: not a table in CSV ({error})") from error


def records(sheet: Sheet) -> list[JsonObject]:
    """The objects of a table in JSON (a list), JSONL or Parquet."""
    if sheet.suffix == ".parquet":
        return _parquet(sheet)
    if sheet.suffix == ".jsonl":
        numbered = enumerate(text(sheet).split("\n"), start=1)
        listed: Json = [parsed(line, sheet.place, number) for number, line in numbered if line.strip()]
    else:
        listed = parsed(text(sheet), sheet.place)
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else None
    if found is None or not isinstance(listed, list) or len(found) < len(listed):
        raise DataError(f"{sheet.place}: a list of objects is needed, one for each question")
    return found


def _parquet(sheet: Sheet) -> list[JsonObject]:
    import pyarrow
    import pyarrow.parquet

    try:
        rows: list[JsonObject] = pyarrow.parquet.read_table(io.BytesIO(sheet.data)).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:  # broken in one of many ways
        what = kind(sheet.data[:BEGINNING])
        raise DataError(
            f"{sheet.place}: no Parquet file" + (f"; it holds {what}" if what else f" ({error})")
        ) from error
    return rows
