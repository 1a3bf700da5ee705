"""Pruning a store: removing what no run needs. What a process is working with always stays.

What goes is renamed first and removed then, so that a kill leaves nothing that looks like an artifact.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dragoman.pipeline.storage.usage import Kept, Usage
from dragoman.store import Store

REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What else is to go, beside what no run needs."""

    completions: bool = False
    """Cached completions."""
    resumable: bool = False
    """What interrupted runs would go on from."""


@dataclass(slots=True)
class Pruning:
    """What can go, and in sentences why something else cannot."""

    finished: list[Kept] = field(default_factory=list)
    partial: list[Kept] = field(default_factory=list)
    damaged: list[Kept] = field(default_factory=list)
    completions: list[Kept] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[Kept]:
        return [*self.finished, *self.partial, *self.damaged, *self.completions]

    @property
    def size(self) -> int:
        return sum(one.size for one in self.every)


def prunable(store: Store, found: Usage, wanted: Wanted) -> Pruning:
    """What would go now. Changes nothing."""
    with store.unused() as unused:
        return _prunable(found, wanted, unused)


def prune(store: Store, look: Callable[[], Usage], wanted: Wanted) -> Pruning:
    """Removes what can go, and returns what went. `look` is called once no run can begin any more."""
    store.require_writable("nothing can be removed: pruning")
    with store.unused() as unused:
        going = _prunable(look(), wanted, unused)
        aside = store.folder / REMOVING
        going.partial = [one for one in going.partial if _removed_if_free(store, one, aside)]
        for one in (*going.finished, *going.damaged, *going.completions):
            _remove(one.path, aside)
        shutil.rmtree(aside, ignore_errors=True)
    return going


def _prunable(found: Usage, wanted: Wanted, unused: bool) -> Pruning:
    going = Pruning(stays=list(_stays(found, wanted, unused)))
    going.partial = [one for one in found.partial if not one.at_work and (wanted.resumable or not one.runs)]
    if unused:
        going.damaged = list(found.damaged)
        if wanted.completions and found.completions.size:
            going.completions = [found.completions]
        if not found.unknown:
            going.finished = [one for one in found.finished if not one.runs]
    return going


def _stays(found: Usage, wanted: Wanted, unused: bool) -> Iterator[str]:
    free = [one for one in found.finished if not one.runs]
    if not unused:
        yield "A run is at work in this store: finished stages, completions and damaged ones stay until it is done."
    elif free:
        for need in found.unknown:
            yield (
                f"{need.run}: what it needs is not known for certain ({need.unknown}), so {len(free)} finished stages "
                f"that no other run needs stay. Run it once more, or remove {need.folder}."
            )
    busy = [one.name for one in found.partial if one.at_work]
    if busy:
        yield f"Being worked on: {', '.join(busy)}."
    left = [one for one in found.partial if one.runs and not one.at_work]
    if left and not wanted.resumable:
        names = ", ".join(f"{one.name} ({', '.join(one.runs)})" for one in left)
        yield f"Interrupted runs would go on from {names}; --partial removes that as well."


def _removed_if_free(store: Store, one: Kept, aside: Path) -> bool:
    with store.free(one.name) as free:
        if free and one.path.is_dir():
            _remove(one.path, aside)
            (store.folder / "spent" / one.name).unlink(missing_ok=True)
            return True
    return False


def _remove(path: Path, aside: Path) -> None:
    aside.mkdir(exist_ok=True)
    gone = aside / path.name
    shutil.rmtree(gone, ignore_errors=True)  # of a pruning that was cut off
    with suppress(FileNotFoundError):
        os.rename(path, gone)
    shutil.rmtree(gone, ignore_errors=True)
