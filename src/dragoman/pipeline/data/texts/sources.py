"""The texts that a recipe names, each as a source that can be read as often as needed, one document after another."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from dragoman.corpora import catalog
from dragoman.corpora.formats import documents
from dragoman.corpora.records import Pair, Text
from dragoman.errors import DataError
from dragoman.lab import texts as lab
from dragoman.prompts.languages import language_name
from dragoman.recipe.data.pairs import Corpus
from dragoman.recipe.data.texts import Texts
from dragoman.recipe.schema import Recipe

LAB_TEXTS = 2000  # where a recipe names no limit

ReadPairs = Callable[[Corpus, Counter[str]], Iterable[Pair]]
"""The pairs of a choice; what is left out is counted."""
Found = tuple[Text, Text | Pair]
"""A document, and what is compared with what models are judged on: the pair that it was written from, or itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of `data.texts`. `corpus` is where its pairs come from, if it is made of pairs."""

    number: int
    said: Texts
    corpus: Corpus | None

    @property
    def place(self) -> str:
        """Its place in messages."""
        return f"data.texts.{self.number}"

    @property
    def origin(self) -> str:
        """The name of its file or corpus."""
        if self.said.file is not None:
            return Path(self.said.file).name
        if self.said.corpus is not None:
            return self.said.corpus
        return (self.corpus and self.corpus.corpus) or "pairs"

    @property
    def is_of_the_lab(self) -> bool:
        return self.said.corpus == lab.ORIGIN

    def files(self) -> tuple[Path, ...]:
        """Its own files; none where it is a corpus or pairs."""
        return documents.files(Path(self.said.file)) if self.said.file is not None else ()

    def read(self, pairs: ReadPairs, dropped: Counter[str] | None = None) -> Iterator[Found]:
        """Its documents in their order; what can't be one is left out and counted."""
        said, dropped = self.said, Counter() if dropped is None else dropped
        if self.corpus is not None and said.pairs is not None:
            for pair in pairs(self.corpus, dropped):
                yield Text(written(pair, said.template), pair.direction, self.origin), pair
            return
        for text in self._texts(pairs, dropped):
            document = Text(text, str(said.language), self.origin)
            yield document, document

    def _texts(self, pairs: ReadPairs, dropped: Counter[str]) -> Iterator[str]:
        said = self.said
        if self.is_of_the_lab:
            yield from (one.text for one in lab.texts(str(said.language), said.limit or LAB_TEXTS, said.seed))
        elif self.corpus is not None:
            yield from _sides(pairs(self.corpus, dropped), str(said.language))
        elif said.file is not None:
            for path in documents.files(Path(said.file), dropped):
                yield from documents.read(path, said.field, dropped)


def sources(recipe: Recipe) -> tuple[Source, ...]:
    """The texts of a recipe. `DataError` for a language without a name."""
    found = []
    for number, said in enumerate(recipe.data.texts):
        if said.language is not None:
            try:
                language_name(said.language)
            except DataError as error:
                raise DataError(f"data.texts.{number}: {error}") from error
        corpus = recipe.data.train if said.pairs == "train" else said.pairs
        if said.corpus is not None and said.corpus != lab.ORIGIN:
            if said.corpus.startswith("lab"):
                raise DataError(f"data.texts.{number}: the lab has no texts {said.corpus!r}; it has {lab.ORIGIN}")
            corpus = Corpus(corpus=said.corpus, directions=_directions(said.corpus, str(said.language)))
        found.append(Source(number, said, corpus))
    return tuple(found)


def _directions(corpus: str, language: str) -> tuple[str, ...]:
    """The directions of a corpus to learn from that have a language, each two languages once."""
    entry = catalog.find(corpus)
    entry.of("train")
    found = {frozenset(one.split("-")): one for one in entry.directions("train") if language in one.split("-")}
    if not found:
        languages = {code for one in entry.directions("train") for code in one.split("-")}
        raise DataError(f"corpus {corpus!r} has nothing in {language!r}; it has {', '.join(sorted(languages))}")
    return tuple(found.values())


def written(pair: Pair, template: str) -> str:
    """A pair as one text."""
    source, target = language_name(pair.source_language), language_name(pair.target_language)
    return template.format(source=source, target=target, text=pair.source, translation=pair.target)


def _sides(pairs: Iterable[Pair], language: str) -> Iterator[str]:
    """The sides of pairs that are in a language, those of one document as one text, a line each."""
    there = (
        (pair.document, pair.direction, side)
        for pair in pairs
        for side, code in ((pair.source, pair.source_language), (pair.target, pair.target_language))
        if code == language
    )
    for (document, _), sides in groupby(there, lambda one: one[:2]):
        lines = [side for _, _, side in sides]
        yield from ["\n".join(lines)] if document else lines
