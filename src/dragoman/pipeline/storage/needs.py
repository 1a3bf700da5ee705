"""Needs of recipes: which artifacts of a store the runs in `runs/` still use.

A run notes in `runs/NAME/stages.json` what its stages are called in the store, those that it has yet to make included.
What its links lead to is needed too, and so are models of the store that its recipe names. Runs of earlier versions
have no such note: their recipe is planned, and if that is impossible, it is not known what else they need.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from dragoman.disk import read_json, write_atomic
from dragoman.errors import DragomanError
from dragoman.json_values import Json
from dragoman.pipeline.plan import Plan, plan
from dragoman.pipeline.rows import in_order, rows_before
from dragoman.recipe.schema import Recipe
from dragoman.store import READ_ONLY, Store

NOTE = "stages.json"
RECIPE = "recipe.yaml"
ARTIFACTS, PARTIAL = "artifacts", "partial"


@dataclass(frozen=True, slots=True)
class Need:
    """What a run needs of the store, by the names of artifacts; of finished ones and of those it would go on with."""

    run: str
    folder: Path
    names: frozenset[str]
    unknown: str = ""
    """Why it may need more than that; empty if all is known."""


def note_stage(folder: Path, title: str, name: str) -> None:
    """Notes that a run needs an artifact, beside those that its stages were called before."""
    noted = _noted(folder) or {}
    if name not in noted.get(title, ()):
        _write(folder, noted | {title: [*noted.get(title, ()), name]})


def note_all(folder: Path, names: Mapping[str, str]) -> None:
    """Notes what a whole run needs, and nothing else any more."""
    wanted = {title: [name] for title, name in names.items()}
    if _noted(folder) != wanted:
        _write(folder, wanted)


def stale(plan: Plan) -> list[str]:
    """A sentence for each row that is to do while rows after it were done: those are made again."""
    noted = _noted(Path(plan.recipe.runs) / plan.recipe.name) or {}
    merges = [step.stage for step in plan.steps if step.stage.kind == "merge" and not step.artifact]
    todo = {stage.row for stage in merges}
    names = {stage.row: noted.get(stage.title, ()) for stage in merges}
    found: dict[str, list[str]] = {}
    for row in in_order(plan.recipe):
        first = next((one for one in rows_before(plan.recipe, row) if one in todo), None)
        if first and any((plan.store.folder / ARTIFACTS / name).is_dir() for name in names.get(row, ())):
            found.setdefault(first, []).append(row)
    return [
        f"{first} is to do, so what comes after it is stale, and is made again: {', '.join(some)}."
        for first, some in found.items()
    ]


def since_report(folder: Path) -> list[str]:
    """The stages that were begun after a run's report was made: by then they had another name, or none."""
    noted = _noted(folder) or {}
    titles = list(noted)
    later = titles[titles.index("report") + 1 :] if "report" in noted else titles
    return [title for title, names in noted.items() if len(names) > 1 or title in later]


def needs(places: Sequence[Path], store: Store, load: Callable[[Path], Recipe]) -> list[Need]:
    """What every run in these folders of runs needs. `load` reads a recipe."""
    found = []
    for place in places:
        for folder in sorted(place.iterdir()):
            if not folder.name.startswith(".") and folder.is_dir():
                name = folder.name if len(places) == 1 else str(folder)
                need = _need(name, folder, store, load)
                found += [need] if need.names or need.unknown else []
    return found


def _need(name: str, folder: Path, store: Store, load: Callable[[Path], Recipe]) -> Need:
    names = set(_linked(folder, store)) | set(_named(folder, store))
    noted = _noted(folder)
    unknown = ""
    if noted is not None:
        names.update(name for several in noted.values() for name in several)
    elif (folder / NOTE).exists():
        unknown = f"{folder / NOTE} cannot be read"
    elif (folder / RECIPE).exists():
        planned, unknown = _planned(folder, store, load)
        names |= planned
    return Need(name, folder, frozenset(names), unknown)


def _planned(folder: Path, store: Store, load: Callable[[Path], Recipe]) -> tuple[set[str], str]:
    """The artifacts that a recipe's plan finds; and why that may not be all."""
    try:  # a recipe from outside, whose files may be gone
        steps = plan(load(folder / RECIPE), store).steps
    except (DragomanError, OSError) as error:
        return set(), f"its recipe cannot be planned: {str(error).splitlines()[0] if str(error) else error!r}"
    names = {step.artifact.name for step in steps if step.artifact} | {step.name for step in steps if step.name}
    todo = [step.stage.title for step in steps if not step.artifact]
    return names, f"it was run by an earlier version, and {todo[0]} would be done again" if todo else ""


def _linked(folder: Path, store: Store) -> Iterator[str]:
    """The artifacts that links in a folder lead to."""
    for inside, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(inside) / name
            if path.is_symlink():
                yield from _artifact(path, store)


def _named(folder: Path, store: Store) -> Iterator[str]:
    """The artifacts that a run's recipe names, as a backbone that another recipe has trained."""
    try:  # a file from outside; paths in it count from the working folder
        said: Json = yaml.safe_load((folder / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return
    for text in _texts(said):
        if "/" in text:
            for path in (Path(text), folder.parent.parent / text):
                yield from _artifact(path, store)


def _texts(said: Json) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, list | dict):
        for one in said.values() if isinstance(said, dict) else said:
            yield from _texts(one)


def _artifact(path: Path, store: Store) -> Iterable[str]:
    """The name of the artifact that a path leads into."""
    try:
        inside = Path(os.path.realpath(path)).relative_to(Path(os.path.realpath(store.folder / ARTIFACTS)))
    except (ValueError, OSError):
        return ()
    return inside.parts[:1]


def _noted(folder: Path) -> dict[str, list[str]] | None:
    """What a run has noted; None if it has not, or the note is invalid."""
    said = read_json(folder / NOTE)
    if not isinstance(said, dict):
        return None
    found: dict[str, list[str]] = {}
    for title, names in said.items():
        if not isinstance(names, list):
            return None
        found[title] = [name for name in names if isinstance(name, str)]
    return found


def _write(folder: Path, noted: Mapping[str, list[str]]) -> None:
    try:
        write_atomic(folder / NOTE, json.dumps(noted, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        if error.errno not in READ_ONLY:  # there, nothing can be pruned either
            raise
