"""Planning: a recipe becomes stages, each with a name made from the contents it depends on.

A stage is named after the *contents* of what it reads, not after the settings upstream. So a change without effect
goes no further: after a reworded comment in a method, its examples are made again (from cached completions), but
training, which sees the same examples, is not run.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dragoman
from dragoman import suites
from dragoman.errors import DragomanError, RecipeError
from dragoman.methods import Elsewhere, available
from dragoman.pipeline.data.make_data import missing
from dragoman.pipeline.models.cast import Cast, Model, find_cast
from dragoman.pipeline.rows import (
    after_of,
    begins_with,
    extended,
    in_order,
    learnt,
    merged_before,
    recovered,
    replayed,
    rounds,
    rows,
    settings_of,
    starts_apart,
    taught_as,
    titled,
    trained,
    training_of,
    trainings,
)
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.evaluate import Evaluate
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.stages.extend import Extend
from dragoman.pipeline.stages.merge import Merge
from dragoman.pipeline.stages.recover import Recover
from dragoman.pipeline.stages.replay import MakeReplay
from dragoman.pipeline.stages.report import MakeReport
from dragoman.pipeline.stages.stage import Kind, RunState, Stage, StageJob, finished_model
from dragoman.pipeline.stages.train import Train
from dragoman.recipe.faults import suggestion
from dragoman.recipe.load import load
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, Store, fingerprint

JOBS: Mapping[Kind, type[StageJob[Mapping[str, object]]]] = {
    "data": MakeData,
    "extend": Extend,
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
    elsewhere: Mapping[tuple[str, int | None], Model] = field(default_factory=dict)
    """What rows start from that come after rows of other recipes."""

    @property
    def backbone(self) -> Model:
        return self.cast.backbone

    @property
    def others(self) -> Mapping[str, Model]:
        return self.cast.others

    def start(self, row: str, seed: int | None = None) -> Model:
        """The model that a row starts from; where that is another row's, that is done."""
        done = {step.stage.title: step.artifact for step in self.steps if step.artifact}
        return RunState(self.recipe, self.cast, self.store, done, self.elsewhere).start(row, seed)

    @property
    def finished(self) -> bool:
        return all(step.artifact for step in self.steps)


def stages(recipe: Recipe) -> list[Stage]:
    """All stages of a recipe, in an order in which they can be done.

    Examples that do not depend on a training are made once and shared by the seeds.
    """
    shared = any(replayed(recipe, row) == "replay" for row in rows(recipe))
    replay = [Stage("replay", "", ("data",))] * shared
    found = [Stage("data", ""), *replay, Stage("evaluate", "backbone", ("data",))]
    for row in in_order(recipe):
        if extended(recipe, row) and taught_as(recipe, row) == row:
            for seed in trainings(recipe) if after_of(recipe, row) else (None,):
                found.append(Stage("extend", row, ("data", *merged_before(recipe, row, seed)), seed=seed))
        if rounds(recipe, row) == 1 and taught_as(recipe, row) == row and not starts_apart(recipe, row):
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
    begin = begins_with(recipe, row, seed)
    merge = Stage("merge", row, (recover or trained(recipe, row, seed)[-1], *begin), seed=seed)
    judged = [merge, Stage("evaluate", row, ("data", merge.title), seed=seed)]
    if taught_as(recipe, row) != row:
        return judged
    found: list[Stage] = []
    before: tuple[str, ...] = ()
    count, apart = rounds(recipe, row), starts_apart(recipe, row)
    replay = replayed(recipe, row, seed)
    if replay and apart:
        found.append(Stage("replay", row, ("data", *begin), seed=seed))
    beside = (replay,) if replay and settings_of(recipe, row).replay else ()
    for round, examples in zip([*range(1, count), 0], learnt(recipe, row, seed), strict=True):
        if count > 1 or apart:
            found.append(Stage("examples", row, ("data", *before, *begin), round, seed))
        found.append(Stage("train", row, (examples, *before, *beside, *begin), round, seed))
        before = (found[-1].title,)
    if recover and replay:
        found.append(Stage("recover", row, (*before, replay, *begin), seed=seed))
    return [*found, *judged]


def kind_of_work(recipe: Recipe, stage: Stage, backbone: Model) -> list[str]:
    """The key of a work rate: two stages with the same key take the same time for the same amount of work."""
    method = "" if stage.kind == "replay" else rows(recipe)[stage.row][0] if stage.row in rows(recipe) else stage.row
    settings = settings_of(recipe, stage.row) if stage.kind == "train" else None
    whole, replay = settings is not None and settings.lora is None, settings is not None and settings.replay is not None
    later = stage.kind == "examples" and starts_apart(recipe, stage.row)  # which may be asked for longer answers
    return [stage.kind, method, backbone.digest, *["all weights"] * whole, *["replay"] * replay, *["after"] * later]


def read(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in `path`. RecipeError with every fault at once."""
    known = available()
    options = {name: method.options for name, method in known.items()}
    sees = {name: method.sees for name, method in known.items()}
    return load(path, overrides, methods=options, suites=suites, sees=sees)


def leading_to(stages: Collection[Stage], titles: Collection[str]) -> set[str]:
    """The titles of the stages that some stages need, directly or indirectly."""
    by_title = {stage.title: stage for stage in stages}
    seen: set[str] = set()
    waiting = list(titles)
    while waiting:
        for need in by_title[waiting.pop()].needs:
            if need not in seen:
                seen.add(need)
                waiting.append(need)
    return seen


def open_store(recipe: Recipe, say: Callable[[str], None] = lambda _: None) -> Store:
    return Store(Path(recipe.runs) / ".store", say)


def state_of(recipe: Recipe, store: Store, *, fetch: bool = False, around: tuple[Path, ...] = ()) -> RunState:
    """A recipe with its models, and nothing done yet. Fetches nothing unless `fetch` is set.

    `around` are other recipes that are waiting for this one. RecipeError if a row starts from another recipe's row
    that is not there.
    """
    elsewhere: dict[tuple[str, int | None], Model] = {}
    state = RunState(recipe, find_cast(recipe, store.digests, fetch=fetch), store, {}, elsewhere)
    for row in in_order(recipe):
        if isinstance(before := after_of(recipe, row), Elsewhere):
            for seed in trainings(recipe):
                try:
                    elsewhere[row, seed] = _finished_elsewhere(state, row, seed, before, around)
                except DragomanError as error:
                    raise RecipeError(f"{row} comes after {before}: {error}") from error
    return state


def _finished_elsewhere(
    state: RunState, row: str, seed: int | None, before: Elsewhere, around: tuple[Path, ...]
) -> Model:
    """The finished model of a row of another recipe, from its store; with this row's seed, if it has several."""
    path = Path(before.recipe).resolve()
    if path in around:
        raise RecipeError("each of these recipes comes after the other; put their rows into one recipe")
    other = read(Path(before.recipe))
    if before.row not in rows(other):
        raise RecipeError(f"it has no row '{before.row}'; {suggestion(before.row, rows(other))}")
    wanted = None
    if trainings(other) != (None,):
        wanted = training_of(state.recipe, row, seed).seed
        if wanted not in other.seeds:
            raise RecipeError(
                f"it was trained with the seeds {', '.join(map(str, other.seeds))}, and not with {wanted}"
            )
    found = plan(other, around=(*around, path))
    title = titled("merge", before.row, seed=wanted)
    steps = {step.stage.title: step for step in found.steps}
    leading = leading_to(stages(other), [title]) | {title}
    todo = [one for one, step in steps.items() if one in leading and not step.artifact]
    merged = steps[title].artifact
    if merged is None:
        was = (Path(other.runs) / other.name / "models" / before.row).exists()
        why = "it is not what its recipe says now" if was else "it is not trained yet"
        raise RecipeError(f"{why} ({todo[0]} is to do). Run it first: `dragoman run {before.recipe}`")
    digests = state.store.digests
    ours, theirs = ([digests.of(path) for path in one.files] for one in (state.cast.backbone, found.backbone))
    if ours != theirs:
        raise RecipeError(f"its backbone is another one ({other.backbone}), and what is kept of ours could not be told")
    return finished_model(state.cast.backbone, before.row, merged)


def plan(recipe: Recipe, store: Store | None = None, *, around: tuple[Path, ...] = ()) -> Plan:
    """What is done and what is not. Reads manifests and checksums; starts and fetches nothing.

    Writes only the remembered checksums of files, if it can. `around` are other recipes that are waiting for this one.
    """
    store = store or open_store(recipe)
    state = state_of(recipe, store, around=around)
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
    return Plan(recipe, state.cast, store, tuple(steps), waiting, state.elsewhere)


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
