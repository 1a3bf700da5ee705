"""A recipe's rated translations: where they are, how they are read, and what is gathered of them."""

from pathlib import Path
from typing import Any

from dragoman import lab
from dragoman.corpora import catalog
from dragoman.corpora.formats.judgements import mqm, scored
from dragoman.corpora.formats.judgements.table import Table
from dragoman.corpora.formats.text import ending
from dragoman.corpora.records import Rated
from dragoman.errors import DataError
from dragoman.lab import ratings as lab_ratings
from dragoman.paths import existing
from dragoman.pipeline.data.judgements.gather import Gathered, Shares, check_direction
from dragoman.pipeline.data.judgements.gather import gather as gather_entries
from dragoman.recipe.data.ratings import Ratings
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

LAB_RATINGS = 500  # sources, where a recipe names no limit


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


def read(said: Ratings) -> Table[Rated]:
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
    """Writes the rated translations, and counts each of them. `DataError` for an entry of which nothing is left."""
    return gather_entries("ratings", recipe.data.ratings, read, lambda one: len(one.translations), out, shares)


def _check(said: Ratings, number: int) -> None:
    """`DataError` for a language without a name, or a corpus that is not there."""
    if str(said.corpus).startswith("lab") and said.corpus != lab_ratings.ORIGIN:
        raise DataError(f"data.ratings.{number}: the lab has no ratings {said.corpus!r}; it has {lab_ratings.ORIGIN}")
    check_direction(said.direction, f"data.ratings.{number}")
