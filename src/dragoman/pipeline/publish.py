"""Publishing results under `runs/NAME`: small files as copies, models as links into the store.

Only what is not there yet is written, each file beside and renamed: two runs may publish at once, and a read-only
folder is fine if nothing is new. Links are relative, so that a folder of runs can be moved as a whole.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from dragoman.disk import beside, write_atomic
from dragoman.errors import StoreError
from dragoman.pipeline.data.questions import spelled_out
from dragoman.pipeline.rows import recovered, rows, titled, trained, trainings
from dragoman.recipe.schema import Recipe
from dragoman.recipe.write import resolved
from dragoman.store import READ_ONLY, Artifact


def publish(recipe: Recipe, folder: Path, done: Mapping[str, Artifact]) -> None:
    """Puts finished results where a user looks for them. StoreError if something is new and cannot be written."""
    try:
        _write_recipe(folder / "recipe.yaml", resolved(spelled_out(recipe)).encode())
        if "report" in done:
            _publish_report(folder, done["report"].folder / "report")
        for place, target in _links(recipe, folder, done).items():
            link(place, target)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        raise StoreError(
            f"the results of {recipe.name} are in the store and not yet in {folder}, which cannot be written "
            f"({error.strerror})."
        ) from error


def _write_recipe(path: Path, content: bytes) -> None:
    """Keeps an existing file that differs only in the place of the runs: they may have been moved, or mounted
    elsewhere.
    """
    there = _read(path)
    if there is None or _placeless(there) != _placeless(content):
        _write(path, content)


def _placeless(content: bytes) -> list[bytes]:
    return [line for line in content.splitlines() if not line.startswith(b"runs:")]


def _publish_report(folder: Path, source: Path) -> None:
    paths = sorted(file for file in source.rglob("*") if file.is_file())
    for path in paths:
        _write(folder / path.relative_to(source), path.read_bytes())
    kept = {folder / path.relative_to(source) for path in paths}
    for old in sorted((folder / "tables").glob("[!.]*")):  # skip what another run is writing
        if old not in kept and not old.is_dir():  # no longer made
            old.unlink(missing_ok=True)


def _links(recipe: Recipe, folder: Path, done: Mapping[str, Artifact]) -> dict[Path, Path]:
    kinds = ("data", "replay")
    found = {folder / title: one.folder for title, one in done.items() if title.split("-")[0] in kinds}
    for title, judged in done.items():
        if title.startswith("evaluate-"):
            found[folder / "results" / f"{title.removeprefix('evaluate-')}.json"] = judged.folder / "results.json"
    for row, seed in ((row, seed) for row in rows(recipe) for seed in trainings(recipe)):
        label = row if seed is None else f"{row}~{seed}"
        if merged := done.get(titled("merge", row, seed=seed)):
            found[folder / "models" / label] = merged.folder / "model"
        if fitted := done.get(trained(recipe, row, seed)[-1]):
            found[folder / f"{label}.jsonl"] = fitted.folder / "metrics.jsonl"
        if last := done.get(recovered(recipe, row, seed) or ""):
            found[folder / f"{label}.recovery.jsonl"] = last.folder / "metrics.jsonl"
    return found


def _write(path: Path, content: bytes) -> None:
    if _read(path) != content:
        write_atomic(path, content)


def _read(path: Path) -> bytes | None:
    """None if there is no such file, or another run has just removed it."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def link(place: Path, target: Path) -> None:
    """Makes a link beside and renames it over the old one: at no time is there none."""
    wanted = os.path.relpath(target.absolute(), place.parent.absolute())
    if (place.parent.resolve() / wanted).resolve() != target.resolve():  # some folder above is a link itself
        wanted = os.path.relpath(target.resolve(), place.parent.resolve())
    if place.is_symlink() and os.readlink(place) == wanted:
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        new = beside(place)
        new.symlink_to(wanted)
    except OSError as error:
        if error.errno in READ_ONLY and place.resolve() == target.resolve():
            return  # an absolute link leads there as well
        raise
    try:
        new.replace(place)
    except OSError:
        new.unlink(missing_ok=True)
        raise
