"""The suites of probes: what a model forgot, told in minutes by questions of our own, without a judge."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from dragoman.corpora.records import Question
from dragoman.recipe.judging import Benchmark, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.suites._suite import Count, Notes, QuestionSuite, Shown
from dragoman.suites.probes.files import Half, files, of_half
from dragoman.suites.questions import drawn

INSTRUCTIONS, SAFETY, KNOWLEDGE = "instructions", "safety", "reasoning and knowledge"

FAMILIES = {
    "instructions": Shown("", INSTRUCTIONS, 1, "instruction"),
    "formats": Shown("", INSTRUCTIONS, 2, "instruction"),
    "follow-up": Shown("", INSTRUCTIONS, 3, "instruction"),
    "talking": Shown("", INSTRUCTIONS, 4),
    "refusal": Shown("", SAFETY, 1, "safety"),
    "harmless": Shown("", SAFETY, 3, "safety"),
    "arithmetic": Shown("", KNOWLEDGE, 1),
    "reading": Shown("", KNOWLEDGE, 2),
    "facts": Shown("", KNOWLEDGE, 3),
}
"""The families and where their scores stand in tables."""
NEAR: Mapping[str, Sequence[str]] = {
    "follow-up": ("follow-up",),
    "history": ("facts",),
    "maths": ("arithmetic",),
    "refusal": ("refusal", "harmless"),
    "science": ("facts",),
    "smalltalk": ("talking",),
    "summary": ("reading",),
    "tables-and-formats": ("formats",),
}
"""The kinds of `corpora/requests` that ask for the same as a family, and which; `refusal` holds look-alikes as well."""


class Probes(QuestionSuite):
    """Of each family as many as the recipe says, and others in other draws if there are enough.

    A `limit` is their number in all, equally many of each family.
    """

    kind = "probes"
    title = "probes"
    takes = Benchmark
    fixed = False
    half: ClassVar[Half] = "a"
    ending: ClassVar[str] = ""
    """What the names of its families end in."""

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {f"{family}{cls.ending}": how for family, how in FAMILIES.items()}

    def near(self) -> Mapping[str, Sequence[str]]:
        return {kind: [f"{family}{self.ending}" for family in families] for kind, families in NEAR.items()}

    def fault(self, recipe: Recipe) -> str | None:
        if self.options.path is not None or self.options.language != "en":
            return f"asks for {self.name}: {self.kind} takes only a limit; questions of one's own are a .jsonl file"
        return super().fault(recipe)

    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        found = drawn.drawn(self._all(), number, settings, self.options.limit)
        return found, Counter() if number else self.notes(settings)

    def notes(self, settings: Evaluation) -> Notes:
        """Of all families together, as they are many."""
        left = drawn.remaining(self._all(), settings, self.options.limit).values()
        most = f"evaluation.questions ({settings.questions:,})"
        why = f"{most} of a family" if self.options.limit is None else f"the limit ({self.options.limit:,}) or {most}"
        found = {
            "asked of the backbone alone for its noise floor": sum(again for again, _ in left),
            f"left out: more than {why}": sum(never for _, never in left),
        }
        return +Counter(found)

    def count(self, settings: Evaluation) -> Count:
        return drawn.count(self._all(), settings, self.options.limit)

    def files(self) -> list[Path]:
        return files()

    def _all(self) -> list[Question]:
        return [replace(one, family=one.family + self.ending) for one in of_half(self.half)]


class HeldOut(Probes):
    """The other half, under the names of the same families with `-b`: nothing asks it unless a recipe names it."""

    kind = "probes-b"
    title = "probes, held out"
    half = "b"
    ending = "-b"


SUITES = (Probes, HeldOut)
