"""Room that a store takes: finished stages by run and kind, work in progress, what is damaged, completions."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.errors import StoreError
from dragoman.pipeline.storage.needs import ARTIFACTS, PARTIAL, Need, needs
from dragoman.pipeline.storage.verify import NAME, store_at
from dragoman.recipe.schema import Recipe
from dragoman.store import Store

COMPLETIONS, DAMAGED = "completions", "damaged"


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder in the store, its size in bytes, and the runs that need it."""

    name: str
    path: Path
    size: int
    runs: tuple[str, ...] = ()
    at_work: bool = False
    """Whether a process is working in it."""

    @property
    def kind(self) -> str:
        return self.name.split("-")[0]


@dataclass(frozen=True, slots=True)
class Usage:
    """All that is in a store."""

    folder: Path
    needs: Sequence[Need]
    finished: Sequence[Kept]
    partial: Sequence[Kept]
    damaged: Sequence[Kept]
    completions: Kept
    rest: int
    """Bytes of everything else, such as remembered checksums."""

    @property
    def size(self) -> int:
        parts = (*self.finished, *self.partial, *self.damaged, self.completions)
        return sum(one.size for one in parts) + self.rest

    def of(self, run: str | None) -> Mapping[str, int]:
        """Bytes by kind of stage of what a run needs; or of what none does."""
        return by_kind(one for one in self.finished if (run in one.runs if run else not one.runs))

    @property
    def unknown(self) -> Sequence[Need]:
        """The runs of which it is not known what else they need."""
        return [need for need in self.needs if need.unknown]


@dataclass(frozen=True, slots=True)
class Opened:
    """A store, and the folders of the runs that share it; none if the store itself was named."""

    store: Store
    places: Sequence[Path]
    load: Callable[[Path], Recipe]

    def look(self) -> Usage:
        """What it holds now, and which run needs it."""
        return usage(self.store, needs(self.places, self.store, self.load))

    def require_runs(self) -> None:
        """StoreError if it is not known which runs there are."""
        if not self.places:
            raise StoreError(
                f"{self.store.folder} is a store by itself, so nothing tells which runs need what is in it. Name the "
                "folders of runs that use it, as in `dragoman store prune runs`."
            )


def opened(places: Sequence[Path], load: Callable[[Path], Recipe], say: Callable[[str], None]) -> Opened:
    """The store of these folders of runs, or the one that is named itself. StoreError if they do not share one."""
    stores = [store_at(place) for place in places]
    apart = [store for store in stores if store.resolve() != stores[0].resolve()]
    if apart:
        raise StoreError(f"{stores[0]} and {apart[0]} are two stores; look at one after the other.")
    runs = [place for place, store in zip(places, stores, strict=True) if store != place]
    if not runs and stores[0].name == NAME:
        runs = [stores[0].parent]
    return Opened(Store(stores[0], say), runs, load)


def usage(store: Store, needed: Sequence[Need]) -> Usage:
    """Looks at everything in a store. Changes nothing."""

    def kept(path: Path, looked: bool = False) -> Kept:
        runs = tuple(need.run for need in needed if path.name in need.names)
        at_work = False
        if looked:
            with store.free(path.name) as free:
                at_work = not free
        return Kept(path.name, path, size_of(path), runs, at_work)

    folder = store.folder
    finished = [kept(path) for path in _inside(folder / ARTIFACTS)]
    partial = [kept(path, looked=True) for path in _inside(folder / PARTIAL)]
    damaged = [kept(path) for path in _inside(folder / DAMAGED)]
    known = {ARTIFACTS, PARTIAL, DAMAGED, COMPLETIONS}
    rest = sum(size_of(path) for path in folder.iterdir() if path.name not in known)
    return Usage(folder, needed, finished, partial, damaged, kept(folder / COMPLETIONS), rest)


def by_kind(some: Iterable[Kept]) -> dict[str, int]:
    """Bytes of some artifacts by kind of stage."""
    found: dict[str, int] = {}
    for one in some:
        found[one.kind] = found.get(one.kind, 0) + one.size
    return found


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; a file with two names counts once."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() else 0
    seen: dict[tuple[int, int], int] = {}
    for inside, _, files in os.walk(path):
        for name in files:
            try:
                state = (Path(inside) / name).lstat()
            except FileNotFoundError:  # a run has just moved it
                continue
            seen[state.st_dev, state.st_ino] = state.st_size
    return sum(seen.values())


def _inside(folder: Path) -> Collection[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except FileNotFoundError:
        return ()
