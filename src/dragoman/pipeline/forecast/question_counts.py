"""Question counts for forecasts: how many questions a recipe's suites ask, and how long answers may get."""

from dataclasses import dataclass
from typing import ClassVar

from dragoman import suites
from dragoman.generation.ask import Asking
from dragoman.pipeline.forecast.geometry import machines
from dragoman.pipeline.stages.data import MakeData
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact

PROMPT = 80  # tokens of a question with its chat format, as those of the lab and of HumanEval have, roughly
CHARACTERS = 4  # of a text to a token, roughly
ANSWER = 0.5  # of the longest answer that is allowed


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions that every model is asked, and those that the backbone is asked for its noise floor."""

    BACKBONE: ClassVar[float] = machines()["assumed"]["explained"]
    """How long the backbone's own translations are, in lengths of the reference."""
    once: float | None
    backbone: float | None
    longest: int
    characters: int = 0
    """Of what benchmarks put into their prompts, which are longer than others."""

    def of(self, backbone: bool) -> Asking | None:
        """What a model is asked; None if unknown."""
        count = self.backbone if backbone else self.once
        if count is None:
            return None
        asked = PROMPT * count + self.characters / CHARACTERS
        return Asking(count, asked, ANSWER * self.longest * count)


def questions(recipe: Recipe, data: Artifact | None) -> Questions:
    """As counted by the data stage if it is done, otherwise as the suites say."""
    settings = recipe.evaluation
    if data:
        facts = MakeData.facts(data)
        once = sum(facts["questions"].values())
        backbone = facts.get("asked of the backbone", (1 + settings.noise_seeds) * once)
        return Questions(once, backbone, settings.max_tokens, facts.get("question characters", 0))
    once, again, characters = 0, 0, 0
    for suite in suites.of(recipe):
        count = suite.count(settings)
        if count is None:
            return Questions(None, None, settings.max_tokens)
        once += count.once
        again += count.again * settings.noise_seeds
        characters += count.characters
    return Questions(once, once + again, settings.max_tokens, characters)
