"""Running a recipe: finished stages are left alone, the others are done, interrupted ones resume."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from dragoman.errors import Diverged, RecipeError, TrainingError
from dragoman.pipeline import verify_inputs
from dragoman.pipeline.data.questions import require_files
from dragoman.pipeline.forecast.disk import room
from dragoman.pipeline.forecast.show import clock
from dragoman.pipeline.merge_adapters import merge_adapters
from dragoman.pipeline.plan import JOBS, artifact_name, kind_of_work, leading_to, open_store, plan, stages, state_of
from dragoman.pipeline.process import begin, in_own_process
from dragoman.pipeline.publish import publish
from dragoman.pipeline.rows import after_of, merged_before, titled
from dragoman.pipeline.spent import spending
from dragoman.pipeline.stages.check import Check
from dragoman.pipeline.stages.examples import AnswerPart
from dragoman.pipeline.stages.stage import Finish, Kind, Made, RunState, Stage
from dragoman.pipeline.storage.needs import note_all, note_stage
from dragoman.progress import note
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact

SPARE = 50_000_000  # bytes that should stay free beside what a run writes
SEVERAL = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")  # where accelerate looks
LIBRARIES = ("dragoman", "torch", "transformers", "peft", "sacrebleu")
Say = Callable[[str], None]


def run(
    recipe: Recipe,
    *,
    upto: Kind | None = None,
    part: tuple[int, int] | None = None,
    trust: bool = False,
    say: Say = note,
) -> Path:
    """Runs what is not done yet, up to the stages of one kind, and returns the folder with the results.

    With `part`, such as (2, 8), only generates for one part of the examples: its completions go to the cache, where a
    run without parts finds them. Before a stage runs, its inputs are read and compared with their checksums, unless
    the run is to `trust` remembered ones. Raises DragomanError with what is wrong, before work begins if that can be
    known.
    """
    folder = Path(recipe.runs) / recipe.name
    with open_store(recipe, say).in_use():
        publish(recipe, folder, made(recipe, upto, part=part, trust=trust, say=say))
    return folder


def made(
    recipe: Recipe,
    upto: Kind | None = None,
    *,
    part: tuple[int, int] | None = None,
    trust: bool = False,
    checked: bool = False,
    say: Say = note,
) -> dict[str, Artifact]:
    """What `run` does, with nothing published: the finished stages up to one kind, by title.

    With `checked`, what is checked before work begins was checked by an earlier call.
    """
    require_files(recipe)
    folder, store = Path(recipe.runs) / recipe.name, open_store(recipe, say)
    with store.in_use():
        merged = merge_adapters(recipe, store, say)
    state = state_of(recipe, store, fetch=True)
    ends = {upto, *(["replay"] if upto == "examples" and part is None else [])}
    every = stages(recipe)
    leading = leading_to(every, [one.title for one in every if one.kind in ends])
    chosen = [one for one in every if not upto or one.kind in ends or one.title in leading]
    if part:
        _require_parts(recipe, chosen)
    with store.in_use():
        _do_all(state, chosen, folder, part=part, trust=trust, checked=checked, say=say)
        if upto is None and part is None:
            names = {title: artifact.name for title, artifact in state.done.items()}
            note_all(folder, merged | _started_elsewhere(state) | names)
        store.digests.save()
    return state.done


def _do_all(
    state: RunState,
    chosen: Sequence[Stage],
    folder: Path,
    *,
    part: tuple[int, int] | None,
    trust: bool,
    checked: bool,
    say: Say,
) -> None:
    """Does the chosen stages that are not done, and notes in `folder` which artifacts they are.

    A row whose training diverges is left, with all that needs it; the others are done before it is raised.
    """
    store = state.store
    mentioned: set[str] = set()
    astray: dict[str, Diverged] = {}  # rows
    left: set[str] = set()  # titles
    at = 0
    while at < len(chosen):
        stage = chosen[at]
        if stage.title in left or left.intersection(stage.needs):
            left.add(stage.title)
            at += 1
            continue
        name = artifact_name(stage, state)
        assert name is not None, f"{stage.title} comes before what it needs"
        artifact = _done_before(state, stage, name, trust)
        note_stage(folder, stage.title, artifact.name if artifact else name)
        if artifact is None:
            store.require_writable(stage.title)
            if any(other.kind == "train" for other in chosen):
                _require_alone()
            if not trust and (spoiled := verify_inputs.spoiled(stage, state)):
                at = _first_of(spoiled, chosen, state)
                continue
            store.digests.save()
            if stage.kind == "data" and len(chosen) > 1:
                begin()  # what comes next needs libraries that take as long to import
            if stage.kind != "data" and not checked:
                _check(state, chosen, say)
                checked = True
            if part and stage.kind == "examples":
                _answer_part(state, stage, part, say)
            else:
                try:
                    artifact = _do(state, stage, name, say)
                except Diverged as fault:
                    astray[stage.row] = fault
                    left.add(stage.title)
                    say(f"✗ {stage.title}  {fault}")
        elif stage.title not in mentioned:
            say(f"✓ {stage.title}  done before")
        if artifact:
            mentioned.add(stage.title)
            state.done[stage.title] = artifact
        at += 1
    if astray:
        raise _gone_astray(astray, {stage.row for stage in chosen if stage.kind == "train"})


def _gone_astray(astray: Mapping[str, Diverged], rows: set[str]) -> Diverged:
    """What is raised in the end: of one row, why; of some among others, that these are done."""
    fault = next(iter(astray.values()))
    if len(rows) == 1:
        return fault
    return Diverged(
        f"{', '.join(astray)}: the training diverged, so there is no comparison. {fault} Change such a row or leave it "
        "out, and run again: what the other rows have done is kept."
    )


def _done_before(state: RunState, stage: Stage, name: str, trust: bool) -> Artifact | None:
    """The finished stage, or None. A report's files are read, unless trusted, since it is about to be shown."""
    artifact = state.store.find(name)
    if artifact and stage.kind == "report" and not trust and not state.store.whole(artifact):
        return None
    return artifact


def _first_of(spoiled: Sequence[str], chosen: Sequence[Stage], state: RunState) -> int:
    """The index of the first stage to repeat after artifacts were set aside; it and all later ones are no longer
    done.
    """
    at = next(at for at, stage in enumerate(chosen) if stage.title in spoiled)
    for later in chosen[at:]:
        state.done.pop(later.title, None)
    return at


def _require_parts(recipe: Recipe, chosen: Sequence[Stage]) -> None:
    """RecipeError if examples need a training, since that needs the examples of all parts."""
    for stage in chosen:
        if stage.kind == "examples" and merged_before(recipe, stage.row, stage.seed):
            raise RecipeError(
                f"{stage.row} comes after {after_of(recipe, stage.row)}, whose training needs the examples of all "
                "parts. Leave --shard out, or put the rows that come first into a recipe of their own "
                "(`after: {recipe: FILE, row: ROW}`)."
            )
        if stage.before:
            raise RecipeError(
                f"{stage.row} refreshes its rationales after each epoch, with what was trained until then: that cannot "
                "be made in parts. Leave --shard out, or refresh."
            )


def _started_elsewhere(state: RunState) -> dict[str, str]:
    """What rows start from that another recipe has made in the same store."""
    inside = state.store.folder / "artifacts"
    starts = {titled("start", row, seed=seed): model.path.parent for (row, seed), model in state.elsewhere.items()}
    return {title: folder.name for title, folder in starts.items() if folder.parent.resolve() == inside.resolve()}


def _require_alone() -> None:
    """Refuses to run under torchrun: each process would do all stages, and wait for the others in a training they are
    not in.
    """
    started = [name for name in SEVERAL if os.environ.get(name, "1") not in ("", "1")]
    if started:
        raise TrainingError(
            f"This is one of {os.environ[started[0]]} processes that were started together ({started[0]} is set, as by "
            "torchrun, accelerate launch or mpirun), and a recipe is trained by one process, on one device. Start "
            f"dragoman by itself; where {started[0]} is left over from something else, unset it."
        )


def _check(state: RunState, chosen: Sequence[Stage], say: Say) -> None:
    """Nothing starts that cannot finish: checks the template, a few prompts, what is too long, and room on the disk."""
    recipe, backbone = state.recipe, state.cast.backbone
    checked = in_own_process(Check(recipe, state.cast, state.data), "the check before work begins").result
    for remark in checked.remarks(recipe, backbone.name):
        say(remark)
    titles = {stage.title for stage in chosen}
    steps = [step for step in plan(recipe, state.store).steps if step.stage.title in titles]
    takes = room(recipe, backbone, [step.stage for step in steps if not step.artifact], state.done["data"])
    state.store.need_room(takes.total, f"{recipe.name} ({takes})", SPARE)


def _answer_part(state: RunState, stage: Stage, part: tuple[int, int], say: Say) -> None:
    words = f"part {part[0]} of {part[1]}"
    say(f"… {stage.title}, {words}")
    started = time.monotonic()
    start = state.spoken(stage.row, stage.seed)
    job = AnswerPart(state.recipe, start, state.cast.others, stage.row, part, state.data, state.cache)
    examples = in_own_process(job, stage.title).result
    say(
        f"✓ {stage.title}, {words}  {clock(time.monotonic() - started)}  answered for {examples:,} examples; "
        "when all parts are, a run without --shard makes the examples of them"
    )


def _do(state: RunState, stage: Stage, name: str, say: Say) -> Artifact:
    store = state.store
    with store.making(name) as out:
        made_meanwhile = store.find(name)  # by another run, while this one waited for the lock
        if made_meanwhile:
            return made_meanwhile
        say(f"… {stage.title}")
        clocked = store.folder / "spent" / name
        with spending(clocked) as spent:
            made, memory = _make(state, stage, out)
        finish = Finish(
            seconds=round(spent(), 2),
            rate={"of": kind_of_work(state.recipe, stage, state.cast.voice(stage.row)), "units": made.units},
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            versions={library: version(library) for library in LIBRARIES},
        )
        artifact = store.finish(name, {**made.facts, **memory, **finish})
        clocked.unlink()
    words = ", ".join(JOBS[stage.kind].told(artifact))
    say(f"✓ {stage.title}  {clock(finish['seconds'])}{f'  {words}' if words else ''}")
    return artifact


def _make(state: RunState, stage: Stage, out: Path) -> tuple[Made[Mapping[str, object]], dict[str, int]]:
    """Does a stage's work. What holds a model gets a process of its own, and the highest peak memory is returned as
    well.
    """
    job = JOBS[stage.kind].of(stage, state, out)
    peaks = [in_own_process(part, stage.title).peak_memory for part in job.parts()]
    if not job.holds_model:
        return job.run(), {"peak_memory": max(peaks)} if peaks else {}
    ran = in_own_process(job, stage.title)
    return ran.result, {"peak_memory": max([*peaks, ran.peak_memory])}
