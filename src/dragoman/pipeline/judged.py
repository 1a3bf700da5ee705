"""The suites whose answers are judged by another model or a rule about refusals: what each reads, and how it asks.

Each is two functions. `read` turns a benchmark's files into plain data that JSON can hold (its material, of which
`texts` are compared with what is learnt from); `make` is a generator that yields asks and returns what was judged:

    read(kind, place: Sequence[Path]) -> Material        (of AlpacaEval also the `annotator`, where a recipe names one)
    make(model, material, speak, settings) -> Generator[Ask, list[Completion], list[Graded]]

Asks go to `model`, whose name is `backbone` for the backbone, and to `judge` or `guard`, to whom `speak.of` speaks.
"""

import importlib
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragoman.corpora import catalog
from dragoman.generation.ask import Ask, Completion
from dragoman.generation.openai.connect import ADDRESS
from dragoman.recipe.judging import Benchmark
from dragoman.recipe.paths import below, there
from dragoman.recipe.schema import Recipe
from dragoman.recipe.suites import CHATS, harness_task
from dragoman.store import Digests
from dragoman.suites.graded import Graded
from dragoman.suites.harness.tasks import installed

Material = Mapping[str, Any]
Asking = Generator[Ask, list[Completion], list[Graded]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A suite: its entry in the catalogue, and its two functions by name."""

    entry: str
    read: str
    make: str
    drawn: bool = False
    """Answers are drawn and not greedy, so that another seed gives others: a noise floor can be measured."""


KINDS: Mapping[str, Judged] = {
    "mt-bench": Judged("mt-bench", "suites.mt_bench.files.read", "suites.mt_bench.suite.mt_bench", drawn=True),
    "alpaca-eval": Judged("alpaca-eval", "suites.alpaca_eval.files.read", "suites.alpaca_eval.suite.alpaca_eval"),
    "alpaca-eval-2": Judged("alpaca-eval", "suites.alpaca_eval.files.read", "suites.alpaca_eval.suite.alpaca_eval_2"),
    "pairwise": Judged("alpaca-eval", "suites.alpaca_eval.files.read", "suites.pairwise.pairwise"),
    "safety": Judged("advbench", "suites.safety.prompts.read", "suites.safety.suite.safety"),
    "xstest": Judged("xstest", "suites.safety.prompts.read", "suites.safety.suite.over_refusal"),
}


def read(described: Benchmark, place: Sequence[Path]) -> Material:
    """The material of a suite from its files, or from one folder. `DataError` where they are not what it takes."""
    more = {"annotator": described.annotator} if described.annotator else {}
    found: Material = _function(KINDS[described.kind].read)(described.kind, place, **more)
    return found


def make(kind: str, model: str, material: Material, speak: Any, settings: Any) -> Asking:
    """The suite as a generator of asks."""
    asking: Asking = _function(KINDS[kind].make)(model, material, speak, settings)
    return asking


def asked_instead(asking: Asking, model: str, other: str) -> Asking:
    """The same asks, but those to `model` go to the `other`."""
    try:
        ask = next(asking)
        while True:
            ask = asking.send((yield replace(ask, model=other) if ask.model == model else ask))
    except StopIteration as end:
        found: list[Graded] = end.value
        return found


def chat(recipe: Recipe, suite: str) -> Benchmark | None:
    """What a suite's name stands for: the recipe's own description first. None where it is none of `KINDS`."""
    found = recipe.benchmarks.get(suite) or (Benchmark.model_validate({"kind": suite}) if suite in CHATS else None)
    return found if found is not None and found.kind in CHATS else None


def harness_tasks(recipe: Recipe) -> tuple[str, ...]:
    """The tasks of lm-evaluation-harness among the suites; those that the recipe itself describes are none."""
    named = (harness_task(suite) for suite in recipe.evaluate if suite not in recipe.benchmarks)
    return tuple(task for task in named if task is not None)


def judging_inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """Contents of what a model is judged with, besides the questions: COMET models, and the harness' local data."""
    comets = recipe.evaluation.comet if "translation" in recipe.evaluate else ()
    return {
        "comet": [digests.of(path) for one in comets for path in below(Path(one.checkpoint)) if path.exists()],
        "harness data": _harness_data(recipe, digests),
        **({"servers": servers} if (servers := _servers(recipe)) else {}),
    }


def asking_inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """All that determines what the harness asks; {} where nothing is learnt that it could be compared with."""
    if not (recipe.methods and harness_tasks(recipe)):
        return {}
    found = (harness_tasks(recipe), installed(), recipe.evaluation.harness.limit, _harness_data(recipe, digests))
    return {"harness": found}


def prompts(recipe: Recipe, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Sequence[str]]:
    """What the suites of `found`, as `materials` gives them, and the harness ask: texts by the name of their suite."""
    texts: dict[str, Sequence[str]] = {suite: one["material"]["texts"] for suite, one in found.items()}
    if tasks := harness_tasks(recipe):
        from dragoman.suites.harness import suite as harness  # which takes a second

        texts |= harness.texts(tasks, recipe.evaluation.harness)
    return texts


def _servers(recipe: Recipe) -> list[Any]:
    """Servers that answer or judge: nobody knows their models' contents, so address and name stand for them."""
    evaluation = recipe.evaluation
    judges = [evaluation.judge, evaluation.guard, *(one.judge for one in recipe.benchmarks.values())]
    asked = [judge.generation for judge in judges if judge and judge.generation]
    used = [generation.openai for generation in asked if generation.engine == "openai"]
    if harness_tasks(recipe) and evaluation.harness.backend == "openai":
        used.append(recipe.generation.openai)
    return [[server.address or os.environ.get(ADDRESS), server.model] for server in used]


def _harness_data(recipe: Recipe, digests: Digests) -> dict[str, list[str]]:
    data = recipe.evaluation.harness.data if harness_tasks(recipe) else {}  # its keys may be parts of what is evaluated
    return {task: [digests.of(file) for file in below(Path(path))] for task, path in data.items()}


def materials(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Suite → its kind, and what it asks, as the modules of these suites read it from their files."""
    found = {}
    for suite in recipe.evaluate:
        if described := chat(recipe, suite):
            material = dict(read(described, files(suite, described)))
            if described.limit is not None:
                material["limit"] = described.limit
            found[suite] = {"kind": described.kind, "material": material}
    return found


def files(suite: str, described: Benchmark) -> list[Path]:
    """The suite's own file or folder, or the files of the catalogue, fetched where they must be."""
    if described.path is not None:
        return [there(Path(described.path), suite)]
    entry = catalog.find(KINDS[described.kind].entry)
    return [catalog.local(entry, path) for path in entry.files]


def count(suite: str, described: Benchmark) -> tuple[int | None, Sequence[str]]:
    """How many texts a model is asked, and which; by the catalogue where they are not here yet.

    None where nobody knows. How long judgements take is not reckoned.
    """
    entry = catalog.find(KINDS[described.kind].entry)
    if described.path is None and not all(catalog.here(entry, path) for path in entry.files):
        most = max((part.records or 0 for part in entry.of("questions")), default=0)
        return (min(most, described.limit or most) or None), ()
    if described.path is not None and not Path(described.path).exists():
        return None, ()
    texts: Sequence[str] = read(described, files(suite, described))["texts"][: described.limit]
    return len(texts), texts


def elsewhere(recipe: Recipe, suite: str) -> bool:
    """Whether a suite asks by itself: its questions are not among those with a rule."""
    return chat(recipe, suite) is not None or (suite not in recipe.benchmarks and harness_task(suite) is not None)


def _function(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"dragoman.{module}"), name)
    return found
