"""A recipe's preferences: where they are, how they are read, and what is gathered of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dragoman import lab
from dragoman.corpora.formats.judgements.preferences import Choice
from dragoman.corpora.formats.judgements.preferences import read as read_file
from dragoman.corpora.formats.judgements.table import Table
from dragoman.corpora.records import Preference, Rated
from dragoman.errors import DataError
from dragoman.lab import ratings as lab_ratings
from dragoman.paths import existing
from dragoman.pipeline.data.judgements.gather import Gathered, Shares
from dragoman.pipeline.data.judgements.gather import gather as gather_entries
from dragoman.pipeline.data.judgements.ratings import LAB_RATINGS
from dragoman.recipe.data.preferences import Preferences
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

FEW = 32  # from fewer little can be learnt


def inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """Everything that determines a recipe's preferences, by contents; nothing for a recipe without any."""
    found = []
    for number, said in enumerate(recipe.data.preferences):
        if said.corpus not in (None, lab_ratings.ORIGIN):
            raise DataError(f"data.preferences.{number}: no corpus {said.corpus!r}; there is {lab_ratings.ORIGIN}")
        contents = digests.of(existing(Path(said.file))) if said.file else lab.digest()
        found.append({**said.model_dump(), "contents": contents})
    return {"preferences": found} if found else {}


def read(said: Preferences) -> Table[Preference]:
    """The preferences of an entry, before its limit."""
    if said.file is not None:
        return read_file(Path(said.file), said.direction, Choice(said.score, said.margin), said.name)
    assert said.direction is not None
    rated = lab_ratings.ratings(said.direction, said.limit or LAB_RATINGS, said.seed)
    return Table([one for one in map(best_and_worst, rated) if one.chosen != one.rejected])


def best_and_worst(rated: Rated) -> Preference:
    """The preference between the best and the worst translation of a source."""
    best = max(rated.translations, key=lambda one: one.score)
    worst = min(rated.translations, key=lambda one: one.score)
    return Preference(rated.source, best.text, worst.text, rated.source_language, rated.target_language, rated.origin)


def gather(recipe: Recipe, out: Path, shares: Shares) -> Gathered:
    """Writes the preferences. `DataError` for an entry of which nothing is left."""
    found = gather_entries("preferences", recipe.data.preferences, read, lambda _: 1, out, shares)
    if not found.counts or found.records >= FEW:
        return found
    few = f"data.preferences: only {found.records:,} are left; name more of them, or raise the limit"
    return replace(found, doubts=(*found.doubts, few))
