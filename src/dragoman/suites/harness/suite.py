"""Tasks of lm-evaluation-harness as suites: `gsm8k`, or any by its name, as in `harness:arc_easy`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from dragoman.errors import DataError
from dragoman.paths import below
from dragoman.recipe.engines import Server
from dragoman.recipe.judging import Benchmark, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites._graded import Graded
from dragoman.suites._suite import ModelFiles, OutsideSuite, Shown
from dragoman.suites.harness import evaluate, gsm8k, ifeval
from dragoman.suites.harness.tasks import KNOWN, LIBRARY, PREFIX, installed, task_of

HEADINGS: Mapping[str, tuple[str, int]] = {
    "ifeval": ("instructions", 7),
    "gsm8k": ("reasoning and knowledge", 5),
    "mmlu": ("reasoning and knowledge", 6),
    "bbh": ("reasoning and knowledge", 7),
}
"""Where some tasks stand in tables."""


NEAR: Mapping[str, tuple[str, ...]] = {
    "gsm8k": ("maths",),
    "mgsm": ("maths",),
    "ifeval": ("tables-and-formats",),
    "mmlu": ("history", "science"),
    "global_mmlu": ("history", "science"),
}
"""Kinds of general prompts that ask for the same as a task."""


class Task(OutsideSuite):
    """A task; the harness opens a model once for all tasks of a recipe."""

    kind = "harness"
    title = f"a task of {LIBRARY}"
    saved = (gsm8k.TASK, ifeval.TASK)

    @property
    def task(self) -> str:
        """The harness's name for it."""
        return task_of(self.name) or self.name

    @classmethod
    def match(cls, name: str) -> Benchmark | None:
        return None if task_of(name) is None else Benchmark(kind=cls.kind)

    @classmethod
    def names(cls) -> Sequence[str]:
        return tuple(KNOWN)

    @classmethod
    def examples(cls) -> Sequence[str]:
        return (f"{PREFIX}arc_easy (any task of {LIBRARY})",)

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {name: Shown(title, *HEADINGS.get(name, ())) for name, title in KNOWN.items()}

    def near(self) -> Mapping[str, Sequence[str]]:
        return dict.fromkeys(NEAR.get(self.task, ()), (self.name,))

    def check(self, recipe: Recipe) -> None:
        settings = recipe.evaluation.harness
        if settings.backend == "openai" and (recipe.methods or recipe.compare):
            raise DataError(
                "evaluation.harness.backend: a server answers for the one model that it serves, and this recipe judges "
                "several; take `auto`, `hf` or `vllm`, or judge that model alone"
            )
        evaluate.verify((self.task,), settings)

    def converses(self, recipe: Recipe, own_prompt: bool) -> bool:
        return recipe.evaluation.harness.chat_template

    def servers(self, recipe: Recipe) -> Sequence[Server]:
        return (recipe.generation.openai,) if recipe.evaluation.harness.backend == "openai" else ()

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object] | None:
        """None if the recipe trains nothing that its questions could be compared with."""
        if not recipe.methods:
            return None
        settings = recipe.evaluation.harness
        return {"task": self.task, "version": installed(), "limit": settings.limit, **_data(recipe, digests)}

    def judging_inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        return _data(recipe, digests)

    @classmethod
    def texts(cls, suites: Sequence[Self], settings: Evaluation) -> dict[str, list[str]]:
        return evaluate.texts([suite.task for suite in suites], settings.harness)

    @classmethod
    def run(cls, suites: Sequence[Self], model: ModelFiles, settings: Evaluation) -> list[Graded]:
        return evaluate.judged(
            [suite.task for suite in suites],
            model.folder,
            settings.harness,
            chat=model.chat,
            system=model.system,
            trust_remote_code=model.trust_remote_code,
            bin_weights=model.bin_weights,
            generation=model.generation,
            cache=model.cache / "harness",
        )


def _data(recipe: Recipe, digests: Digests) -> dict[str, object]:
    """The contents of the local files that replace the hub's; a key may name a part of a task."""
    places = recipe.evaluation.harness.data
    return {"data": {task: [digests.of(file) for file in below(Path(path))] for task, path in places.items()}}


SUITES = (Task,)
