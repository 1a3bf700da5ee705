"""The search of a learning rate: trainings of one row on a part of its data, each rate a row of a swept recipe.

Examples, trainings and measurements are kept in the store: a search that was interrupted goes on, one that is done
costs nothing, and a rate that led astray is remembered.
"""

import json
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from dragoman import suites
from dragoman.analysis.results import MeasuredRate, TriedRate, TuneResult
from dragoman.errors import Diverged, RecipeError, TrainingError
from dragoman.pipeline.analyses.once import measured_once
from dragoman.pipeline.data.make_data import missing
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.forecast.show import print_plan
from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.engines import answering
from dragoman.pipeline.plan import Plan, code_digest, open_store, plan
from dragoman.pipeline.rows import learnt_counts, rows, rows_before, settings_of, training_of
from dragoman.pipeline.run import made
from dragoman.pipeline.stages.data import MakeData
from dragoman.pipeline.stages.examples import MakeExamples
from dragoman.pipeline.stages.stage import finish_of
from dragoman.pipeline.stages.train import Train
from dragoman.pipeline.tune import ladder
from dragoman.pipeline.tune.ladder import Tried
from dragoman.recipe.data.pairs import Dev
from dragoman.recipe.schema import Recipe
from dragoman.recipe.sweep import named
from dragoman.report.analyses import tuning
from dragoman.scoring.statistics import interval, resample
from dragoman.store import Artifact, Store, fingerprint, write_atomic
from dragoman.suites import QuestionSuite
from dragoman.suites.lab import Abilities
from dragoman.suites.probes.suite import Probes
from dragoman.terminal import say as say_it

Say = Callable[[str], None]
PAIRS = 1000  # to train on, unless said otherwise
LEAST = 50  # pairs to train on, with which a search begins
HELD_OUT = 300  # pairs to validate on, about
SHARE = 0.2  # of the training pairs that are held out at most
GIVE_UP = 1.5  # times the backbone's validation loss at which a training is stopped
CODE = (
    *("analysis/drift.py", "pipeline/analyses/measuring.py", "pipeline/models/drift.py", "pipeline/tune/measuring.py"),
    *("prompts", "scoring/divergence.py"),
)


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: the recipe cut down to one row, a part of its data and held-out pairs."""

    recipe: Recipe
    row: str
    pairs: int
    of: int
    limit: int
    """Of the row: so many records of each kind at most."""
    start: int
    """The rung to begin at."""

    def at(self, *rungs: int) -> Recipe:
        """The recipe with a row for each of these rates."""
        method, options = rows(self.recipe)[self.row]
        entries = []
        for rung in rungs:
            rate = ladder.rate(rung)
            own = {**(options.get("training") or {}), "learning_rate": rate, "give_up": GIVE_UP}
            own |= self._in_proportion(rate)
            entries.append({method: {**options, "training": own, "label": self.label(rung)}})
        return self.recipe.model_copy(update={"methods": (*self.recipe.methods[:-1], *entries)})

    def _in_proportion(self, rate: float) -> dict[str, float | None]:
        """The floor of the rate in proportion to its peak, and the steps to the records, where the row says them. A
        curriculum is for all of the data.
        """
        said = settings_of(self.recipe, self.row)
        found: dict[str, float | None] = {"curriculum": None} if said.curriculum else {}
        if said.min_learning_rate is not None:
            found["min_learning_rate"] = rate * said.min_learning_rate / said.learning_rate
        if said.max_steps is not None:
            found["max_steps"] = math.ceil(said.max_steps * self.pairs / self.of)
        return found

    def label(self, rung: int) -> str:
        """The name of a rate's row, as a sweep would name it."""
        return f"{self.row}-{named(('training', 'learning_rate'), ladder.rate(rung))}"

    @property
    def folder(self) -> Path:
        return Path(self.recipe.runs) / self.recipe.name / "tune"


def only(recipe: Recipe, row: str | None) -> tuple[Recipe, str]:
    """The recipe with one row, the first if none is named, and those before it that it starts from; and with only those
    suites whose questions are prompts.

    RecipeError if it trains nothing, has no such row, or learns from no pairs.
    """
    known = rows(recipe)
    if not known:
        raise RecipeError(f"{recipe.name} trains nothing: it has no methods, so there is no learning rate to find")
    named_ones = [one for one, (method, _) in known.items() if row in (None, one, method)]
    if not named_ones:
        raise RecipeError(f"{recipe.name} has no row or method '{row}'; its rows are {', '.join(known)}")
    if recipe.data.train is None:
        raise RecipeError(
            f"{recipe.name} has no training pairs (data.train): a rate is chosen by the loss on held-out pairs, of "
            "which there are none"
        )
    method, options = known[named_ones[0]]
    if "refresh" in options:
        options = {**options, "refresh": False}  # rationales are those of the backbone, written once
    asked = tuple(suite.name for suite in suites.of(recipe) if isinstance(suite, QuestionSuite))
    judged = tuple(name for name in recipe.evaluate if name == "translation" or name in asked)
    return recipe.model_copy(
        update={
            "methods": (*(dict([known[one]]) for one in rows_before(recipe, named_ones[0])), {method: options}),
            "seeds": recipe.seeds[:1],
            "compare": (),
            "evaluate": judged if asked else (*judged, _general(recipe)),
            "evaluation": recipe.evaluation.model_copy(update={"comet": ()}),
        }
    ), named_ones[0]


def cut_down(recipe: Recipe, row: str, pairs: int, start: float) -> Search | None:
    """The search of a recipe with one row. None if how much there is to learn is not known until corpora are here.

    RecipeError if there are too few pairs.
    """
    learnt = Reckoning(plan(recipe)).to_learn(row)
    if learnt is None:
        return None
    counts = {kind: round(volume.records) for kind, volume in learnt.volumes.items()}
    method, options = rows(recipe)[row]
    there = sum(min(count, options.get("limit") or count) for count in counts.values())
    if there < LEAST:
        raise RecipeError(
            f"{recipe.name} has {there:,} training records; with fewer than {LEAST} no learning rate can be told from "
            "another. Take the rate of a model of this size (`dragoman init` writes it)."
        )
    data = recipe.data
    of_pairs = sum(count for kind, count in counts.items() if kind.pairs)
    if data.dev is None:
        share = float(f"{min(SHARE, HELD_OUT / of_pairs):.1g}")
        data = data.model_copy(update={"dev": Dev(share=share)})
    limit = math.ceil(pairs / len(counts))
    used = sum(min(count, options.get("limit") or count, limit) for count in counts.values())
    limit = min(limit, options.get("limit") or limit)
    row_options = {**options, "limit": limit, "label": row}
    found = recipe.model_copy(update={"methods": (*recipe.methods[:-1], {method: row_options}), "data": data})
    return Search(found, row, used, there, limit, ladder.nearest(start))


def _general(recipe: Recipe) -> str:
    """The suite whose questions are general prompts, for a recipe that asks none."""
    return (Abilities if recipe.backbone == "lab" else Probes).kind


def search(recipe: Recipe, row: str, pairs: int, start: float, say: Say) -> tuple[TuneResult, Path]:
    """Tries rates until one is found, and returns what came of them, and the folder with table and picture.

    `recipe` is what `only` returns. Raises RecipeError if there are too few pairs, and TrainingError if every rate
    leads astray.
    """
    store = open_store(recipe, say)
    with store.in_use():
        made(recipe, "data", say=say)
        cut = cut_down(recipe, row, pairs, start)
        assert cut is not None, "the corpora are here"
        data = made(cut.recipe, "data", say=_quiet(say))["data"]
        tried: dict[int, _Trained] = {}
        while (rung := ladder.following({one: made.tried for one, made in tried.items()}, cut.start)) is not None:
            tried[rung] = _try(cut, rung, store, checked=bool(tried), say=say)
        result = _result(cut, tried, data)
    folder = cut.folder
    write_atomic(folder / "tune.json", json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    write_atomic(folder / "tune.md", tuning.markdown(result))
    write_atomic(folder / "tune.svg", tuning.picture(result) + "\n")
    return result, folder


def foresee(recipe: Recipe, row: str, pairs: int, start: float) -> None:
    """Prints what a search begins with, and what that takes."""
    cut = cut_down(recipe, row, pairs, start)
    if cut is None:
        say_it(f"Not on this machine yet, a search fetches: corpora {', '.join(missing(recipe))}.")
        return
    first = [cut.start - ladder.COARSE, cut.start, cut.start + ladder.COARSE]
    found = plan(cut.at(*first))
    wanted = ("data", "replay", "examples", "train")
    print_plan(replace(found, steps=tuple(step for step in found.steps if step.stage.kind in wanted)))
    say_it(
        f"The search begins with {', '.join(map(ladder.written, first))}, on {cut.pairs:,} of {cut.of:,} training "
        f"records, and tries {ladder.MOST} rates at most. Measuring each takes about as long as validating it."
    )


@dataclass(frozen=True, slots=True)
class _Trained:
    """A rate and its training; without an artifact if it went astray."""

    tried: Tried
    seconds: float
    train: Artifact | None = None
    examples: Artifact | None = None
    measured: MeasuredRate | None = None


def _quiet(say: Say) -> Say:
    """Says what is new, and not again what was done before."""
    return lambda text: None if text.endswith("done before") else say(text)


def _try(cut: Search, rung: int, store: Store, *, checked: bool, say: Say) -> _Trained:
    """Trains and measures a row with this rate, unless that was done before."""
    recipe, label = cut.at(rung), cut.label(rung)
    title = f"train-{label}"
    examples = made(recipe, "examples", checked=checked, say=_quiet(say))[f"examples-{label}"]
    found = plan(recipe, store)
    name = next(step.name for step in found.steps if step.stage.title == title)
    assert name is not None, "its examples are made"
    astray = f"astray-{label}-{name.rpartition('-')[2]}"
    if known := store.find(astray):
        say(f"✓ {title}  done before: it went astray")
        return _Trained(Tried(math.inf, np.empty((0, 2))), float(str(known.facts["seconds"])), examples=examples)
    try:
        done = made(recipe, "train", checked=True, say=_quiet(say))
    except Diverged as fault:
        seconds = _clocked(store, name)
        with store.making(astray):
            store.finish(astray, {"why": str(fault), "seconds": seconds})
        shutil.rmtree(store.folder / "partial" / name, ignore_errors=True)  # nobody would go on with it
        say(f"✗ {title}  {fault}")
        return _Trained(Tried(math.inf, np.empty((0, 2))), seconds, examples=examples)
    train = done[title]
    measured = _measure(cut.recipe, found, label, train, done["data"], store, _quiet(say))
    texts = np.array(measured["texts"])
    drift = measured["drift"]
    tried = Tried(_validation(train)[1], texts, drift and drift["forward"]["mean"])
    return _Trained(tried, finish_of(train)["seconds"], train, examples, measured)


def _clocked(store: Store, name: str) -> float:
    """The seconds that an unfinished stage has taken, which are forgotten with it."""
    path = store.folder / "spent" / name
    try:
        return float(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return 0.0
    finally:
        path.unlink(missing_ok=True)


def _validation(train: Artifact) -> tuple[float, float]:
    """The validation loss before a training, and that of the weights that were kept."""
    validated = Train.facts(train)["validation"]
    losses = dict(validated["losses"])
    return losses[0], losses[validated["kept"]]


def _measure(
    recipe: Recipe, found: Plan, label: str, train: Artifact, data: Artifact, store: Store, say: Say
) -> MeasuredRate:
    start = found.start(label)
    name = fingerprint(
        {
            "trained": train.digest("adapter/*"),
            "data": [data.digest("dev.jsonl"), data.digest("questions.jsonl")],
            "backbone": start.digest,
            "evaluation": recipe.evaluation.model_dump(include={"max_tokens", "seed", "skills", "bootstrap"}),
            "precision": recipe.generation.precision,
            "engine": answering(recipe.generation, judging=True),
            "system": recipe.system,
            "held out": HELD_OUT,
            "code": code_digest(*CODE),
        }
    )
    job = MeasureRate(
        recipe, start, train.folder / "adapter", HELD_OUT, data.folder, store.folder / "completions", label
    )
    return measured_once(store, start, f"tune-{label}-{name}", "tune.json", say, [data, train], job)


@dataclass(frozen=True, slots=True)
class MeasureRate:
    """The measurement of one rate, in a process of its own."""

    recipe: Recipe
    backbone: Model
    trained: Path
    held_out: int
    data: Path
    cache: Path
    label: str

    def run(self) -> MeasuredRate:
        from dragoman.pipeline.tune.measuring import measure_rate

        label = f"measuring {self.label}"
        return measure_rate(self.recipe, self.backbone, self.trained, self.held_out, self.data, self.cache, label)


def _result(cut: Search, trained: Mapping[int, _Trained], data: Artifact) -> TuneResult:
    """What came of all rates. TrainingError if none is sound."""
    tried = {rung: one.tried for rung, one in sorted(trained.items())}
    good = ladder.as_good(tried)
    if not good:
        raise TrainingError(
            f"every learning rate from {ladder.written(min(tried))} to {ladder.written(max(tried))} led astray: the "
            "loss rose, or was no number. Look at the training pairs (`dragoman data inspect`)."
        )
    taken = ladder.chosen(tried, good)
    best = trained[good[0]]
    assert best.train is not None
    assert best.examples is not None
    assert best.measured is not None
    drift = best.measured["drift"]
    learnt = sum(min(count, cut.limit) for count in learnt_counts(cut.recipe, cut.row, MakeData.facts(data)["train"]))
    settings = training_of(cut.recipe, cut.row)
    made_examples = MakeExamples.facts(best.examples)["examples"]
    whole = math.ceil(made_examples * cut.of / learnt)
    return {
        "recipe": cut.recipe.name,
        "backbone": cut.recipe.backbone,
        "row": cut.row,
        "pairs": learnt,
        "of": cut.of,
        "steps": Train.facts(best.train)["steps"],
        "run_steps": settings.steps(whole),
        "held_out": Train.facts(best.train)["validation"]["pairs"],
        "prompts": drift["texts"] if drift else 0,
        "start": ladder.written(cut.start),
        "before": _validation(best.train)[0],
        "rates": [_told(rung, trained[rung], rung == taken, rung in good) for rung in tried],
        "chosen": ladder.written(taken),
    }


def _told(rung: int, one: _Trained, taken: bool, good: bool) -> TriedRate:
    drift = one.measured["drift"] if one.measured else None
    state: Literal["chosen", "as good", "worse", "astray"] = "chosen" if taken else "as good" if good else "worse"
    spread = None
    if not one.tried.astray:
        sums = resample(one.tried.texts, ladder.RESAMPLES)
        spread = list(interval(sums[:, 0] / sums[:, 1]))
    return {
        "rate": ladder.rate(rung),
        "written": ladder.written(rung),
        "state": "astray" if one.tried.astray else state,
        "loss": None if one.tried.astray else one.tried.loss,
        "loss_interval": spread,
        "drift": drift and drift["forward"]["mean"],
        "drift_interval": drift and drift["forward"]["interval"],
        "seconds": one.seconds,
    }
