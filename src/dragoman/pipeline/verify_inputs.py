"""Verifying inputs before a stage reads them: disks fail, and a remembered checksum does not notice.

Files are read whatever is remembered of them, each once per run. A damaged artifact is set aside, to be made again; a
damaged file that is not the store's own, such as the backbone's weights, is a StoreError.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from dragoman import suites
from dragoman.errors import StoreError
from dragoman.pipeline.models.cast import Cast, Model, writer
from dragoman.pipeline.plan import Stage, artifact_name, rows
from dragoman.progress import progress
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, Store

MEGA = 1_000_000
SHOWN = {"evaluate": "*", "examples": "samples.json", "train": "metrics.jsonl"}  # of each kind of stage in a report


def spoiled(recipe: Recipe, stage: Stage, cast: Cast, done: Mapping[str, Artifact], store: Store) -> list[str]:
    """Titles of the stages whose artifacts, among those that this stage is about to read, are damaged.

    They are set aside. Raises StoreError if a file that the recipe names has changed.
    """
    with store.digests.doubted():
        artifact_name(recipe, stage, cast, done, store)  # which asks for the corpora, and what judges
    files = [path for model, weights in _models(recipe, stage, cast) for path in _files(model, weights)]
    read = {title: (done[title], "*") for title in done if title in (*stage.needs, "data")}
    if stage.kind == "report":
        read = {title: (made, SHOWN.get(title.split("-")[0], "")) for title, made in done.items()}
    return examined(store, read, files, stage.title)


def require_whole(store: Store, artifacts: Sequence[Artifact], files: Sequence[Path], what: str) -> None:
    """Raises StoreError if something that is about to be read is damaged."""
    if damaged := examined(store, {artifact.name: (artifact, "*") for artifact in artifacts}, files, what):
        raise StoreError(
            f"{', '.join(damaged)}: what the disk holds is not what was written. It is set aside; run again, and it is "
            "made again."
        )


def examined(
    store: Store, artifacts: Mapping[str, tuple[Artifact, str]], files: Sequence[Path], what: str
) -> list[str]:
    """Reads artifacts (the files that match each one's pattern) and other files; returns which artifacts were
    damaged.
    """
    sizes = [path.stat().st_size for path in files]
    sizes += [size_of(artifact, pattern) for artifact, pattern in artifacts.values()]
    found = []
    with progress(f"checking what {what} reads", round(sum(sizes) / MEGA), "MB") as bar:
        with store.digests.doubted():
            for path in files:
                store.digests.of(path)
                bar.advance(round(path.stat().st_size / MEGA))
        for title, (artifact, pattern) in artifacts.items():
            if not store.whole(artifact, pattern, lambda size: bar.advance(round(size / MEGA))):
                found.append(title)
    store.digests.save()
    return found


def _models(recipe: Recipe, stage: Stage, cast: Cast) -> list[tuple[Model, bool]]:
    """The models that a stage opens, and whether with their weights: a trained row's weights are an artifact."""
    if stage.kind in ("data", "report"):
        return []
    if stage.kind in ("train", "merge"):
        return [(cast.backbone, True)]
    if stage.kind == "examples":
        named = writer(rows(recipe)[stage.row][1])
        return [(cast.backbone, True), *([(cast.others[named], True)] if named else [])]
    trained = len(stage.needs) > 1
    compared = stage.row != "backbone" and any(suite.compares for suite in suites.of(recipe))
    judges = [(judge, True) for judge in cast.judges.values()]
    return [(cast.voice(stage.row), not trained), *judges, *([(cast.backbone, True)] if compared else [])]


def _files(model: Model, weights: bool) -> list[Path]:
    return [path for path in model.files if weights or path.suffix not in (".safetensors", ".bin")]


def size_of(artifact: Artifact, pattern: str = "*") -> int:
    """The bytes of the existing files that match."""
    paths = (artifact.folder / file for file in artifact.files if fnmatch(file, pattern))
    return sum(path.stat().st_size for path in paths if path.is_file())
