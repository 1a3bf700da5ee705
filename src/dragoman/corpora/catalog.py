"""The catalogue: corpora that a recipe can name, and how their files are fetched.

A file is taken from a mirror (`DRAGOMAN_MIRROR`), this package, the cache, or the network, in this order, and its
checksum is verified every time, wherever it came from. If the catalogue has no checksum, the user is told so whenever
a file is downloaded and wherever its corpus is listed.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from http.client import HTTPException
from importlib.resources import files as package_files
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from urllib.request import urlopen

import yaml

from dragoman.corpora.formats.parallel import ParallelText
from dragoman.disk import beside
from dragoman.errors import DataError
from dragoman.terminal import say, visible

Role = Literal["train", "valid", "test", "dialogues", "prompts", "questions", "ratings"]

PACKAGE = Path(__file__).parent  # has the folders of the corpora that come with the package


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when the entry was written; None for what its publisher does not state."""

    size: int | None = None
    sha256: str | None = None
    address: str | None = None
    """The address to fetch it from, if not its path below the corpus' address."""


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one direction and role; dialogues, prompts and questions have no direction."""

    role: Role
    direction: str = ""
    both: bool = False
    source: str | None = None
    target: str | None = None
    table: str | None = None
    documents: str | None = None
    """A file with the document of each line."""
    references: str = ""
    records: int | None = None
    """The number of lines, as counted when the entry was written, or as the publisher states."""

    lang: str = ""
    """Only records with this value in their field `lang` are read."""
    language: str = ""
    """The language of its conversations, if not English."""

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for path in (self.source, self.target, self.table, self.documents) if path is not None)

    @property
    def directions(self) -> tuple[str, ...]:
        return ParallelText(self.direction, both=self.both).directions


@dataclass(frozen=True, slots=True)
class Entry:
    """A corpus of the catalogue."""

    name: str
    description: str
    licence: str
    homepage: str
    address: str
    """Where its files can be fetched; empty for a corpus that comes with the package."""
    folder: str
    parts: tuple[Part, ...]
    files: Mapping[str, File]
    contained_in: Mapping[str, str] = field(default_factory=dict)
    """For a test set: corpora that contain its sentences, and models (by their prompt's name) that were trained on
    them, each with a sentence that says so.
    """

    def directions(self, role: Role) -> tuple[str, ...]:
        """The directions that the corpus offers for a role."""
        texts = [ParallelText(part.direction, both=part.both) for part in self.parts if part.role == role]
        return tuple(dict.fromkeys(direction for text in texts for direction in text.directions))

    def of(self, role: Role) -> tuple[Part, ...]:
        """The parts for a role. `DataError` if there are none."""
        parts = tuple(part for part in self.parts if part.role == role)
        if not parts:
            roles = ", ".join(dict.fromkeys(part.role for part in self.parts))
            raise DataError(f"corpus {self.name!r} has no {role} part; it has {roles}")
        return parts

    @property
    def size(self) -> int | None:
        """The bytes of all files, None if unknown."""
        sizes = [file.size for file in self.files.values()]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The files without a checksum."""
        return tuple(path for path, file in self.files.items() if file.sha256 is None)


@cache
def catalogue() -> Mapping[str, Entry]:
    """All entries by name."""
    text = package_files("dragoman.corpora").joinpath("catalog.yaml").read_text(encoding="utf-8")
    return {
        name: Entry(
            name=name,
            description=entry["description"],
            licence=entry["licence"],
            homepage=entry["homepage"],
            address=entry.get("address", ""),
            folder=entry["folder"],
            parts=tuple(Part(**part) for part in entry["parts"]),
            files={path: File(**(file or {})) for path, file in entry["files"].items()},
            contained_in=entry.get("contained_in", {}),
        )
        for name, entry in yaml.safe_load(text).items()
    }


def find(name: str) -> Entry:
    """The entry of that name; `DataError` with the nearest names if there is none."""
    entries = catalogue()
    if name not in entries:
        near = get_close_matches(name, entries, n=1)
        raise DataError(
            f"no corpus {name!r} in the catalogue."
            + (f" Did you mean {near[0]!r}?" if near else "")
            + f" It has {', '.join(entries)}. Files of one's own go under `files` (conversations: `file`)."
        )
    return entries[name]


def parallel_text(name: str, role: Role, directions: tuple[str, ...] = ()) -> tuple[ParallelText, ...]:
    """A corpus's files for a role, fetched and verified; with `directions`, only those that serve them."""
    entry = find(name)
    texts = []
    for part in entry.of(role):
        offered = ParallelText(part.direction, both=part.both).directions
        if directions and not set(offered) & set(directions):
            continue
        paths = (part.source, part.target, part.table, part.documents)
        source, target, table, documents = (local(entry, path) if path else None for path in paths)
        texts.append(ParallelText(part.direction, source, target, table, part.both, documents))
    return tuple(texts)


def seen_before(test: str, others: Iterable[str]) -> list[str]:
    """Warnings about a test set that these corpora or models have seen: one sentence for each."""
    entry = catalogue().get(test)
    told = entry.contained_in if entry else {}
    return [told[name] for name in dict.fromkeys(others) if name in told]


def here(entry: Entry, path: str) -> Path | None:
    """Where a corpus's file is on this machine, without checking its checksum; None if it isn't here yet."""
    mirror = os.environ.get("DRAGOMAN_MIRROR")
    if mirror and not Path(mirror).is_dir():
        raise DataError(f"DRAGOMAN_MIRROR names {mirror}, and there is no such folder")
    mirrored = [Path(mirror) / entry.folder / path] if mirror else []
    places = [*mirrored, PACKAGE / entry.folder / path, _cached(entry, path)]
    return next((place for place in places if place.is_file()), None)


def _cached(entry: Entry, path: str) -> Path:
    return cache_folder() / "corpora" / entry.folder / path


def local(entry: Entry, path: str) -> Path:
    """A corpus's file on this machine, its checksum verified; downloads it if it isn't here yet."""
    expected, cached = entry.files[path], _cached(entry, path)
    if place := here(entry, path):
        _verify(place, expected)
        return place
    if not entry.address:
        raise DataError(f"{PACKAGE / entry.folder / path} is missing: it comes with Dragoman. Install Dragoman again.")
    mirror = os.environ.get("DRAGOMAN_MIRROR")
    address = expected.address or f"{entry.address}/{quote(path)}"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise DataError(
            f"{path} of corpus {entry.name!r} is not on this machine, and HF_HUB_OFFLINE forbids to download it. "
            f"Put {address} at {cached}, or let DRAGOMAN_MIRROR name a folder that has {entry.folder}/{path}"
            + (f" ({mirror} has not)." if mirror else ".")
        )
    _download(address, cached, expected)
    return cached


def cache_folder() -> Path:
    """Where downloads are kept: `DRAGOMAN_CACHE`, or `~/.cache/dragoman`."""
    named = os.environ.get("DRAGOMAN_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dragoman"


def _verify(path: Path, expected: File) -> None:
    if expected.sha256 is None:
        if expected.size not in (None, path.stat().st_size):
            raise DataError(
                f"{path} is not the file that the catalogue describes: it has {path.stat().st_size:,} bytes and should "
                f"have {expected.size:,}. Delete it and run again to get it anew."
            )
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected.sha256:
        raise DataError(
            f"{path} is not the file that the catalogue describes: its sha256 is {found} ({path.stat().st_size:,} "
            f"bytes) and should be {expected.sha256} ({_bytes(expected.size)}). Delete it and run again to get it anew."
        )


def _bytes(size: int | None) -> str:
    return "of a size that is not stated" if size is None else f"{size:,} bytes"


def _download(address: str, goal: Path, expected: File) -> None:
    """Downloads beside `goal` and renames when complete and verified, so that a file at `goal` is always whole.

    Without a checksum, complete means as long as the server announced.
    """
    goal.parent.mkdir(parents=True, exist_ok=True)
    partial = beside(goal)
    try:
        found, size, promised = _fetch(address, partial, expected.size)
        if expected.sha256 is None:
            if promised is not None and size != promised:
                raise DataError(
                    f"{address} was cut off: {size:,} of {promised:,} bytes came. Nothing was kept; run again."
                )
            if expected.size not in (None, size):
                raise DataError(
                    f"{address} gave {size:,} bytes, and the catalogue describes a file of {expected.size:,}. Probably "
                    "the file there has changed. Nothing was kept."
                )
        elif found != expected.sha256:
            cut = size < (expected.size or promised or 0)
            reason = "the download was cut off; run again" if cut else "the file there has changed"
            raise DataError(
                f"{address} gave other bytes than the catalogue describes: sha256 {found} ({size:,} bytes) instead of "
                f"{expected.sha256} ({_bytes(expected.size)}). Probably {reason}. Nothing was kept."
            )
        partial.replace(goal)
        if expected.sha256 is None:
            say(
                f"{goal.name} could not be checked: the catalogue has no checksum of it. Its sha256 is {found}.",
                err=True,
            )
    except (HTTPException, OSError) as error:
        raise DataError(
            f"{address} could not be downloaded ({error}). Check the network and run again, or put the file at "
            f"{goal} yourself."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _fetch(address: str, path: Path, size: int | None) -> tuple[str, int, int | None]:
    """Copies what is at an address to a file, with a progress bar.

    Returns its sha256, its size, and the size that the server announced, if any.
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from dragoman.screen import console

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    digest = hashlib.sha256()
    with (
        path.open("wb") as file,
        urlopen(address, timeout=60) as answer,
        Progress(*columns, console=console(err=True), transient=True) as progress,
    ):
        announced = answer.headers.get("Content-Length")
        promised = int(announced) if announced and re.fullmatch("[0-9]{1,18}", announced) else None
        task = progress.add_task(visible(address.rsplit("/", 1)[-1]), total=size or promised)
        while block := answer.read(1 << 18):
            if size is not None and file.tell() + len(block) > size:
                raise DataError(
                    f"{address} gives more than the {size:,} bytes that the catalogue describes. Probably the file "
                    "there has changed. Nothing was kept."
                )
            file.write(block)
            digest.update(block)
            progress.update(task, advance=len(block))
        file.flush()
        os.fsync(file.fileno())
        return digest.hexdigest(), file.tell(), promised
