"""Measuring once: results of jobs are kept in the store, named after the contents of everything they come from."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.process import Job, in_own_process
from dragoman.pipeline.verify_inputs import require_whole
from dragoman.store import Artifact, Store, write_atomic

Measured = TypeVar("Measured")


def measured_once(
    store: Store,
    backbone: Model,
    name: str,
    file: str,
    say: Callable[[str], None],
    reads: Sequence[Artifact],
    job: Job[Measured],
) -> Measured:
    """The result of a job, from the store if it was computed before."""
    artifact = store.find(name)
    if artifact is None:
        require_whole(store, reads, backbone.files, name)
        with store.making(name) as out:
            artifact = store.find(name)  # another process may have made it while this one waited
            if artifact is None:
                ran = in_own_process(job, name)
                write_atomic(out / file, json.dumps(ran.result))
                artifact = store.finish(name, {"peak_memory": ran.peak_memory})
    else:
        say(f"✓ {name}  done before")
    return cast(Measured, artifact.read_json(file))
