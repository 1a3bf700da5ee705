"""Verifying a whole store: reads everything in it and compares it with its checksums, whatever is remembered."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dragoman.disk import other_contents, read_json, sha256, unbroken
from dragoman.errors import StoreError
from dragoman.generation.cache.group import damaged, groups
from dragoman.pipeline.verify_inputs import MEGA, size_of
from dragoman.progress import progress
from dragoman.store import Digests, Store

NAME = ".store"


@dataclass
class Verified:
    """How much was read; damage was reported as it was found."""

    artifacts: int = 0
    files: int = 0
    groups: int = 0
    others: int = 0
    damaged: int = 0


def store_at(place: Path) -> Path:
    """The store in a folder of runs, or the folder itself. StoreError if neither is one."""
    for folder in (place / NAME, place):
        if (folder / "artifacts").is_dir() or (folder / "completions").is_dir():
            return folder
    raise StoreError(f"there is no store in {place}: `dragoman run` makes one in the folder that `runs:` names")


def verify(folder: Path, cache: str | None, say: Callable[[str], None]) -> Verified:
    """Reads everything that is kept and reports damage; what belongs to the store is set aside where possible.

    That is artifacts, completions (also in `cache`, if a recipe keeps them elsewhere), and the harness's results; and
    outside files that runs have read, such as a backbone's weights, if they have not visibly changed since.
    """
    found = Verified()

    def tell(text: str) -> None:
        found.damaged += 1
        say(text)

    store = Store(folder, tell)
    _artifacts(store, found)
    _completions(folder / "completions", found, tell)
    if cache:
        _completions(cache, found, tell)
    for path in sorted((folder / "completions" / "harness").rglob("*-*.json")):
        said = read_json(path)
        if not isinstance(said, dict) or not unbroken(said):
            tell(f"damaged: {path} is not what was written; a model is judged by that task again")
    _others(store, found, tell)
    return found


def _artifacts(store: Store, found: Verified) -> None:
    loaded = [artifact for name in store.names() if (artifact := store.load(name))]
    sizes = [size_of(artifact) for artifact in loaded]
    with progress("artifacts", round(sum(sizes) / MEGA), "MB") as bar:
        for artifact, size in zip(loaded, sizes, strict=True):
            store.whole(artifact)
            found.artifacts += 1
            found.files += len(artifact.files)
            bar.advance(round(size / MEGA))
    store.digests.save()


def _completions(cache: Path | str, found: Verified, tell: Callable[[str], None]) -> None:
    named = groups(cache)
    with progress(f"completions in {cache}", len(named), "groups") as bar:
        for said in damaged(cache, named, bar.advance):
            tell(f"damaged: {said}")
    found.groups += len(named)


def _others(store: Store, found: Verified, tell: Callable[[str], None]) -> None:
    """Files outside that a run has read: recorded by this store, or by the one of which it is a copy."""
    known: dict[Path, str] = {}
    for memo in (Digests(store.folder / "completions" / "weights.json"), store.digests):
        known |= {path: sha for path, sha in memo.remembered().items() if ".store" not in path.parts}
    with progress("files from elsewhere", round(sum(path.stat().st_size for path in known) / MEGA), "MB") as bar:
        for path, sha in sorted(known.items()):
            found.others += 1
            if (now := sha256(path)) != sha:
                tell(f"changed: {other_contents(path, now, sha)}")
            bar.advance(round(path.stat().st_size / MEGA))
