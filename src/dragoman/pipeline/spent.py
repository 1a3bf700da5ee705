"""Time spent on a stage, over all its parts: an interrupted run leaves behind what it has spent."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from dragoman.store import write_atomic

EVERY = 2.0  # seconds between two notes, and so the most that a kill can make a stage forget


@contextmanager
def spending(path: Path) -> Iterator[Callable[[], float]]:
    """Yields a function that returns the seconds that this work took so far, including interrupted parts.

    They are saved in `path` as they go by, until whoever has finished the work deletes the file.
    """
    before, started, done = _read(path), time.monotonic(), Event()

    def spent() -> float:
        return before + time.monotonic() - started

    def note() -> None:
        with suppress(OSError):  # where the disk is full, the work itself says so
            write_atomic(path, f"{spent():.2f}")

    def keep_noting() -> None:
        note()
        while not done.wait(EVERY):
            note()

    noting = Thread(target=keep_noting, daemon=True)
    noting.start()
    try:
        yield spent
    finally:
        done.set()
        noting.join()
        note()


def _read(path: Path) -> float:
    try:
        return float(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # perhaps after a power failure
        return 0.0
