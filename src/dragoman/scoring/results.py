"""Results of one row's evaluation, as stored on disk; scorecards are made from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.suites import Graded
from dragoman.suites.questions.suite import AbilityResult
from dragoman.suites.translation.suite import TranslationResult

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class RowResults:
    """The results of one model; None for a suite that was not run."""

    translation: TranslationResult | None = None
    abilities: AbilityResult | None = None
    graded: tuple[Graded, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back: what the evaluation of a row leaves on disk."""
        return {
            "schema": SCHEMA,
            "translation": self.translation.to_json() if self.translation else None,
            "abilities": self.abilities.to_json() if self.abilities else None,
            "graded": [one.to_json() for one in self.graded],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "RowResults":
        return RowResults(
            TranslationResult.from_json(data["translation"]) if data["translation"] else None,
            AbilityResult.from_json(data["abilities"]) if data["abilities"] else None,
            tuple(Graded.from_json(one) for one in data.get("graded", ())),
        )
