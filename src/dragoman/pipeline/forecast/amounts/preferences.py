"""How much a recipe's preferences amount to: two translations of each, with its source twice."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dragoman.corpora.amounts import Amounts, joined
from dragoman.corpora.records import Preference, Record, requests_of
from dragoman.pipeline.data.judgements import preferences
from dragoman.pipeline.data.limit import beside
from dragoman.pipeline.data.record_files import read_learnt
from dragoman.pipeline.forecast.amounts import Vocabulary
from dragoman.pipeline.forecast.amounts.ratings import of_ratings
from dragoman.recipe.data.preferences import Preferences
from dragoman.recipe.schema import Recipe
from dragoman.store import Artifact


def of_judged(recipe: Recipe, vocabulary: Vocabulary, data: Artifact | None) -> dict[str, Amounts | None]:
    """A recipe's judged translations, by the field of `data` that names them; None for what is not here."""
    return {
        "ratings": of_ratings(recipe, vocabulary, data),
        "preferences": of_preferences(recipe, vocabulary, data),
    }


def judged_in_words(judged: Mapping[str, Amounts | None]) -> list[str]:
    """What there is of judged translations, as far as that is known."""
    words = {"ratings": "judgements of translations"}
    counts = {words.get(name, name): amounts.total.records for name, amounts in judged.items() if amounts}
    return [f"{count:,.0f} {what}" for what, count in counts.items() if count]


def of_preferences(recipe: Recipe, vocabulary: Vocabulary, data: Artifact | None) -> Amounts:
    """What there is to learn, of what the data stage wrote, or of the files."""
    if data is not None and recipe.data.preferences:
        return _amount(read_learnt(data.folder / beside("preferences")), vocabulary)
    return joined(_of(choice, vocabulary) for choice in recipe.data.preferences)


def _amount(records: Iterable[object], vocabulary: Vocabulary) -> Amounts:
    pairs: Iterable[Record] = (pair for one in records if isinstance(one, Preference) for pair in requests_of(one))
    found = vocabulary.of(pairs).volumes.items()
    return Amounts({replace(kind, rated=True): replace(each, records=each.records / 2) for kind, each in found})


def _of(choice: Preferences, vocabulary: Vocabulary) -> Amounts:
    found = preferences.read(choice).records
    return _amount(found, vocabulary).times(min(1.0, (choice.limit or len(found)) / max(1, len(found))))
