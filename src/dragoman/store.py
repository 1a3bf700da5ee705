"""Finished work on disk: atomic, checksummed, immutable.

An artifact is a folder. It is made under `partial/`, where a run that was cut off finds its
half-done work again; when it is whole its files are checksummed, the manifest is written last, and
the folder moves to `artifacts/` in one rename. What lies there is never changed. A lock for each
artifact keeps two runs on one store apart.
"""

import fcntl
import fnmatch
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.errors import StoreError

FORMAT = 1
MANIFEST = "manifest.json"


def fingerprint(inputs: Any) -> str:
    """A short name for everything that determines an artifact."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Digests:
    """sha256 of files, remembered by path, size and time of change: large weights are read once."""

    def __init__(self, memo: Path):
        self._memo = memo
        self._known: dict[str, list[Any]] = {}
        self._loaded = False

    def of(self, path: Path) -> str:
        if not self._loaded:
            self._known = _read_json(self._memo) or {}
            self._loaded = True
        name, state = str(path.resolve()), path.stat()
        mark = [state.st_size, state.st_mtime_ns, state.st_ino]
        known = self._known.get(name)
        if known and known[:3] == mark:
            return str(known[3])
        digest = sha256(path)
        self._known[name] = [*mark, digest]
        write_atomic(self._memo, json.dumps(self._known))
        return digest


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomic(path: Path, text: str) -> None:
    """Writes beside, flushes to the disk, renames: a reader sees the old text or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # Half a character, as an answer may have, is spelled out: in JSON that is the escape that it is read back from.
    with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished folder and what its manifest says."""

    name: str
    folder: Path
    files: Mapping[str, str]  # path below the folder → sha256
    facts: Mapping[str, Any]  # what the stage noted: counts, seconds, versions

    def digest(self, pattern: str = "*") -> str:
        """One name for the contents of the files that match."""
        return fingerprint({name: sha for name, sha in self.files.items() if fnmatch.fnmatch(name, pattern)})

    def read_json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


class Store:
    """A folder of artifacts. `say` is told what a user should know (damage, waiting)."""

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _: None):
        self.folder = folder
        self.digests = Digests(folder / "digests.json")
        self._say = say
        self._check_version()

    def _check_version(self) -> None:
        mark = self.folder / "store.json"
        known = _read_json(mark)
        if known is None:
            write_atomic(mark, json.dumps({"format": FORMAT}))
        elif known.get("format", 0) > FORMAT:
            raise StoreError(
                f"{self.folder} was written by a newer Dragoman (store format {known['format']}, this one reads "
                f"{FORMAT}). Update Dragoman, or name another folder with `runs:` in the recipe."
            )

    def find(self, name: str) -> Artifact | None:
        """The finished artifact, its checksums verified; None where it is missing or was found damaged.

        A name is a kind, a title and a fingerprint. One of the same kind and fingerprint will do: it was made for
        another row, of the very same things.
        """
        if found := self._verified(name):
            return found
        kind, fingerprinted = name.split("-")[0], name.rsplit("-")[-1]
        twins = sorted((self.folder / "artifacts").glob(f"{kind}-*-{fingerprinted}"))
        return next((found for twin in twins if (found := self._verified(twin.name))), None)

    def _verified(self, name: str) -> Artifact | None:
        folder = self.folder / "artifacts" / name
        manifest = _read_json(folder / MANIFEST)
        if manifest is None:
            if folder.exists():
                self._set_aside(folder, "it has no readable manifest")
            return None
        if manifest["format"] > FORMAT:
            raise StoreError(f"{folder} was written by a newer Dragoman; update it, or remove that folder.")
        for file, sha in manifest["files"].items():
            path = folder / file
            if not path.is_file() or self.digests.of(path) != sha:
                self._set_aside(folder, f"{file} is {'not what was written' if path.is_file() else 'missing'}")
                return None
        return Artifact(name, folder, manifest["files"], manifest["facts"])

    def _set_aside(self, folder: Path, why: str) -> None:
        damaged = self.folder / "damaged" / folder.name
        damaged.parent.mkdir(exist_ok=True)
        shutil.rmtree(damaged, ignore_errors=True)
        folder.rename(damaged)
        self._say(f"damaged: {folder.name} ({why}); it is set aside in {damaged} and made again")

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """The folder to work in, locked; what an interrupted run left there is still in it."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"another run is making {name}; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            partial = self.folder / "partial" / name
            partial.mkdir(parents=True, exist_ok=True)
            yield partial
            if partial.is_dir() and not any(partial.iterdir()):
                partial.rmdir()  # another run had made it

    def finish(self, name: str, facts: Mapping[str, Any]) -> Artifact:
        """Checksums what lies in the working folder, writes the manifest and publishes the whole in one rename."""
        partial = self.folder / "partial" / name
        files: dict[str, str] = {}
        for path in sorted(partial.rglob("*")):
            if path.is_file() and path.name != MANIFEST:
                _flush(path)
                files[path.relative_to(partial).as_posix()] = sha256(path)
        manifest = {"format": FORMAT, "name": name, "facts": dict(facts), "files": files}
        write_atomic(partial / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        final = self.folder / "artifacts" / name
        final.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(final)
        _flush(final.parent)
        return Artifact(name, final, files, facts)

    def need_room(self, needed: int, what: str) -> None:
        """Refuses to begin what the disk cannot hold."""
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise StoreError(
                f"{what} needs about {needed / 1e9:.1f} GB in {self.folder}, and the disk has {free / 1e9:.1f} GB "
                "left. Make room, or name another folder with `runs:` in the recipe."
            )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
