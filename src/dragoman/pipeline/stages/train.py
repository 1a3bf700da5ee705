"""The train stage: examples become an adapter, or other weights if all are trained."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypedDict

from dragoman.pipeline.models.cast import Model
from dragoman.pipeline.models.speakers import device_name
from dragoman.pipeline.rows import WITHOUT_EFFECT, training_of
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.prompts.examples import ExampleTable
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact


class TrainFacts(TypedDict):
    """What a training's manifest says. A later part of a training continues the counts of steps and tokens."""

    steps: int
    tokens: int
    loss: float
    device: str


@dataclass(frozen=True, slots=True)
class Train(StageJob[TrainFacts]):
    """One training of a row, or one epoch of it. It continues `before`, and stops after epoch `until`."""

    made_by: ClassVar = 1

    recipe: Recipe
    backbone: Model
    row: str
    seed: int | None
    examples: Path
    out: Path
    before: Path | None = None
    until: int | None = None

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        examples = state.done[stage.needs[0]].folder
        before = state.done[stage.before].folder if stage.before else None
        backbone = state.cast.backbone
        return cls(state.recipe, backbone, stage.row, stage.seed, examples, out, before, stage.round or None)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        settings = training_of(state.recipe, stage.row, stage.seed)
        return {
            "examples": state.done[stage.needs[0]].digest("examples/*"),
            "backbone": state.cast.backbone.digest,
            "training": settings.model_dump(exclude=WITHOUT_EFFECT),
            "before": stage.before and state.done[stage.before].digest("adapter/*"),
            "until": stage.round or None,
        }

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        return [(state.cast.backbone, True)]

    def run(self) -> Made[TrainFacts]:
        from dragoman.training.trainer import fit

        table = ExampleTable(self.examples / "examples")
        settings = training_of(self.recipe, self.row, self.seed)
        result = fit(
            self.backbone.path,
            table,
            settings,
            self.out,
            before=self.before,
            until=self.until,
            trust_remote_code=self.backbone.trust_remote_code,
            bin_weights=self.backbone.bin_weights,
            label=f"training {self.row}" + ("" if self.seed is None else f" with seed {self.seed}"),
            named=self.backbone.name,
        )
        epochs = 1 if self.before or self.until else settings.epochs
        facts = TrainFacts(steps=result.steps, tokens=result.tokens, loss=result.loss, device=device_name())
        return Made(facts, math.ceil(epochs * len(table)))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        facts = Train.facts(artifact)
        return [f"{facts['steps']:,} steps", f"loss {facts['loss']:.3f}"]
