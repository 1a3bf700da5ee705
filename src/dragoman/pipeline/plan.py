"""Planning: a recipe becomes stages, each with a name made from the contents it depends on.

A stage is named after the *contents* of what it reads, not after the settings upstream. So a change without effect
goes no further: after a reworded comment in a method, its examples are made again (from cached completions), but
training, which sees the same examples, is not run.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import dragoman
from dragoman.pipeline.data.make_data import missing
from dragoman.pipeline.models.cast import Cast, Model, find_cast
from dragoman.pipeline.rows import learnt, recovered, rounds, rows, settings_of, taught_as, titled, trained, trainings
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.evaluate import Evaluate
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.stages.merge import Merge
from dragoman.pipeline.stages.recover import Recover
from dragoman.pipeline.stages.replay import MakeReplay
from dragoman.pipeline.stages.report import MakeReport
from dragoman.pipeline.stages.stage import Kind, RunState, Stage, StageJob
from dragoman.pipeline.stages.train import Train
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, Store, fingerprint

JOBS: Mapping[Kind, type[StageJob[Mapping[str, object]]]] = {
    "data": MakeData,
    "replay": MakeReplay,
    "examples": MakeExamples,
    "train": Train,
    "recover": Recover,
    "merge": Merge,
    "evaluate": Evaluate,
    "report": MakeReport,
}
"""The job of each kind of stage."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage in a plan. Its name is known once everything it needs is done."""

    stage: Stage
    name: str | None
    artifact: Artifact | None


@dataclass(frozen=True, slots=True)
class Plan:
    recipe: Recipe
    cast: Cast
    store: Store
    steps: tuple[Step, ...]
    missing: tuple[str, ...] = ()
    """Corpora that a run fetches first. Until they are here, it is not known whether anything is done."""

    @property
    def backbone(self) -> Model:
        return self.cast.backbone

    @property
    def others(self) -> Mapping[str, Model]:
        return self.cast.others

    @property
    def finished(self) -> bool:
        return all(step.artifact for step in self.steps)


def stages(recipe: Recipe) -> list[Stage]:
    """All stages of a recipe, in an order in which they can be done.

    Examples that do not depend on a training are made once and shared by the seeds.
    """
    every = [settings_of(recipe, row) for row in rows(recipe)]
    replay = [Stage("replay", "", ("data",))] * any(one.replay or one.recovery for one in every)
    found = [Stage("data", ""), *replay, Stage("evaluate", "backbone", ("data",))]
    for row in sorted(rows(recipe), key=lambda row: taught_as(recipe, row) != row):  # what is shared comes first
        if rounds(recipe, row) == 1 and taught_as(recipe, row) == row:
            found.append(Stage("examples", row, ("data",)))
        for seed in trainings(recipe):
            found += _training(recipe, row, seed)
    found += [Stage("evaluate", one.row, ("data",)) for one in recipe.compare]
    judged = (stage.title for stage in found if stage.row not in ("", "backbone") and not stage.round)
    made = (stage.title for stage in replay)
    return [*found, Stage("report", "", ("data", *made, "evaluate-backbone", *judged))]


def _training(recipe: Recipe, row: str, seed: int | None) -> list[Stage]:
    """The stages of one training of a row, including its evaluation; without the training if another row has it."""
    recover = recovered(recipe, row, seed)
    merge = Stage("merge", row, (recover or trained(recipe, row, seed)[-1],), seed=seed)
    judged = [merge, Stage("evaluate", row, ("data", merge.title), seed=seed)]
    if taught_as(recipe, row) != row:
        return judged
    found: list[Stage] = []
    before: tuple[str, ...] = ()
    count = rounds(recipe, row)
    replay = ("replay",) if settings_of(recipe, row).replay else ()
    for round, examples in zip([*range(1, count), 0], learnt(recipe, row, seed), strict=True):
        if count > 1:
            found.append(Stage("examples", row, ("data", *before), round, seed))
        found.append(Stage("train", row, (examples, *before, *replay), round, seed))
        before = (found[-1].title,)
    if recover:
        found.append(Stage("recover", row, (*before, "replay"), seed=seed))
    return [*found, *judged]


def kind_of_work(recipe: Recipe, stage: Stage, backbone: Model) -> list[str]:
    """The key of a work rate: two stages with the same key take the same time for the same amount of work."""
    method = rows(recipe)[stage.row][0] if stage.row in rows(recipe) else stage.row
    settings = settings_of(recipe, stage.row) if stage.kind == "train" else None
    whole, replay = settings is not None and settings.lora is None, settings is not None and settings.replay is not None
    return [stage.kind, method, backbone.digest, *["all weights"] * whole, *["replay"] * replay]


def open_store(recipe: Recipe, say: Callable[[str], None] = lambda _: None) -> Store:
    return Store(Path(recipe.runs) / ".store", say)


def plan(recipe: Recipe, store: Store | None = None) -> Plan:
    """What is done and what is not. Reads manifests and checksums; starts and fetches nothing.

    Writes only the remembered checksums of files, if it can.
    """
    store = store or open_store(recipe)
    state = RunState(recipe, find_cast(recipe, store.digests), store, {})
    steps = []
    waiting = missing(recipe)
    for stage in stages(recipe):
        unknown = stage.kind == "data" and waiting
        name = None if unknown else artifact_name(stage, state)
        artifact = store.find(name) if name else None
        if artifact:
            state.done[stage.title] = artifact
        steps.append(Step(stage, name, artifact))
    store.digests.save()
    return Plan(recipe, state.cast, store, tuple(steps), waiting)


def artifact_name(stage: Stage, state: RunState) -> str | None:
    """The stage's kind, row and fingerprint; None until everything it needs is done.

    The seed is only in the fingerprint, so that a recipe with one seed and one with three share what is the same.
    """
    if any(need not in state.done for need in stage.needs):
        return None
    job = JOBS[stage.kind]
    made_by = job.made_by if isinstance(job.made_by, int) else code_digest(*job.made_by)
    inputs = job.inputs(stage, state) | {"made by": made_by}
    title = titled(stage.kind, stage.row, stage.round) if stage.row else stage.kind
    return f"{title}-{fingerprint(inputs)}"


def code_digest(*rooms: str) -> str:
    """A hash of the source text of these rooms or modules."""
    root = Path(dragoman.__file__).parent
    digest = hashlib.sha256()
    for room in rooms:
        paths = [root / room] if room.endswith(".py") else (root / room).rglob("*")
        for path in sorted(paths):
            if path.suffix in {".py", ".html", ".css", ".js"}:
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
