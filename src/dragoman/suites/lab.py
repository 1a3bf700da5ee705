"""The lab's own questions, drawn anew for each draw: abilities in English, and families in three languages."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from dragoman import lab
from dragoman.corpora.records import Question
from dragoman.lab import abilities
from dragoman.recipe.judging import Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites import is_skill
from dragoman.suites._suite import Count, Notes, QuestionSuite, Shown


class _Lab(QuestionSuite):
    fixed = False
    families: ClassVar[Sequence[str]]

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {}  # its families go by their names

    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        seed = settings.seed + number
        drawn = (abilities.questions(family, settings.questions, seed) for family in self.families)
        return [question for questions in drawn for question in questions], Counter()

    def count(self, settings: Evaluation) -> Count:
        kept = [family for family in self.families if not is_skill(family, settings.skills)]
        again = 0 if self.fixed else len(kept) * settings.questions
        return Count(len(self.families) * settings.questions, again)

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        return {"contents": lab.digest()}


class Abilities(_Lab):
    kind = "lab"
    title = "the lab's abilities"
    families = abilities.FAMILIES

    def near(self) -> Mapping[str, Sequence[str]]:
        return {"follow-up": ("follow_up",), "maths": ("arithmetic",), "refusal": ("refusal",)}

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {
            "instructions": Shown("", "instructions", 1, "instruction"),
            "follow_up": Shown("", "instructions", 2, "instruction"),
            "explaining": Shown("", "instructions", 3),
            "refusal": Shown("", "safety", 1, "safety"),
            "harmless": Shown("", "safety", 3, "safety"),
            "arithmetic": Shown("", "reasoning and knowledge", 1),
            "reading": Shown("", "reasoning and knowledge", 2),
            "facts": Shown("", "reasoning and knowledge", 3),
        }


class Languages(_Lab):
    kind = "lab-languages"
    title = "the lab's questions in three languages"
    families = abilities.LANGUAGE_FAMILIES


class Programs(_Lab):
    kind = "programs"
    title = "small programs"
    side = "skill"
    fixed = True
    sandboxed = True
    families = ("programs",)

    def near(self) -> Mapping[str, Sequence[str]]:
        return {"code": self.families}


SUITES = (Abilities, Languages, Programs)
