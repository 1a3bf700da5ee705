"""Gathering a recipe's preferences: read, without what is in the tests, and written to a file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from dragoman import lab
from dragoman.corpora.formats.judgements.preferences import Choice, Chosen
from dragoman.corpora.formats.judgements.preferences import read as read_file
from dragoman.corpora.records import Preference, Rated, draw, requests_of
from dragoman.errors import DataError
from dragoman.lab import ratings as lab_ratings
from dragoman.paths import existing
from dragoman.pipeline.data.judgements.ratings import LAB_RATINGS, Shares
from dragoman.pipeline.data.record_files import write_lines
from dragoman.prompts.languages import language_name
from dragoman.recipe.data.preferences import Preferences
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

FILE = "preferences.jsonl"
FEW = 32  # from fewer little can be learnt


class PreferenceFacts(TypedDict, total=False):
    """Preferences by origin and direction. Empty for a recipe without any."""

    preferences: dict[str, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What there is to say of a recipe's preferences."""

    facts: PreferenceFacts = field(default_factory=lambda: PreferenceFacts())
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: tuple[str, ...] = ()


def inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """Everything that determines a recipe's preferences, by contents; nothing for a recipe without any."""
    found = []
    for number, said in enumerate(recipe.data.preferences):
        if said.corpus not in (None, lab_ratings.ORIGIN):
            raise DataError(f"data.preferences.{number}: no corpus {said.corpus!r}; there is {lab_ratings.ORIGIN}")
        contents = digests.of(existing(Path(said.file))) if said.file else lab.digest()
        found.append({**said.model_dump(), "contents": contents})
    return {"preferences": found} if found else {}


def read(said: Preferences) -> Chosen:
    """The preferences of an entry, before its limit."""
    if said.file is not None:
        return read_file(Path(said.file), said.direction, Choice(said.score, said.margin), said.name)
    assert said.direction is not None
    rated = lab_ratings.ratings(said.direction, said.limit or LAB_RATINGS, said.seed)
    return Chosen([one for one in map(best_and_worst, rated) if one.chosen != one.rejected])


def best_and_worst(rated: Rated) -> Preference:
    """The preference between the best and the worst translation of a source."""
    best = max(rated.translations, key=lambda one: one.score)
    worst = min(rated.translations, key=lambda one: one.score)
    return Preference(rated.source, best.text, worst.text, rated.source_language, rated.target_language, rated.origin)


def gather(recipe: Recipe, out: Path, shares: Shares) -> Gathered:
    """Writes the preferences. One is left out if one of its translations shares something with what is judged on.
    `DataError` for an entry of which nothing is left.
    """
    if not recipe.data.preferences:
        return Gathered()
    kept: dict[str, Preference] = {}
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    doubts: tuple[str, ...] = ()
    for number, said in enumerate(recipe.data.preferences):
        chosen = read(said)
        left_out = Counter(chosen.dropped)
        doubts += chosen.doubts
        fresh: dict[str, Preference] = {}
        for one in chosen.preferences:
            _check_languages(one, number)
            if one.key in kept or one.key in fresh:
                left_out["duplicate"] += 1
            elif reason := _shared(one, shares):
                left_out[reason] += 1
            else:
                fresh[one.key] = one
        some = _limited(list(fresh.values()), said)
        left_out["over the limit"] += len(fresh) - len(some)
        if not some:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in (+left_out).items()) or "nothing"
            raise DataError(f"data.preferences.{number} ({said.name}): not one is left to learn; left out: {listed}")
        kept |= {one.key: one for one in some}
        counts.update(f"{said.name} {one.direction}" for one in some)
        dropped += left_out
    if len(kept) < FEW:
        doubts += (f"data.preferences: only {len(kept):,} are left; name more of them, or raise the limit",)
    write_lines(out / FILE, map(asdict, kept.values()))
    return Gathered(PreferenceFacts(preferences=dict(counts)), dropped, doubts)


def _check_languages(one: Preference, number: int) -> None:
    for code in (one.source_language, one.target_language):
        try:
            language_name(code)
        except DataError as error:
            raise DataError(f"data.preferences.{number}, direction {one.direction}: {error}") from error


def _shared(one: Preference, shares: Shares) -> str | None:
    found = (shares("data.preferences", one.origin, pair) for pair in requests_of(one))
    return next((reason for reason in found if reason), None)


def _limited(fresh: Sequence[Preference], said: Preferences) -> list[Preference]:
    """Those with the smallest draws, in their order."""
    if said.limit is None or len(fresh) <= said.limit:
        return list(fresh)
    last = sorted(draw(one.key, "limit", said.seed) for one in fresh)[said.limit - 1]
    return [one for one in fresh if draw(one.key, "limit", said.seed) <= last]
