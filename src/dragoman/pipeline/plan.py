"""A recipe becomes stages; each has a name made of the contents it depends on.

A stage is named after the *contents* of what it reads, not after the settings upstream. So a change
that comes to nothing stops where it comes to nothing: a reworded comment in a method makes its
examples again (from cached completions), and training, which sees the same examples, is not run.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import dragoman
from dragoman import suites
from dragoman.methods import Method, available
from dragoman.pipeline.data.make_data import data_inputs, missing
from dragoman.pipeline.models.cast import Cast, Model, find_cast, writer
from dragoman.pipeline.models.judging import judging_inputs
from dragoman.recipe.engines import Generation
from dragoman.recipe.schema import Recipe, Training
from dragoman.store import Artifact, Store, fingerprint

Kind = Literal["data", "examples", "train", "merge", "evaluate", "report"]

# Raised when the same inputs come to mean another result. Stages that are cheap to repeat name the
# code that makes them instead; training is not, and a comment must not cost anyone a night of it.
MAKING = {"data": 1, "train": 1, "merge": 1}
CODE = {
    "examples": ("corpora", "methods", "prompts", "rationales"),
    "evaluate": (
        *("corpora", "pipeline/stages/evaluate.py", "prompts", "sandbox"),
        *("scoring/comet", "scoring/results.py", "suites"),
    ),
    "report": ("pipeline/stages/report.py", "report", "scoring", "suites"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One piece of work: what it is, for which row of the table, and after which stages.

    Where a method refreshes its rationales, each epoch is a round of examples and training; `round`
    counts all but the last, which is 0 as where there is only one. Where each method is trained with
    several seeds, `seed` is the one that this stage is for: None for what all of them share.
    """

    kind: Kind
    row: str
    needs: tuple[str, ...] = ()
    round: int = 0
    seed: int | None = None

    @property
    def title(self) -> str:
        return titled(self.kind, self.row, self.round, self.seed) if self.row else self.kind

    @property
    def before(self) -> str | None:
        """The training of the round before, which this stage goes on from."""
        found = [need for need in self.needs if need.startswith("train-")]
        return found[0] if found and self.kind in ("examples", "train") else None


@dataclass(frozen=True, slots=True)
class Step:
    """A stage in a plan. Its name is known once all that it needs is done."""

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


def rows(recipe: Recipe) -> dict[str, tuple[str, dict[str, Any]]]:
    """Row of the table → method and its options."""
    named = [next(iter(method.items())) for method in recipe.methods]
    return {options.get("label") or name: (name, options) for name, options in named}


def method_of(recipe: Recipe, row: str) -> Method:
    """The method of a row: how many examples it makes of a record, whether it mixes instruction data in."""
    return available()[rows(recipe)[row][0]]


def titled(kind: str, row: str, round: int = 0, seed: int | None = None) -> str:
    """A stage's title: `train-radis`, `train-radis~1` with one of several seeds, `train-radis~1@2` in a round of it."""
    return f"{kind}-{row}" + ("" if seed is None else f"~{seed}") + (f"@{round}" if round else "")


def trainings(recipe: Recipe) -> tuple[int | None, ...]:
    """The seeds that tell the trainings of a row apart; one None where there is only one training."""
    return recipe.seeds if len(recipe.seeds) > 1 else (None,)


def training_of(recipe: Recipe, row: str, seed: int | None = None) -> Training:
    """How a row is trained: with its seed, and with a batch that grows with the examples made of each record."""
    settings = recipe.training
    chosen = seed if seed is not None else next(iter(recipe.seeds), settings.seed)
    batch = settings.batch_size * method_of(recipe, row).examples
    return settings.model_copy(update={"seed": chosen, "batch_size": batch})


def rounds(recipe: Recipe, row: str) -> int:
    """How often the examples of a row are made: once, or anew for each epoch."""
    return math.ceil(recipe.training.epochs) if rows(recipe)[row][1].get("refresh") else 1


def learnt(recipe: Recipe, row: str, seed: int | None = None) -> list[str]:
    """Titles of the stages that make the examples of a training, round by round: as a rule one that all seeds share."""
    count = rounds(recipe, row)
    return [titled("examples", row, round, seed if count > 1 else None) for round in [*range(1, count), 0]]


def stages(recipe: Recipe) -> list[Stage]:
    """All stages of a recipe, in an order in which they can be done.

    Examples that do not depend on a training are made once; the seeds share them.
    """
    found = [Stage("data", ""), Stage("evaluate", "backbone", ("data",))]
    for row in rows(recipe):
        if rounds(recipe, row) == 1:
            found.append(Stage("examples", row, ("data",)))
        for seed in trainings(recipe):
            found += _training(recipe, row, seed)
    found += [Stage("evaluate", one.row, ("data",)) for one in recipe.compare]
    judged = (stage.title for stage in found if stage.row not in ("", "backbone") and not stage.round)
    return [*found, Stage("report", "", ("data", "evaluate-backbone", *judged))]


def _training(recipe: Recipe, row: str, seed: int | None) -> list[Stage]:
    """The stages of one training of a row, those that judge it included."""
    found: list[Stage] = []
    before: tuple[str, ...] = ()
    count = rounds(recipe, row)
    for round, examples in zip([*range(1, count), 0], learnt(recipe, row, seed), strict=True):
        if count > 1:
            found.append(Stage("examples", row, ("data", *before), round, seed))
        found.append(Stage("train", row, (examples, *before), round, seed))
        before = (found[-1].title,)
    merge = Stage("merge", row, before, seed=seed)
    return [*found, merge, Stage("evaluate", row, ("data", merge.title), seed=seed)]


def kind_of_work(recipe: Recipe, stage: Stage, backbone: Model) -> list[str]:
    """What makes two stages take the same time for the same amount of work."""
    method = rows(recipe)[stage.row][0] if stage.row in rows(recipe) else stage.row
    return [stage.kind, method, backbone.digest]


def open_store(recipe: Recipe, say: Any = lambda _: None) -> Store:
    return Store(Path(recipe.runs) / ".store", say)


def plan(recipe: Recipe, store: Store | None = None) -> Plan:
    """What is done and what is not. Reads manifests and checksums, starts and fetches nothing.

    Writes nothing but what it remembers of files, where it may."""
    store = store or open_store(recipe)
    cast = find_cast(recipe, store.digests)
    done: dict[str, Artifact] = {}
    steps = []
    waiting = missing(recipe)
    for stage in stages(recipe):
        unknown = stage.kind == "data" and waiting
        name = None if unknown else artifact_name(recipe, stage, cast, done, store)
        artifact = store.find(name) if name else None
        if artifact:
            done[stage.title] = artifact
        steps.append(Step(stage, name, artifact))
    store.digests.save()
    return Plan(recipe, cast, store, tuple(steps), waiting)


def artifact_name(
    recipe: Recipe,
    stage: Stage,
    cast: Cast,
    done: Mapping[str, Artifact],
    store: Store,
) -> str | None:
    """The stage's kind, row and fingerprint; None as long as something it needs is not done.

    The seed is in the fingerprint alone, so that a recipe with one seed and one with three share what is the same.
    """
    if any(need not in done for need in stage.needs):
        return None
    inputs = _inputs(recipe, stage, cast, done, store)
    inputs["made by"] = MAKING.get(stage.kind) or code_digest(*CODE[stage.kind])
    title = titled(stage.kind, stage.row, stage.round) if stage.row else stage.kind
    return f"{title}-{fingerprint(inputs)}"


def _inputs(
    recipe: Recipe,
    stage: Stage,
    cast: Cast,
    done: Mapping[str, Artifact],
    store: Store,
) -> dict[str, Any]:
    row, backbone, others = stage.row, cast.backbone, cast.others
    before = stage.before and done[stage.before].digest("adapter/*")
    if stage.kind == "data":
        return data_inputs(recipe, store.digests)
    if stage.kind == "examples":
        method, options = rows(recipe)[row]
        mixed = {"instructions": done["data"].digest("instructions.jsonl")} if method_of(recipe, row).mixes else {}
        return mixed | {
            "pairs": done["data"].digest("train.jsonl"),
            "method": method,
            "options": {name: value for name, value in options.items() if name != "label"},
            "backbone": backbone.digest,
            "adapter": before,
            "writer": others[name].digest if (name := writer(options)) else None,
            "system": recipe.system,
            "engine": answering(recipe.generation),
            "precision": recipe.generation.precision,
            "max_tokens": recipe.data.max_tokens,
        }
    if stage.kind == "train":
        settings = training_of(recipe, row, stage.seed)
        return {
            "examples": done[stage.needs[0]].digest("examples/*"),
            "backbone": backbone.digest,
            "training": settings.model_dump(exclude={"save_every", "report_to"}),
            "before": before,
            "until": stage.round or None,
        }
    if stage.kind == "merge":
        return {"adapter": done[stage.needs[0]].digest("adapter/*"), "backbone": backbone.digest}
    if stage.kind == "evaluate":
        model = done[stage.needs[1]].digest("model/*") if len(stage.needs) > 1 else cast.voice(row).digest
        compared = row != "backbone" and any(suite.compares for suite in suites.of(recipe))
        return {
            "model": model,
            "prompt": cast.voice(row).prompt,
            "test": done["data"].digest("test.jsonl"),
            "questions": done["data"].digest("questions.jsonl"),
            "judged": done["data"].digest("judged.json"),
            "judges": {name: judge.digest for name, judge in cast.judges.items()},
            **({"own judges": own} if (own := own_judges(recipe)) else {}),
            "compared with": backbone.digest if compared else None,
            "evaluation": recipe.evaluation.model_dump(exclude={"noise_seeds"} if row != "backbone" else None),
            **judging_inputs(recipe, store.digests),
            "system": recipe.system,
            "engine": answering(recipe.generation, judging=True),
            "precision": recipe.generation.precision,
            "suites": list(recipe.evaluate),
            "role": "backbone" if row == "backbone" else "model",
        }
    return {
        "name": recipe.name,
        "version": dragoman.__version__,
        "judged": {title: artifact.digest() for title, artifact in done.items() if title in stage.needs},
        "evaluation": recipe.evaluation.model_dump(),
    }


def own_judges(recipe: Recipe) -> dict[str, Any]:
    """The settings of judges that suites have for themselves; those of all stand in `evaluation`."""
    return {name: judge.model_dump() for name, judge in suites.judges(recipe).items() if name not in ("judge", "guard")}


def answering(settings: Generation, *, judging: bool = False) -> Any:
    """Who answers, as the recipe says it. Engines agree but for near ties, so another one makes another stage."""
    if settings.engine == "ray":
        return settings.ray.engine
    if settings.engine == "openai":
        return "auto" if judging else [settings.openai.address, settings.openai.model]
    return settings.engine


def code_digest(*rooms: str) -> str:
    """One name for the source text of some rooms or modules of this package."""
    root = Path(dragoman.__file__).parent
    digest = hashlib.sha256()
    for room in rooms:
        paths = [root / room] if room.endswith(".py") else (root / room).rglob("*")
        for path in sorted(paths):
            if path.suffix in {".py", ".html", ".css", ".js"}:
                digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
