"""How much plain text a recipe has to learn, and to validate on, before anything is read to the end."""

from collections.abc import Iterator
from itertools import islice

from dragoman.corpora.amounts import Amounts, Kind, Volume, joined
from dragoman.corpora.formats import documents
from dragoman.corpora.formats.text import unpacked_size
from dragoman.corpora.records import Text
from dragoman.lab import texts as lab
from dragoman.pipeline.data.texts.shares import shares
from dragoman.pipeline.data.texts.sources import LAB_TEXTS, Source, sources
from dragoman.pipeline.forecast.amounts import SAMPLE, WHOLE, Vocabulary, of_pairs
from dragoman.recipe.data.texts import Mixture
from dragoman.recipe.schema import Recipe

BEGINNING = 10_000  # documents of a large file that are read


def of_texts(recipe: Recipe, vocabulary: Vocabulary) -> tuple[Amounts, Volume] | None:
    """The texts that are learnt, as often as the mixture draws them, and those that are validated on; None if unknown.

    What thresholds, duplicates and the check for tests will leave out is not known yet.
    """
    there = [(source, _of(source, vocabulary)) for source in sources(recipe)]
    known = [(source, amounts.atmost(source.said.limit)) for source, amounts in there if amounts is not None]
    if len(known) < len(there):
        return None
    dev = [amounts.times(source.said.dev or 0) for source, amounts in known]
    learnt = [(source, amounts.times(1 - (source.said.dev or 0))) for source, amounts in known if source.said.dev != 1]
    learnt = [(source, amounts) for source, amounts in learnt if amounts.total.records]
    drawn = _drawn([one for _, one in learnt], [source for source, _ in learnt], recipe.data.mixture or Mixture())
    return joined(drawn), joined(dev).total


def texts_in_words(recipe: Recipe, texts: Amounts | None) -> list[str]:
    """How many texts there are in which languages; nothing for a recipe without any."""
    if not recipe.data.texts:
        return []
    if texts is None:
        return ["texts"]
    said = ", ".join(sorted(kind.source for kind in texts.volumes))
    return [f"{texts.total.records:,.0f} texts ({said})"]


def _of(source: Source, vocabulary: Vocabulary) -> Amounts | None:
    said = source.said
    if source.is_of_the_lab:
        count = said.limit or LAB_TEXTS
        return vocabulary.of(lab.texts(str(said.language), min(count, SAMPLE), said.seed)).of(count)
    if source.corpus is not None:
        pairs = of_pairs(source.corpus, "train", vocabulary)
        return pairs and _written(pairs, vocabulary, said.language)
    files = source.files()
    size = sum(unpacked_size(path) for path in files)
    read = _read(source) if size <= WHOLE else islice(_read(source), BEGINNING)
    some = list(read)
    seen = sum(len(text.text.encode()) + 1 for text in some)
    found = vocabulary.of(some)
    return found if size <= WHOLE else found.of(len(some) * size / max(1, seen))


def _read(source: Source) -> Iterator[Text]:
    for path in source.files():
        for text in documents.read(path, source.said.field):
            yield Text(text, str(source.said.language))


def _written(pairs: Amounts, vocabulary: Vocabulary, language: str | None) -> Amounts:
    """Pairs as texts; of their sentences in one language alone, if it is named."""
    found = []
    for kind, volume in pairs.volumes.items():
        asked = volume.asked - volume.records * vocabulary.frame
        if language is None:
            name, tokens = f"{kind.source}-{kind.target}", asked + volume.answered
        else:
            name, tokens = language, asked if kind.source == language else volume.answered
        found.append(Amounts({Kind(name, name, pairs=False, texts=True): Volume(volume.records, 0, tokens)}))
    return joined(found)


def _drawn(texts: list[Amounts], of: list[Source], mixture: Mixture) -> list[Amounts]:
    """What is drawn of each of some texts."""
    counts = [one.total.records for one in texts]
    if not counts:
        return []
    tokens = mixture.by == "tokens"
    sizes = [one.total.answered if tokens else one.total.records for one in texts]
    wanted = shares([source.said for source in of], sizes, mixture.temperature)
    chances = [share * count / size for share, count, size in zip(wanted, counts, sizes, strict=True)]
    chances = [chance / sum(chances) for chance in chances]
    until = [count / chance for count, chance in zip(counts, chances, strict=True)]
    total = {"once": sum(counts), "first": min(until), "all": max(until)}[mixture.stop]
    total = min(total, mixture.documents or total)
    if mixture.stop == "once":
        return [one.times(total / sum(counts)) for one in texts]
    return [one.of(total * chance) for one, chance in zip(texts, chances, strict=True)]
