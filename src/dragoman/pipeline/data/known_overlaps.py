"""Test sets that are known to be in what a recipe trains on, or in what the models that it compares were trained on."""

from dragoman.corpora import catalog
from dragoman.recipe.schema import Recipe


def known_overlaps(recipe: Recipe) -> list[str]:
    """A sentence for each corpus and model of the recipe that is known to have the pairs it tests on.

    What a recipe trains on is compared with its test set sentence by sentence anyway; this tells what such a comparison
    can't: what finished models have seen, and that a corpus has the whole of a test set.
    """
    if recipe.data.test is None or recipe.data.test.corpus is None:
        return []
    learnt = [recipe.data.train.corpus] if recipe.data.train else []
    asked = [recipe.prompt, *(finished.prompt for finished in recipe.compare)]
    return catalog.seen_before(recipe.data.test.corpus, [name for name in (*learnt, *asked) if name])
