"""Verifying inputs before a stage reads them: disks fail, and a remembered checksum does not notice.

Files are read whatever is remembered of them, each once per run. A damaged artifact is set aside, to be made again; a
damaged file that is not the store's own, such as the backbone's weights, is a StoreError.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from dragoman.errors import StoreError
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.plan import JOBS, artifact_name
from dragoman.pipeline.stages.stage import RunState, Stage
from dragoman.progress import progress
from dragoman.store import Artifact, Store

MEGA = 1_000_000


def spoiled(stage: Stage, state: RunState) -> list[str]:
    """Titles of the stages whose artifacts, among those that this stage is about to read, are damaged.

    They are set aside. Raises StoreError if a file that the recipe names has changed.
    """
    with state.store.digests.doubted():
        artifact_name(stage, state)  # which asks for the corpora, and what judges
    job = JOBS[stage.kind]
    files = [path for model, weights in job.models(stage, state) for path in _files(model, weights)]
    return examined(state.store, job.artifacts(stage, state), files, stage.title)


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


def _files(model: Model, weights: bool) -> list[Path]:
    return [path for path in model.files if weights or path.suffix not in (".safetensors", ".bin")]


def size_of(artifact: Artifact, pattern: str = "*") -> int:
    """The bytes of the existing files that match."""
    paths = (artifact.folder / file for file in artifact.files if fnmatch(file, pattern))
    return sum(path.stat().st_size for path in paths if path.is_file())
