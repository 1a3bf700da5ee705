"""Analyses that hold a model, gradients and drift; stages that they need are run first.

Each result is kept in the store, named after the contents of everything it was computed from, so that asking again
costs nothing; table, picture and JSON are in `runs/NAME/analysis`.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from dragoman.analysis.results import DriftResult, GradientsResult, MeasuredDrift
from dragoman.errors import RecipeError
from dragoman.methods import available
from dragoman.pipeline.analyses.jobs import MeasureDrift, MeasureGradients
from dragoman.pipeline.analyses.once import measured_once
from dragoman.pipeline.analyses.options import BACKBONE, DriftOptions, GradientsOptions
from dragoman.pipeline.models.engines import answering
from dragoman.pipeline.plan import Plan, code_digest, plan
from dragoman.pipeline.rows import grown, recovered, rows, scale_of, settings_of, starts_apart, taught_as, trainings
from dragoman.pipeline.run import run
from dragoman.pipeline.stages.stage import Kind, Stage
from dragoman.progress import note
from dragoman.prompts.examples import ExampleTable
from dragoman.recipe.schema import Recipe
from dragoman.report.analyses import drift as drifts
from dragoman.report.analyses import gradients as layers
from dragoman.scoring.scorecard.read import read_scorecard
from dragoman.store import Artifact, fingerprint, write_atomic

CODE = (
    *("analysis", "corpora/records.py", "pipeline/analyses/measuring.py", "pipeline/models/speakers.py"),
    *("pipeline/models/drift.py", "prompts", "scoring/divergence.py", "scoring/statistics.py"),
    "training/losses/loss.py",
)
"""The code that makes an analysis' result: when it changes, the analysis is made again."""
ORDER: Sequence[Kind] = ("merge", "train", "examples", "data")
"""Kinds of stages that an analysis needs, the last ones of a run first."""


def gradients(
    recipe: Recipe, options: GradientsOptions, say: Callable[[str], None] = note
) -> tuple[GradientsResult, Path]:
    """The agreement of both terms of each row's loss, layer by layer, and the folder with its files.

    Raises RecipeError if a row is not in the recipe or the weights cannot be inspected, and DataError if a method
    does not have two terms.
    """
    wanted = _known(recipe, options.rows or tuple(row for row in rows(recipe) if taught_as(recipe, row) == row))
    wanted = _comparable(recipe, wanted, options.rows)
    at = () if options.at == BACKBONE else _known(recipe, (options.at,))
    settings = settings_of(recipe, options.at) if at else recipe.training
    if options.weights == "adapter" and settings.lora is None:
        raise RecipeError("training.lora is null: there is no adapter; take --weights full")
    learnt_from = {row: taught_as(recipe, row) for row in wanted}
    found, done = _finished(recipe, {"examples": learnt_from.values(), **_weights(recipe, at)}, say)
    tables = {row: done["examples", learnt_from[row]][0] for row in wanted}
    if not options.rows:
        tables = {row: artifact for row, artifact in tables.items() if _has_terms(recipe, row, artifact)}
    if not tables:
        known = [name for name, method in available().items() if method.regulariser]
        raise RecipeError(f"{recipe.name} has no row whose loss has two terms; such methods are {', '.join(known)}")
    trained = _trained(recipe, options.at, done)[0] if at else None
    start = found.start(options.at, trainings(recipe)[0]) if at else found.backbone
    name = fingerprint(
        {
            "examples": {row: artifact.digest("examples/*") for row, artifact in tables.items()},
            "data": done["data", ""][0].digest("train.jsonl"),
            "backbone": start.digest,
            "trained": trained and trained.digest(f"{_part(trained)}/*"),
            "asked": asdict(options),
            "precision": settings.precision,
            "lora": settings.lora and settings.lora.model_dump() if options.weights == "adapter" else None,
            "code": code_digest(*CODE),
        }
    )
    measured = measured_once(
        found.store,
        start,
        f"gradients-{name}",
        "gradients.json",
        say,
        [done["data", ""][0], *tables.values(), *([trained] if trained else [])],
        MeasureGradients(
            recipe,
            start,
            {row: artifact.folder / "examples" for row, artifact in tables.items()},
            trained.folder / _part(trained) if trained else None,
            options,
            done["data", ""][0].folder / "train.jsonl",
        ),
    )
    result: GradientsResult = {"recipe": recipe.name, "backbone": recipe.backbone, **measured}
    return result, _published(recipe, "gradients", result, layers.markdown(result), layers.picture(result))


def drift(recipe: Recipe, options: DriftOptions, say: Callable[[str], None] = note) -> tuple[DriftResult, Path]:
    """How far each row's model has moved from the backbone, over all seeds, and the folder with its files.

    Raises RecipeError if a row is not in the recipe, or there is nothing to measure on.
    """
    wanted = _comparable(recipe, _known(recipe, options.rows or tuple(rows(recipe))), options.rows)
    if recipe.data.test is None and set(recipe.evaluate) <= {"translation"}:
        raise RecipeError("data.test is absent and evaluate names no questions: there is nothing to measure drift on")
    found, done = _finished(recipe, _weights(recipe, wanted, merged=True), say)
    cache = found.store.folder / "completions"
    data = done["data", ""][0]
    rest = {
        "data": [data.digest("test.jsonl"), data.digest("questions.jsonl")],
        "backbone": found.backbone.digest,
        "examples": options.examples,
        "seed": options.seed,
        "lengths": [recipe.evaluation.max_tokens, recipe.evaluation.translation_tokens],
        "bootstrap": recipe.evaluation.bootstrap,
        "precision": recipe.generation.precision,
        "engine": answering(recipe.generation, judging=True),
        "system": recipe.system,
        "lessons": bool(recipe.data.lessons),
        "code": code_digest(*CODE),
    }
    each: dict[str, MeasuredDrift] = {}
    for row in wanted:
        trained = _trained(recipe, row, done, merged=True)
        parts = ["model" if starts_apart(recipe, row) else _part(artifact) for artifact in trained]
        both = list(zip(trained, parts, strict=True))
        name = fingerprint({"trained": [artifact.digest(f"{part}/*") for artifact, part in both], **rest})
        folders = [artifact.folder / part for artifact, part in both]
        each[row] = measured_once(
            found.store,
            found.backbone,
            f"drift-{row}-{name}",
            "drift.json",
            say,
            [data, *trained],
            MeasureDrift(recipe, found.backbone, row, folders, options, data.folder, cache),
        )
    last = each[wanted[-1]]
    result: DriftResult = {
        "recipe": recipe.name,
        "backbone": recipe.backbone,
        "rows": {row: measured["kinds"] for row, measured in each.items()},
        "titles": last["titles"],
        "precision": last["precision"],
        "device": last["device"],
        "seed": last["seed"],
    }
    card = Path(recipe.runs) / recipe.name / "scorecard.json"
    if card.is_file():
        result["retention"] = drifts.retention(read_scorecard(card), wanted)
    return result, _published(recipe, "drift", result, drifts.markdown(result), drifts.picture(result))


def _known(recipe: Recipe, named: Sequence[str]) -> tuple[str, ...]:
    unknown = [row for row in named if row not in rows(recipe)]
    if unknown:
        raise RecipeError(f"{recipe.name} has no row {', '.join(unknown)}; its rows are {', '.join(rows(recipe))}")
    return tuple(named)


def _comparable(recipe: Recipe, wanted: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """The rows whose tokens are the backbone's; RecipeError if none is, or one that was `named` is not."""
    alike = tuple(row for row in wanted if not grown(recipe, row))
    if wanted and (not alike or (named and len(alike) < len(wanted))):
        others = ", ".join(row for row in wanted if row not in alike)
        raise RecipeError(
            f"{others}: a larger vocabulary than the backbone's can't be compared with it; name other rows"
        )
    return alike


def _weights(recipe: Recipe, wanted: Sequence[str], *, merged: bool = False) -> dict[Kind, list[str]]:
    """The stages that leave what these rows' models have beyond what they started from; with a `scale`, merging does.

    With `merged`, beyond the backbone: what a row has that starts from another is all in its merged model.
    """
    found: dict[Kind, list[str]] = {}
    for kind, row in (_leaves(recipe, row, merged) for row in wanted):
        found.setdefault(kind, []).append(row)
    return found


def _leaves(recipe: Recipe, row: str, merged: bool) -> tuple[Kind, str]:
    """The kind and the row of that stage."""
    if scale_of(recipe, row) != 1 or (merged and starts_apart(recipe, row)):
        return "merge", row
    return "recover" if recovered(recipe, row) else "train", taught_as(recipe, row)


def _trained(
    recipe: Recipe, row: str, done: Mapping[tuple[Kind, str], list[Artifact]], *, merged: bool = False
) -> list[Artifact]:
    """The artifacts of such stages for one row, one a seed."""
    return done[_leaves(recipe, row, merged)]


def _part(trained: Artifact) -> str:
    """The folder in such an artifact: an adapter, or a model where all weights were trained and scaled."""
    return "adapter" if any(name.startswith("adapter/") for name in trained.files) else "model"


def _has_terms(recipe: Recipe, row: str, examples: Artifact) -> bool:
    """Whether a row's examples have two terms; an own answer counts if it is added to a reference, not if it replaces
    one.
    """
    names = ExampleTable(examples.folder / "examples").names
    return "rationale" in names or ("own" in names and available()[rows(recipe)[row][0]].examples > 1)


def _finished(
    recipe: Recipe, needed: Mapping[Kind, Collection[str]], say: Callable[[str], None]
) -> tuple[Plan, dict[tuple[Kind, str], list[Artifact]]]:
    """The plan, and the artifacts of the needed stages, which are run if missing; for several seeds, all of them.

    Examples are those of the first round, which only the backbone has influenced; trainings are those that end with a
    row's last round.
    """

    def wanted(stage: Stage) -> bool:
        return stage.kind == "data" or (
            stage.row in needed.get(stage.kind, ()) and not (stage.kind == "train" and stage.round)
        )

    found = plan(recipe)
    missing = {step.stage.kind for step in found.steps if wanted(step.stage) and not step.artifact}
    if missing:
        upto: Kind = "merge" if "recover" in missing else next(kind for kind in ORDER if kind in missing)
        run(recipe, upto=upto, say=say)
        found = plan(recipe)
    done: dict[tuple[Kind, str], list[Artifact]] = {}
    for step in found.steps:
        if wanted(step.stage):
            assert step.artifact is not None, f"a run makes {step.stage.title}, or tells why not"
            done.setdefault((step.stage.kind, step.stage.row), []).append(step.artifact)
    return found, done


def _published(
    recipe: Recipe, name: str, result: GradientsResult | DriftResult, markdown: str, picture: str | None
) -> Path:
    folder = Path(recipe.runs) / recipe.name / "analysis"
    write_atomic(folder / f"{name}.json", json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    write_atomic(folder / f"{name}.md", markdown)
    (folder / f"{name}.svg").unlink(missing_ok=True)
    if picture:
        write_atomic(folder / f"{name}.svg", picture + "\n")
    return folder
