"""Scores on disk: a file for each checkpoint, to which records are only ever added.

A record is 16 bytes of what was scored, the score, and a checksum of both. Writers take turns by a lock on the file;
what a killed writer left behind is cut off by the next one, and whatever else is damaged is not read, so it is scored
again. A file that cannot be used at all costs nothing but the time it would have saved.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from struct import Struct
from zlib import crc32

from dragoman.generation.progress import note

_VALUE = Struct("<16sd")
_RECORD = Struct("<16sdI")


def key(salt: str, texts: Iterable[str]) -> bytes:
    """What a score is known by; `salt` is whatever else determines it."""
    digest = sha256(salt.encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.digest()[:16]


class Scores:
    """The scores in a file; there need not be one."""

    def __init__(self, path: Path):
        self._path = path
        self._usable = True

    def read(self) -> dict[bytes, float]:
        """All that is whole."""
        try:  # the edge to the disk
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._give_up("read", error)
            return {}
        found = {}
        for known_by, score, check in _RECORD.iter_unpack(data[: len(data) // _RECORD.size * _RECORD.size]):
            if crc32(_VALUE.pack(known_by, score)) == check:
                found[known_by] = score
        return found

    def add(self, scores: Mapping[bytes, float]) -> None:
        """Writes these at the end, and flushes them to the disk."""
        if not self._usable or not scores:
            return
        values = [_VALUE.pack(known_by, score) for known_by, score in scores.items()]
        data = b"".join(value + crc32(value).to_bytes(4, "little") for value in values)
        try:  # the edge to the disk
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = os.fstat(file.fileno()).st_size
                file.truncate(size - size % _RECORD.size)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._give_up("written", error)

    def _give_up(self, done: str, error: OSError) -> None:
        self._usable = False
        note(f"{self._path} cannot be {done} ({error.strerror}): scores are not kept this time")
