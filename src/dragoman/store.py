"""The store: finished work on disk, atomic, checksummed, immutable.

An artifact is a folder. It is made under `partial/`, where an interrupted run finds its half-done work again; when it
is complete its files are checksummed, the manifest is written last, and the folder moves to `artifacts/` in one
rename. After that it is never changed. A lock for each artifact keeps two runs on one store apart. Nothing is written
if nothing is made, so a read-only store can be read.
"""

import errno
import fcntl
import fnmatch
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypedDict, cast

from dragoman.disk import (
    TEMPORARY,
    Digests,
    in_bytes,
    open_as_usual,
    read_json,
    sealed,
    sha256,
    unbroken,
    write_atomic,
)
from dragoman.errors import StoreError
from dragoman.json_values import Json, as_object

__all__ = ["Artifact", "Digests", "Store", "fingerprint", "sha256", "write_atomic"]

FORMAT = 1
MANIFEST = "manifest.json"
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
IN_USE = "in-use"  # the lock that runs share, and that pruning has alone


def fingerprint(inputs: object) -> str:
    """A short hash of everything that determines an artifact."""
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A finished folder and its manifest."""

    name: str
    folder: Path
    files: Mapping[str, str]  # path below the folder → sha256
    facts: Mapping[str, Json]  # what was noted: counts, seconds, versions; `StageJob.facts` knows which

    def digest(self, pattern: str = "*") -> str:
        """One hash of the contents of the files that match."""
        return fingerprint({name: sha for name, sha in self.files.items() if fnmatch.fnmatch(name, pattern)})

    def read_json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


class Store:
    """A folder of artifacts. `say` receives what a user should know (damage, waiting)."""

    def __init__(self, folder: Path, say: Callable[[str], None] = lambda _: None):
        self.folder = folder
        self.digests = Digests(folder / "digests.json")
        self._say = say
        known = self._format()
        if known is not None and known > FORMAT:
            raise StoreError(
                f"{folder} was written by a newer Dragoman (store format {known}, this one reads {FORMAT}). Update "
                "Dragoman, or name another folder with `runs:` in the recipe."
            )

    def _format(self) -> int | None:
        """The store's format number; None if there is none, or it is invalid."""
        mark = read_json(self.folder / "store.json")
        found = mark.get("format") if isinstance(mark, dict) else None
        return found if type(found) is int else None

    def names(self) -> list[str]:
        """The names of all finished artifacts, damaged or not."""
        try:
            return sorted(path.name for path in (self.folder / "artifacts").iterdir() if path.is_dir())
        except FileNotFoundError:
            return []

    def find(self, name: str) -> Artifact | None:
        """The finished artifact with verified checksums; None if it is missing or damaged.

        Files that have not changed since they were read are not read again: see `whole`. A name consists of a kind, a
        title and a fingerprint. An artifact of the same kind and fingerprint will do: it was made for another row,
        from the very same things.
        """
        if found := self._verified(name):
            return found
        kind, fingerprinted = name.split("-")[0], name.rsplit("-")[-1]
        twins = sorted((self.folder / "artifacts").glob(f"{kind}-*-{fingerprinted}"))
        return next((found for twin in twins if (found := self._verified(twin.name))), None)

    def load(self, name: str) -> Artifact | None:
        """An artifact by its manifest, without checking its files. None if it is missing or damaged."""
        folder = self.folder / "artifacts" / name
        try:
            manifest = _read_manifest(folder)
        except _Damage as damage:
            self._set_aside(folder, str(damage))
            return None
        return None if manifest is None else Artifact(name, folder, manifest["files"], manifest["facts"])

    def facts(self) -> list[Mapping[str, Json]]:
        """The facts in the manifests of all finished artifacts. An unreadable manifest is skipped, and
        left as it is.
        """
        found: list[Mapping[str, Json]] = []
        for name in self.names():
            with suppress(_Damage, StoreError):
                manifest = _read_manifest(self.folder / "artifacts" / name)
                found += [] if manifest is None else [manifest["facts"]]
        return found

    def whole(self, artifact: Artifact, pattern: str = "*", read: Callable[[int], None] = lambda _: None) -> bool:
        """Whether the files that match are as they were written: all are read, and `read` is told the size of each.

        If one is damaged, the artifact is set aside.
        """
        return self._holds(artifact, pattern, self.digests.read, read)

    def _verified(self, name: str) -> Artifact | None:
        found = self.load(name)
        return found if found and self._holds(found, "*", self.digests.of) else None

    def _holds(
        self,
        artifact: Artifact,
        pattern: str,
        digest_of: Callable[[Path], str],
        read: Callable[[int], None] = lambda _: None,
    ) -> bool:
        for file, sha in artifact.files.items():
            if fnmatch.fnmatch(file, pattern):
                path = artifact.folder / file
                # What is remembered may be damaged itself: an artifact is set aside for what was read.
                if _fault(path, sha, digest_of) and (why := _fault(path, sha, self.digests.read)):
                    self._set_aside(artifact.folder, f"{file} {why}")
                    return False
                read(path.stat().st_size)
        return True

    def _set_aside(self, folder: Path, why: str) -> None:
        damaged = self.folder / "damaged" / folder.name
        try:
            damaged.parent.mkdir(exist_ok=True)
            shutil.rmtree(damaged, ignore_errors=True)
            folder.rename(damaged)
        except FileNotFoundError:
            return  # another run has just moved it
        except OSError as error:
            if error.errno not in READ_ONLY:
                raise
            self._say(f"damaged: {folder.name} ({why}); it stays in {folder}, which cannot be written")
        else:
            self._say(f"damaged: {folder.name} ({why}); it is set aside in {damaged} and made again")

    def require_writable(self, what: str) -> None:
        """Raises StoreError if nothing can be written although `what` is still to be made."""
        folder = self.folder
        while not folder.exists():
            folder = folder.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreError(
                f"{what} is not made yet, and {folder} cannot be written. What is finished there can be looked at; to "
                "make more, name another folder with `runs:` in the recipe, or see to it that this one can be written."
            )

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Within the block, no other process can be inside for the same name."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / f"{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"another run is making {name}; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within the block, nothing that is finished is pruned. Any number of runs may be inside."""
        with _lock(self.folder / "locks" / f"{IN_USE}.lock") as lock:
            if lock is not None and not _taken(lock, fcntl.LOCK_SH):
                self._say("`dragoman store prune` is at work in this store; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_SH)
            yield

    @contextmanager
    def unused(self) -> Iterator[bool]:
        """Yields whether no run is at work here. If so, none begins within the block: it waits."""
        with _lock(self.folder / "locks" / f"{IN_USE}.lock") as lock:
            yield lock is not None and _taken(lock, fcntl.LOCK_EX)

    @contextmanager
    def free(self, name: str) -> Iterator[bool]:
        """Yields whether nobody is making this artifact. If so, nobody begins within the block."""
        with _lock(self.folder / "locks" / f"{name}.lock") as lock:
            yield lock is None or _taken(lock, fcntl.LOCK_EX)

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """The folder to work in, locked; it still contains what an interrupted run left."""
        self.require_writable(name)
        if self._format() is None:
            write_atomic(self.folder / "store.json", json.dumps({"format": FORMAT}))
        with self.alone(name):
            partial = self.folder / "partial" / name
            partial.mkdir(parents=True, exist_ok=True)
            yield partial
            if partial.is_dir() and not any(partial.iterdir()):
                partial.rmdir()  # another run has made the artifact

    def finish(self, name: str, facts: Mapping[str, object]) -> Artifact:
        """Checksums the working folder, writes the manifest and publishes it all in one rename."""
        partial = self.folder / "partial" / name
        open_as_usual(partial)
        files: dict[str, str] = {}
        for path in sorted(partial.rglob("*")):
            if path.name.startswith(TEMPORARY):
                path.unlink()  # of a run that was killed while it wrote
            elif path.is_file() and path.name != MANIFEST:
                _flush(path)
                files[path.relative_to(partial).as_posix()] = sha256(path)
        manifest = sealed({"format": FORMAT, "name": name, "facts": dict(facts), "files": files})
        write_atomic(partial / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False))
        final = self.folder / "artifacts" / name
        final.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(final)
        _flush(final.parent)
        for file, sha in files.items():
            self.digests.note(final / file, sha)
        return Artifact(name, final, files, as_object(manifest["facts"]))

    def need_room(self, needed: int, what: str, spare: int = 0) -> None:
        """Raises StoreError if the disk has no room for what is about to be made, and for `spare` bytes beside it."""
        free = shutil.disk_usage(self.folder).free
        if free < needed + spare:
            raise StoreError(
                f"{what} needs about {in_bytes(needed)} in {self.folder}, and the disk has {in_bytes(free)} left"
                f"{f'; {in_bytes(spare)} should stay free besides' if spare else ''}. "
                "Make room (`dragoman store` tells what takes it), or name another folder with `runs:` in the recipe."
            )


def _fault(path: Path, sha: str, digest_of: Callable[[Path], str]) -> str | None:
    """What is wrong with a file that should have this digest."""
    try:
        return None if digest_of(path) == sha else "is not what was written"
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return "is missing"
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return "cannot be read from the disk"


@contextmanager
def _lock(path: Path) -> Iterator[int | None]:
    """A lock's open file, made if it is missing; None where there is none and none can be written."""
    handle = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def _taken(lock: int, how: int) -> bool:
    """Takes a lock unless others have it; returns whether it was taken."""
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Manifest(TypedDict):
    """What is written beside an artifact's files, once it is finished."""

    format: int
    name: str
    files: dict[str, str]
    facts: dict[str, Json]


class _Damage(Exception):
    """Why an artifact is not as it was finished."""


def _read_manifest(folder: Path) -> Manifest | None:
    """A complete manifest; None if there is no artifact. `_Damage` says what is wrong with it.

    A manifest from before they had checksums is accepted as it is.
    """
    manifest = read_json(folder / MANIFEST)
    if manifest is None:
        if folder.exists():
            raise _Damage("it has no readable manifest")
        return None
    if not isinstance(manifest, dict) or not unbroken(manifest):
        raise _Damage("its manifest is not what was written")
    known = manifest.get("format")
    if not isinstance(known, int) or isinstance(known, bool):
        raise _Damage("its manifest says no format")
    if known > FORMAT:
        raise StoreError(f"{folder} was written by a newer Dragoman; update it, or remove that folder.")
    files, facts = manifest.get("files"), manifest.get("facts")
    if manifest.get("name") != folder.name or not isinstance(facts, dict) or not isinstance(files, dict):
        raise _Damage("its manifest does not say what it must")
    if not all(isinstance(sha, str) and _is_inside(name) for name, sha in files.items()):
        raise _Damage("its manifest names no files of its own")
    return cast(Manifest, manifest)


def _is_inside(name: str) -> bool:
    """Whether this can be the name of a file below an artifact's folder."""
    path = PurePosixPath(name)
    try:
        fitting = all(len(os.fsencode(part)) < 256 for part in path.parts)
    except UnicodeEncodeError:
        return False
    return fitting and bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name
