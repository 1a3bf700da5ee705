"""Gathering a recipe's texts: chosen, drawn in the shares of the mixture, and written to files."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from dragoman import lab
from dragoman.corpora.records import Pair, Text
from dragoman.pipeline.data.record_files import write_lines
from dragoman.pipeline.data.texts.measures import measured
from dragoman.pipeline.data.texts.sources import ReadPairs, sources
from dragoman.pipeline.data.texts.take import take
from dragoman.recipe.data.pairs import Corpus
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests

LEARNT, HELD_OUT = "texts.jsonl", "dev-texts.jsonl"


class TextFacts(TypedDict, total=False):
    """Counts of texts by origin and language: those that are learnt, those of them that came before, and those that
    are validated on. Empty for a recipe without texts.
    """

    texts: dict[str, int]
    texts_again: dict[str, int]
    dev_texts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What there is to say of a recipe's texts."""

    facts: TextFacts = field(default_factory=lambda: TextFacts())
    dropped: Counter[str] = field(default_factory=Counter)


def inputs(recipe: Recipe, digests: Digests, corpus_inputs: Callable[[Corpus], dict[str, Any]]) -> dict[str, Any]:
    """Everything that determines a recipe's texts, by contents; nothing for a recipe without any."""
    if not recipe.data.texts:
        return {}
    found = [
        {
            **source.said.model_dump(exclude={"pairs"}),
            "pairs": source.corpus and corpus_inputs(source.corpus),
            "contents": lab.digest() if source.is_of_the_lab else [digests.of(path) for path in source.files()],
        }
        for source in sources(recipe)
    ]
    return {"texts": found, "mixture": recipe.data.mixture and recipe.data.mixture.model_dump()}


def gather(
    recipe: Recipe, out: Path, pairs: ReadPairs, shares: Callable[[str, str, Pair | Text], str | None]
) -> Gathered:
    """Writes the texts in the order in which they are drawn, and those that are held out. What was measured of them is
    in `out` already; `shares` says what one shares with what is judged on, by place, origin and record.
    """
    if not recipe.data.texts:
        return Gathered()
    taken = take(
        sources(recipe),
        recipe.data.mixture,
        pairs,
        lambda source, record: shares("data.texts", source.origin, record),
        partial(measured, out),
    )
    held_out = Counter(f"{text.origin} {text.language}" for text in taken.held_out())
    write_lines(out / LEARNT, map(asdict, taken.drawn()))
    write_lines(out / HELD_OUT, map(asdict, taken.held_out()))
    facts = TextFacts(texts=dict(taken.counts), texts_again=dict(+taken.again), dev_texts=dict(held_out))
    return Gathered(facts, taken.dropped)
