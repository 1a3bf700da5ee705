"""Families that are a benchmark in a language: `qa-de`, `mmlu-it`, `mlqa-de-en`."""

from collections.abc import Sequence
from dataclasses import dataclass

from dragoman.prompts.languages import LANGUAGES, LONG_CODES, language_name
from dragoman.scoring.scorecard.schema import Ability, Kind, Row, Scorecard


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A family's name in its parts."""

    family: str
    name: str
    """The benchmark's name: `mlqa`."""
    language: str
    """The language of the questions: `en`."""
    context: str = ""
    """The language of the text asked about, if the family names one as well: `de`."""

    @property
    def place(self) -> str:
        """Such as `de`; `de-en` if the text is in another language than the question."""
        return f"{self.context}-{self.language}" if self.context else self.language


def split(family: str) -> Benchmark | None:
    """The parts of a family's name; None if it does not end with a language."""
    *first, last = family.split("-")
    if not first or not _is_language(last):
        return None
    if len(first) > 1 and _is_language(first[-1]):
        return Benchmark(family, "-".join(first[:-1]), last, first[-1])
    return Benchmark(family, "-".join(first), last)


def _is_language(code: str) -> bool:
    language = code.partition("_")[0]
    return language in LANGUAGES or language in LONG_CODES


def benchmarks(card: Scorecard) -> list[Benchmark]:
    """All benchmarks that any row was asked, learnt or kept."""
    found = dict.fromkeys(family for row in card["rows"] for family in [*row["abilities"], *row["skills"]])
    return [parts for family in found if (parts := split(family))]


def others(rows: Sequence[Row], kind: Kind) -> list[str]:
    """All families among the `abilities` or `skills` of some rows that are not a benchmark in a language."""
    return [family for family in dict.fromkeys(family for row in rows for family in row[kind]) if not split(family)]


def by_language(found: Sequence[Benchmark]) -> dict[str, list[Benchmark]]:
    """A heading → the benchmarks below it: English first, those with two languages last."""
    one = dict.fromkeys(parts.language for parts in found if not parts.context)
    groups = {
        f"in {language_name(code)}": [parts for parts in found if parts.place == code]
        for code in sorted(one, key=lambda code: code != "en")
    }
    two = [parts for parts in found if parts.context]
    return groups | ({"across languages": two} if two else {})


def heading(parts: Benchmark) -> str:
    """The heading of a benchmark's scores, below that of its language."""
    name = parts.name.replace("_", " ")
    return f"{name} {parts.context}→{parts.language}" if parts.context else name


def score(row: Row, family: str) -> Ability | None:
    """A row's ABILITY in a family, learnt or kept."""
    return row["abilities"].get(family) or row["skills"].get(family)


def kind(card: Scorecard, family: str) -> str:
    """The field of a pair of rows that has the differences in a family: `families` or `skills`."""
    return "skills" if any(family in row["skills"] for row in card["rows"]) else "families"
