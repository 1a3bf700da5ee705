"""Known overlaps: test sets known to be in what a recipe trains on, or in what its compared models were trained on."""

from dragoman.corpora import catalog
from dragoman.pipeline.data.texts.sources import sources
from dragoman.recipe.schema import Recipe


def known_overlaps(recipe: Recipe) -> list[str]:
    """A sentence for each corpus and model of the recipe that is known to contain the test pairs.

    A recipe's training data is compared with its test set anyway, sentence by sentence; this adds what such a
    comparison can't tell: what finished models have seen, and that a corpus contains the whole of a test set.
    """
    if recipe.data.test is None or recipe.data.test.corpus is None:
        return []
    learnt = [recipe.data.train.corpus] if recipe.data.train else []
    learnt += [source.corpus.corpus for source in sources(recipe) if source.corpus]
    asked = [recipe.prompt, *(finished.prompt for finished in recipe.compare)]
    return catalog.seen_before(recipe.data.test.corpus, [name for name in (*learnt, *asked) if name])
