"""The data stage: corpora become pairs, conversations and questions, without what is in the tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from dragoman.pipeline.data.make_data import DataFacts, data_inputs, make_data
from dragoman.pipeline.stages.stage import Inputs, Made, RunState, Stage, StageJob
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact

NAMED = ("train", "dev", "test", "questions", "instructions")


@dataclass(frozen=True, slots=True)
class MakeData(StageJob[DataFacts]):
    """Reads and checks what a recipe learns from and is tested on."""

    made_by: ClassVar = 1
    holds_model: ClassVar = False

    recipe: Recipe
    out: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        return cls(state.recipe, out)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        return data_inputs(state.recipe, state.store.digests)

    def run(self) -> Made[DataFacts]:
        return Made(make_data(self.recipe, self.out))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        return told(MakeData.facts(artifact))


def told(facts: DataFacts) -> list[str]:
    """The outcome in a few words; everything that was left out is mentioned."""
    counts = (facts["train"], facts.get("dev", {}), facts["test"], facts["questions"], facts["instructions"])
    parts = [f"{sum(count.values()):,} {name}" for name, count in zip(NAMED, counts, strict=True) if count]
    parts += [f"left out: {count:,} {reason}" for reason, count in facts["left out"].items()]
    parts += [
        f"{suite}: {count:,} {what}"
        for suite, counted in facts.get("suites", {}).items()
        for what, count in counted.items()
    ]
    parts += [
        f"{name} has {one['there']:,} where its share asks for {one['wanted']:,}"
        for name, one in facts["short"].items()
    ]
    if facts.get("contamination"):
        parts.append("those that share text with the test set are listed in contamination.jsonl")
    for file, keys in facts.get("renamed", {}).items():
        parts.append(f"{file}: " + ", ".join(f"{key!r} is read as {name!r}" for key, name in keys.items()))
    parts += [f"{file} could not be checked (no checksum is known)" for file in facts["unchecked"]]
    return parts + [f"beware: {warning}" for warning in facts.get("warnings", [])]
