"""Gathering a recipe's rated translations: read, without what is in the tests, and written to a file."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from dragoman import lab
from dragoman.corpora import catalog
from dragoman.corpora.formats.judgements import mqm, scored
from dragoman.corpora.formats.judgements.table import Table
from dragoman.corpora.formats.text import ending
from dragoman.corpora.records import Rated, Record, draw, requests_of
from dragoman.errors import DataError
from dragoman.lab import ratings as lab_ratings
from dragoman.paths import existing
from dragoman.pipeline.data.record_files import write_lines
from dragoman.prompts.languages import language_name
from dragoman.recipe.data.ratings import Ratings
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

FILE = "ratings.jsonl"
LAB_RATINGS = 500  # sources, where a recipe names no limit

Shares = Callable[[str, str, Record], str | None]
"""What a record shares with what is judged on, by place, origin and record; None if nothing."""


class RatingFacts(TypedDict, total=False):
    """Rated translations by origin and direction. Empty for a recipe without any."""

    ratings: dict[str, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What there is to say of a recipe's ratings."""

    facts: RatingFacts = field(default_factory=lambda: RatingFacts())
    dropped: Counter[str] = field(default_factory=Counter)
    doubts: tuple[str, ...] = ()


def inputs(recipe: Recipe, digests: Digests) -> dict[str, Any]:
    """Everything that determines a recipe's ratings, by contents; nothing for a recipe without any."""
    found = []
    for number, said in enumerate(recipe.data.ratings):
        _check(said, number)
        contents = [digests.of(existing(path)) for path in files(said)] or lab.digest()
        found.append({**said.model_dump(), "contents": contents})
    return {"ratings": found} if found else {}


def files(said: Ratings) -> tuple[Path, ...]:
    """The files of an entry, those of a corpus fetched if necessary; none if it is the lab's."""
    return (*said.files, *(catalog.local(entry, path) for entry, path in of_the_catalogue(said)))


def of_the_catalogue(said: Ratings) -> tuple[tuple[catalog.Entry, str], ...]:
    """The files that an entry has in the catalogue. `DataError` if a corpus has none for its direction."""
    if said.corpus in (None, lab_ratings.ORIGIN):
        return ()
    entry = catalog.find(said.corpus)
    parts = {part.direction: part for part in entry.of("ratings")}
    if said.direction not in parts:
        raise DataError(f"corpus {entry.name!r} has no ratings in {said.direction}; it has {', '.join(parts)}")
    return tuple((entry, path) for path in parts[said.direction].paths)


def read(said: Ratings) -> Table:
    """The rated translations of an entry, before its limit."""
    source, target = said.direction.split("-")
    languages, scale = (source, target), scored.Scale(said.scale, said.minor, said.major)
    if said.source is not None:
        outputs = [
            scored.Output(Path(one.file), Path(one.scores), one.system or Path(one.file).name) for one in said.outputs
        ]
        return scored.read_lines(Path(said.source), outputs, languages, scale, said.name)
    paths = files(said)
    if not paths:
        return Table(lab_ratings.ratings(said.direction, said.limit or LAB_RATINGS, said.seed))
    if ending(paths[0].name) in scored.ENDINGS:
        return scored.read(paths[0], languages, scale, said.name)
    return mqm.read(paths[0], languages, said.name)


def gather(recipe: Recipe, out: Path, shares: Shares) -> Gathered:
    """Writes the rated translations. A source is left out with all its translations if one of them shares something
    with what is judged on. `DataError` for an entry of which nothing is left.
    """
    if not recipe.data.ratings:
        return Gathered()
    kept: dict[str, Rated] = {}
    counts: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    doubts: tuple[str, ...] = ()
    for number, said in enumerate(recipe.data.ratings):
        table = read(said)
        left_out = Counter(table.dropped)
        doubts += table.doubts
        fresh: dict[str, Rated] = {}
        for one in table.rated:
            if one.key in kept or one.key in fresh:
                left_out["duplicate"] += 1
            elif reason := _shared(one, shares):
                left_out[reason] += 1
            else:
                fresh[one.key] = one
        chosen = _limited(list(fresh.values()), said)
        left_out["over the limit"] += len(fresh) - len(chosen)
        if not chosen:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in (+left_out).items()) or "nothing"
            raise DataError(f"data.ratings.{number} ({said.name}): not one is left to learn; left out: {listed}")
        kept |= {one.key: one for one in chosen}
        counts[f"{said.name} {said.direction}"] += sum(len(one.translations) for one in chosen)
        dropped += left_out
    write_lines(out / FILE, map(asdict, kept.values()))
    return Gathered(RatingFacts(ratings=dict(counts)), dropped, doubts)


def _check(said: Ratings, number: int) -> None:
    """`DataError` for a language without a name, or a corpus that is not there."""
    if str(said.corpus).startswith("lab") and said.corpus != lab_ratings.ORIGIN:
        raise DataError(f"data.ratings.{number}: the lab has no ratings {said.corpus!r}; it has {lab_ratings.ORIGIN}")
    for code in said.direction.split("-"):
        try:
            language_name(code)
        except DataError as error:
            raise DataError(f"data.ratings.{number}, direction {said.direction}: {error}") from error


def _shared(one: Rated, shares: Shares) -> str | None:
    found = (shares("data.ratings", one.origin, pair) for pair in requests_of(one))
    return next((reason for reason in found if reason), None)


def _limited(fresh: Sequence[Rated], said: Ratings) -> list[Rated]:
    """Those with the smallest draws, in their order."""
    if said.limit is None or len(fresh) <= said.limit:
        return list(fresh)
    last = sorted(draw(one.key, "limit", said.seed) for one in fresh)[said.limit - 1]
    return [one for one in fresh if draw(one.key, "limit", said.seed) <= last]
