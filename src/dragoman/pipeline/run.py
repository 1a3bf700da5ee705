"""Runs a recipe: what is done is left alone, what is not done is done, what was cut off goes on."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dragoman.generation.progress import note
from dragoman.pipeline import sources
from dragoman.pipeline.backbone import Backbone, find_backbone
from dragoman.pipeline.plan import Kind, Stage, artifact_name, kind_of_work, open_store, rows, stages
from dragoman.pipeline.process import in_own_process
from dragoman.pipeline.show import clock, told
from dragoman.recipe.schema import Recipe
from dragoman.recipe.write import resolved
from dragoman.store import Artifact, Store, write_atomic

Facts = dict[str, Any]
SPARE = 500_000_000  # bytes that a run should leave on the disk
LIBRARIES = ("dragoman", "torch", "transformers", "peft", "sacrebleu")


def run(recipe: Recipe, *, upto: Kind | None = None, say: Callable[[str], None] = note) -> Path:
    """Does what is not done yet, up to the stages of one kind, and returns the folder with the results.

    Raises DragomanError with what is wrong: before work begins where that can be known.
    """
    store = open_store(recipe, say)
    backbone = find_backbone(recipe, store.digests, fetch=True)
    done: dict[str, Artifact] = {}
    checked = False
    for stage in stages(recipe):
        if upto and stage.kind != upto and not _leads_to(recipe, stage, upto):
            continue
        name = artifact_name(recipe, stage, backbone, done, store)
        assert name is not None, f"{stage.title} comes before what it needs"
        artifact = store.find(name)
        if artifact is None and stage.kind != "data" and not checked:
            _check(recipe, backbone, done, store)
            checked = True
        if artifact:
            say(f"✓ {stage.title}  done before")
        else:
            artifact = _do(recipe, stage, name, backbone, done, store, say)
        done[stage.title] = artifact
    folder = Path(recipe.runs) / recipe.name
    publish(recipe, folder, done)
    return folder


def publish(recipe: Recipe, folder: Path, done: dict[str, Artifact]) -> None:
    """Puts what a user looks for under `runs/NAME`: small files as copies, models as links into the store."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "recipe.yaml", resolved(recipe))
    if "report" in done:
        for path in sorted(done["report"].folder.glob("report/*")):
            shutil.copyfile(path, folder / path.name)
    for row in rows(recipe):
        for kind, inside, name in (("merge", "model", f"models/{row}"), ("train", "metrics.jsonl", f"{row}.jsonl")):
            if f"{kind}-{row}" in done:
                _link(folder / name, done[f"{kind}-{row}"].folder / inside)


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve())


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


def _check(recipe: Recipe, backbone: Backbone, done: dict[str, Artifact], store: Store) -> None:
    """Nothing starts that cannot finish: the template, a few prompts, room on the disk."""
    in_own_process("check", recipe, backbone, done["data"].folder)
    weights = sum(path.stat().st_size for path in backbone.path.glob("*.safetensors"))
    store.need_room(SPARE + 2 * weights * len(rows(recipe)), f"{recipe.name} (a merged model for each method)")


def _do(
    recipe: Recipe,
    stage: Stage,
    name: str,
    backbone: Backbone,
    done: dict[str, Artifact],
    store: Store,
    say: Callable[[str], None],
) -> Artifact:
    with store.making(name) as out:
        made = store.find(name)  # another run may have made it while this one waited for the lock
        if made:
            return made
        say(f"… {stage.title}")
        started = time.monotonic()
        facts = _make(recipe, stage, backbone, done, store, out)
        facts["seconds"] = round(time.monotonic() - started, 2)
        facts["rate"] = {"of": kind_of_work(recipe, stage, backbone), "units": facts.pop("units", 1)}
        facts["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        facts["versions"] = {library: version(library) for library in LIBRARIES}
        artifact = store.finish(name, facts)
    words = told(stage.kind, facts)
    say(f"✓ {stage.title}  {clock(facts['seconds'])}{f'  {words}' if words else ''}")
    return artifact


def _make(
    recipe: Recipe, stage: Stage, backbone: Backbone, done: dict[str, Artifact], store: Store, out: Path
) -> Facts:
    """One stage's work, by its kind. Those that hold a model get a process of their own."""
    if stage.kind == "data":
        return sources.make_data(recipe, out)
    if stage.kind == "report":
        from dragoman.pipeline.reporting import make_report

        return make_report(recipe, done, out)
    row, data, cache = stage.row, done["data"].folder, store.folder / "completions"
    if stage.kind == "examples":
        return in_own_process("make_examples", recipe, backbone, row, data, out, cache)
    if stage.kind == "train":
        return in_own_process("train", recipe, backbone, row, done[f"examples-{row}"].folder, out)
    if stage.kind == "merge":
        adapter = done[f"train-{row}"].folder / "adapter"
        return in_own_process("make_model", recipe, backbone, adapter, data, out)
    model = None if row == "backbone" else done[f"merge-{row}"].folder / "model"
    return in_own_process("evaluate", recipe, backbone, row, model, data, out, cache)
