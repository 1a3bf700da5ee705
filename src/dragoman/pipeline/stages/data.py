"""The data stage: corpora become pairs, conversations and questions, without what is in the tests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from dragoman.pipeline.data.make_data import DataFacts, data_inputs, make_data
from dragoman.pipeline.data.texts.measures import counts_tokens, needed, tellers
from dragoman.pipeline.data.texts.sources import sources
from dragoman.pipeline.models.cast import Cast, Model
from dragoman.pipeline.stages.measure_texts import MeasureTexts
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
    cast: Cast
    out: Path

    @classmethod
    def of(cls, stage: Stage, state: RunState, out: Path) -> Self:
        return cls(state.recipe, state.cast, out)

    @staticmethod
    def inputs(stage: Stage, state: RunState) -> Inputs:
        measuring = [model.digest for model, _ in MakeData.models(stage, state)]
        measured: Inputs = {"measured by": measuring} if measuring else {}
        return data_inputs(state.recipe, state.store.digests) | measured

    @staticmethod
    def models(stage: Stage, state: RunState) -> list[tuple[Model, bool]]:
        named = tellers(state.recipe)
        backbone = [(state.cast.backbone, None in named)] if named or counts_tokens(state.recipe) else []
        return [*backbone, *((state.cast.tellers[name], True) for name in named if name is not None)]

    def parts(self) -> Iterable[MeasureTexts]:
        if any(needed(self.recipe, source) for source in sources(self.recipe)):
            yield MeasureTexts(self.recipe, self.cast, self.out)

    def run(self) -> Made[DataFacts]:
        return Made(make_data(self.recipe, self.out))

    @staticmethod
    def told(artifact: Artifact) -> list[str]:
        return told(MakeData.facts(artifact))


def told(facts: DataFacts) -> list[str]:
    """The outcome in a few words; everything that was left out is mentioned."""
    counts = (facts["train"], facts.get("dev", {}), facts["test"], facts["questions"], facts["instructions"])
    parts = [f"{sum(count.values()):,} {name}" for name, count in zip(NAMED, counts, strict=True) if count]
    parts += _of_texts(facts)
    rated = facts.get("ratings", {})
    parts += [f"{sum(rated.values()):,} rated translations ({_listed(rated)})"] * bool(rated)
    chosen = facts.get("preferences", {})
    parts += [f"{sum(chosen.values()):,} preferences ({_listed(chosen)})"] * bool(chosen)
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


def _of_texts(facts: DataFacts) -> list[str]:
    """The texts, by origin and language; how many came several times, and how many are validated on."""
    texts, again, held_out = facts.get("texts", {}), facts.get("texts_again", {}), facts.get("dev_texts", {})
    parts = [f"{sum(texts.values()):,} texts ({_listed(texts)})"] * bool(texts)
    parts += [f"{sum(again.values()):,} of them drawn again ({_listed(again)})"] * bool(again)
    return parts + [f"{sum(held_out.values()):,} texts to validate on ({_listed(held_out)})"] * bool(held_out)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
