"""Runs a recipe: what is done is left alone, what is not done is done, what was cut off goes on."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dragoman.errors import RecipeError, TrainingError
from dragoman.models.weights import weight_bytes
from dragoman.pipeline import verify_inputs
from dragoman.pipeline.data import make_data as sources
from dragoman.pipeline.data.questions import require_files
from dragoman.pipeline.forecast import disk as room
from dragoman.pipeline.forecast.show import clock, told
from dragoman.pipeline.models.cast import Cast, find_cast
from dragoman.pipeline.plan import Kind, Stage, artifact_name, kind_of_work, open_store, rows, stages, trainings
from dragoman.pipeline.process import begin, in_own_process
from dragoman.pipeline.publish import publish
from dragoman.pipeline.spent import spending
from dragoman.progress import note
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact, Store

Facts = dict[str, Any]
SPARE = 500_000_000  # bytes that a run should leave on the disk
SEVERAL = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")  # where accelerate looks
LIBRARIES = ("dragoman", "torch", "transformers", "peft", "sacrebleu")


@dataclass(frozen=True, slots=True)
class Going:
    """A run on its way: what it runs, with which models, and what of it is done."""

    recipe: Recipe
    store: Store
    cast: Cast
    say: Callable[[str], None]
    done: dict[str, Artifact] = field(default_factory=dict)

    def name(self, stage: Stage) -> str:
        found = artifact_name(self.recipe, stage, self.cast, self.done, self.store)
        assert found is not None, f"{stage.title} comes before what it needs"
        return found


def run(
    recipe: Recipe,
    *,
    upto: Kind | None = None,
    part: tuple[int, int] | None = None,
    trust: bool = False,
    say: Callable[[str], None] = note,
) -> Path:
    """Does what is not done yet, up to the stages of one kind, and returns the folder with the results.

    With `part`, such as (2, 8), the generation of one part of the examples alone: its completions go to
    the cache, where a run without parts finds them. What a stage reads is looked at first, unless the run is to `trust`
    what is remembered of it. Raises DragomanError with what is wrong: before work begins where that can be known.
    """
    require_files(recipe)
    store = open_store(recipe, say)
    going = Going(recipe, store, find_cast(recipe, store.digests, fetch=True), say)
    chosen = [stage for stage in stages(recipe) if not upto or stage.kind == upto or _leads_to(recipe, stage, upto)]
    mentioned: set[str] = set()
    checked, at = False, 0
    while at < len(chosen):
        stage = chosen[at]
        if stage.before and part:
            raise RecipeError(
                f"{stage.row} refreshes its rationales after each epoch, with what was trained until then: that cannot "
                "be made in parts. Leave --shard out, or refresh."
            )
        name = going.name(stage)
        artifact = store.find(name)
        if artifact and stage.kind == "report" and not trust and not store.whole(artifact):
            artifact = None  # it is about to be shown, and would be read as it is
        if artifact is None:
            store.require_writable(stage.title)
            if any(other.kind == "train" for other in chosen):
                _alone()
            if not trust and (spoiled := verify_inputs.spoiled(recipe, stage, going.cast, going.done, store)):
                at = next(at for at, stage in enumerate(chosen) if stage.title in spoiled)
                for later in chosen[at:]:
                    going.done.pop(later.title, None)
                continue
            store.digests.save()
            if stage.kind == "data" and len(chosen) > 1:
                begin()  # what comes next needs libraries that take as long to import
            if stage.kind != "data" and not checked:
                _check(going)
                checked = True
        at += 1
        if artifact:
            if stage.title not in mentioned:
                say(f"✓ {stage.title}  done before")
        elif part and stage.kind == "examples":
            _answer_part(going, stage, part)
            continue
        else:
            artifact = _do(going, stage, name)
        mentioned.add(stage.title)
        going.done[stage.title] = artifact
    store.digests.save()
    folder = Path(recipe.runs) / recipe.name
    publish(recipe, folder, going.done)
    return folder


def _leads_to(recipe: Recipe, stage: Stage, kind: Kind) -> bool:
    """Whether a stage of that kind needs this one, however far off."""
    by_title = {known.title: known for known in stages(recipe)}
    wanted = [known for known in by_title.values() if known.kind == kind]
    seen: set[str] = set()
    while wanted:
        for need in wanted.pop().needs:
            if need not in seen:
                seen.add(need)
                wanted.append(by_title[need])
    return stage.title in seen


def _alone() -> None:
    """Each process of torchrun would do all stages, and wait for the others in a training that they are not in."""
    started = [name for name in SEVERAL if os.environ.get(name, "1") not in ("", "1")]
    if started:
        raise TrainingError(
            f"This is one of {os.environ[started[0]]} processes that were started together ({started[0]} is set, as by "
            "torchrun, accelerate launch or mpirun), and a recipe is trained by one process, on one device. Start "
            f"dragoman by itself; where {started[0]} is left over from something else, unset it."
        )


def _check(going: Going) -> None:
    """Nothing starts that cannot finish: the template, a few prompts, what is too long, room on the disk."""
    recipe, backbone = going.recipe, going.cast.backbone
    found = in_own_process("check", recipe, going.cast, going.done["data"].folder)
    if found["too long"]:
        what = "examples" if recipe.data.lessons or recipe.data.instructions else "pairs"
        going.say(
            f"{found['too long']:,} training {what} are longer than {found['longest']:,} tokens with their "
            f"request (data.max_tokens, and the context of {backbone.name}): they will be left out."
        )
    if found["no room"]:
        going.say(
            f"{found['no room']:,} questions leave no room for an answer in the context of {backbone.name}: they will "
            "not be asked, and count as wrong."
        )
    weights = weight_bytes(backbone.path)
    models = len(rows(recipe)) * len(trainings(recipe))
    each = "each method" if len(trainings(recipe)) == 1 else "each method and seed"
    needed = SPARE + 2 * weights * models + room.of_all_weights(recipe, backbone)
    going.store.need_room(needed, f"{recipe.name} (a merged model for {each})")


def _answer_part(going: Going, stage: Stage, part: tuple[int, int]) -> None:
    words = f"part {part[0]} of {part[1]}"
    going.say(f"… {stage.title}, {words}")
    started, cache = time.monotonic(), going.store.folder / "completions"
    data = going.done["data"].folder
    facts = in_own_process("answer_part", going.recipe, going.cast, stage.row, part, data, cache)
    going.say(
        f"✓ {stage.title}, {words}  {clock(time.monotonic() - started)}  answered for {facts['units']:,} examples; "
        "when all parts are, a run without --shard makes the examples of them"
    )


def _do(going: Going, stage: Stage, name: str) -> Artifact:
    with going.store.making(name) as out:
        made = going.store.find(name)  # another run may have made it while this one waited for the lock
        if made:
            return made
        going.say(f"… {stage.title}")
        clocked = going.store.folder / "spent" / name
        with spending(clocked) as spent:
            facts = _make(going, stage, out)
        facts["seconds"] = round(spent(), 2)
        facts["rate"] = {
            "of": kind_of_work(going.recipe, stage, going.cast.voice(stage.row)),
            "units": facts.pop("units", 1),
        }
        facts["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        facts["versions"] = {library: version(library) for library in LIBRARIES}
        artifact = going.store.finish(name, facts)
        clocked.unlink()
    words = told(stage.kind, facts)
    going.say(f"✓ {stage.title}  {clock(facts['seconds'])}{f'  {words}' if words else ''}")
    return artifact


def _make(going: Going, stage: Stage, out: Path) -> Facts:
    """One stage's work, by its kind. Those that hold a model get a process of their own."""
    recipe, cast, done = going.recipe, going.cast, going.done
    if stage.kind == "data":
        return sources.make_data(recipe, out)
    if stage.kind == "report":
        from dragoman.pipeline.stages.report import make_report

        return make_report(recipe, done, out)
    row, data, cache = stage.row, done["data"].folder, going.store.folder / "completions"
    before = done[stage.before].folder if stage.before else None
    if stage.kind == "examples":
        adapter = before and before / "adapter"
        return in_own_process("make_examples", recipe, cast, row, adapter, data, out, cache)
    if stage.kind == "train":
        examples = done[stage.needs[0]].folder
        return in_own_process(
            "train", recipe, cast.backbone, row, stage.seed, examples, out, before, stage.round or None
        )
    if stage.kind == "merge":
        adapter = done[stage.needs[0]].folder / "adapter"
        return in_own_process("make_model", recipe, cast.backbone, adapter, data, out)
    model = done[stage.needs[1]].folder / "model" if len(stage.needs) > 1 else None
    return in_own_process("stages.evaluate.evaluate", recipe, cast, row, model, data, out, cache)
