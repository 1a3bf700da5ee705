"""COMET's cache on disk: scores, and vectors of texts; one append-only file of each per checkpoint.

A record is the 16-byte key of what it belongs to, its value, and a checksum of both. Writers take turns by a lock on
the file; what a killed writer left half-written is cut off by the next one, and other damaged records are ignored and
computed again. An unusable file costs nothing but the time it would have saved.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from struct import Struct
from zlib import crc32

import numpy as np

from dragoman.progress import note

_KEY, _CHECK = 16, 4
_SCORE = Struct("<d")


def key(salt: str, texts: Iterable[str]) -> bytes:
    """The key of a record; `salt` is whatever else determines its value."""
    digest = sha256(salt.encode())
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.digest()[:_KEY]


class Scores:
    """The scores in a file, which need not exist."""

    def __init__(self, path: Path):
        self._records = _Records(path, _SCORE.size)

    def read(self) -> dict[bytes, float]:
        """All intact scores."""
        return {known_by: _SCORE.unpack(value)[0] for known_by, value in self._records.read()}

    def add(self, scores: Mapping[bytes, float]) -> None:
        """Appends these, and flushes them to the disk."""
        self._records.add({known_by: _SCORE.pack(score) for known_by, score in scores.items()})


class Vectors:
    """The vectors in a file, `width` numbers each; the file need not exist."""

    def __init__(self, path: Path, width: int):
        self._records = _Records(path, 4 * width)

    def read(self, wanted: Mapping[bytes, str]) -> dict[str, np.ndarray]:
        """The intact vectors of these texts."""
        return {
            wanted[known_by]: np.frombuffer(value, "<f4")
            for known_by, value in self._records.read()
            if known_by in wanted
        }

    def add(self, vectors: Mapping[bytes, np.ndarray]) -> None:
        """Appends these, and flushes them to the disk."""
        self._records.add({known_by: vector.astype("<f4").tobytes() for known_by, vector in vectors.items()})


class _Records:
    """Values of one size in a file, by key."""

    def __init__(self, path: Path, size: int):
        self._path = path
        self._size = _KEY + size + _CHECK
        self._usable = True

    def read(self) -> Iterator[tuple[bytes, bytes]]:
        try:  # the edge to the disk
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            self._give_up("read", error)
            return
        for start in range(0, len(data) - self._size + 1, self._size):
            record, check = (
                data[start : start + self._size - _CHECK],
                data[start + self._size - _CHECK : start + self._size],
            )
            if crc32(record) == int.from_bytes(check, "little"):
                yield record[:_KEY], record[_KEY:]

    def add(self, values: Mapping[bytes, bytes]) -> None:
        if not self._usable or not values:
            return
        records = (known_by + value for known_by, value in values.items())
        data = b"".join(record + crc32(record).to_bytes(_CHECK, "little") for record in records)
        try:  # the edge to the disk
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                size = os.fstat(file.fileno()).st_size
                file.truncate(size - size % self._size)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._give_up("written", error)

    def _give_up(self, done: str, error: OSError) -> None:
        self._usable = False
        note(f"{self._path} cannot be {done} ({error.strerror}): what it would hold is not kept this time")
