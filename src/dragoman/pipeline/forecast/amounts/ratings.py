"""How much a recipe's rated translations amount to: what was said of each of them, with its source."""

from collections.abc import Iterable
from dataclasses import replace

from dragoman.corpora import catalog
from dragoman.corpora.amounts import Amounts, joined
from dragoman.corpora.records import Pair, Rated
from dragoman.methods import Learn
from dragoman.pipeline.data.judgements import ratings
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.data.record_files import read_learnt
from dragoman.pipeline.forecast.amounts import Vocabulary
from dragoman.recipe.data.ratings import Ratings
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact


def of_ratings(recipe: Recipe, vocabulary: Vocabulary, data: Artifact | None) -> Amounts | None:
    """What there is to learn, of what the data stage wrote, or of the files; None if they are not here."""
    if data is not None and recipe.data.ratings:
        return of_rated(read_learnt(data.folder / beside("ratings")), vocabulary)
    wanted = (place for choice in recipe.data.ratings for place in ratings.of_the_catalogue(choice))
    if not all(catalog.here(entry, path) for entry, path in wanted):
        return None
    return joined(_of(choice, vocabulary) for choice in recipe.data.ratings)


def of_directions(rated: Amounts | None, learn: Learn | None) -> Amounts | None:
    """Of rated translations those that a row is to learn."""
    if rated is None or learn is None:
        return rated
    return rated.where(lambda kind: f"{kind.source}-{kind.target}" in learn.directions)


def of_rated(records: Iterable[object], vocabulary: Vocabulary) -> Amounts:
    """The amount of rated translations: a pair for each of their errors, and for each that has none."""
    pairs = (
        Pair(one.source, said.text, one.source_language, one.target_language)
        for one in records
        if isinstance(one, Rated)
        for said in one.translations
        for _ in said.errors or (None,)
    )
    return Amounts({replace(kind, rated=True): volume for kind, volume in vocabulary.of(pairs).volumes.items()})


def _of(choice: Ratings, vocabulary: Vocabulary) -> Amounts:
    rated = ratings.read(choice).records
    return of_rated(rated, vocabulary).times(min(1.0, (choice.limit or len(rated)) / max(1, len(rated))))
