"""Results of one row's evaluation, as stored on disk; scorecards are made from them."""

from dataclasses import dataclass
from typing import NotRequired, TypedDict

from dragoman.suites import Graded, GradedJson
from dragoman.suites.drift.suite import DriftJson, DriftResult
from dragoman.suites.questions.suite import AbilitiesJson, AbilityResult
from dragoman.suites.translation.suite import TranslationJson, TranslationResult

SCHEMA = 2


class ResultsJson(TypedDict):
    """`results.json`: a row's results as its evaluation leaves them on disk."""

    schema: int
    translation: TranslationJson | None
    abilities: AbilitiesJson | None
    graded: NotRequired[list[GradedJson]]
    drift: NotRequired[DriftJson]


@dataclass(frozen=True, slots=True)
class RowResults:
    """The results of one model; None for a suite that was not run."""

    translation: TranslationResult | None = None
    abilities: AbilityResult | None = None
    graded: tuple[Graded, ...] = ()
    drift: DriftResult | None = None

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of all scores but translation's: families of questions, and what others judge."""
        return (*(self.abilities.families if self.abilities else ()), *(one.name for one in self.graded))

    def to_json(self) -> ResultsJson:
        """Plain data that `from_json` reads back: what the evaluation of a row leaves on disk."""
        found: ResultsJson = {
            "schema": SCHEMA,
            "translation": self.translation.to_json() if self.translation else None,
            "abilities": self.abilities.to_json() if self.abilities else None,
            "graded": [one.to_json() for one in self.graded],
        }
        if self.drift:
            found["drift"] = self.drift.to_json()
        return found

    @staticmethod
    def from_json(data: ResultsJson) -> "RowResults":
        return RowResults(
            TranslationResult.from_json(data["translation"]) if data["translation"] else None,
            AbilityResult.from_json(data["abilities"]) if data["abilities"] else None,
            tuple(Graded.from_json(one) for one in data.get("graded", ())),
            DriftResult.from_json(data["drift"]) if "drift" in data else None,
        )
