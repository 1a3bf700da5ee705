"""What is measured of documents before they are chosen: their tokens, and their perplexity by a model.

Perplexity is exp of the mean loss of a document's tokens, in that model's vocabulary, as far as the model sees it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.pipeline.data.texts.sources import Source
from dragoman.pipeline.data.texts.take import PERPLEXITY, TOKENS, Measured
from dragoman.prompts.examples import AnsweredPrompt
from dragoman.prompts.speak import Speaker
from dragoman.recipe.schema import Recipe

LONGEST = 4096  # tokens of a document that its perplexity is told by, at most


def needed(recipe: Recipe, source: Source) -> bool:
    """Whether anything is to be measured of a source's documents."""
    return source.said.max_perplexity is not None or counts_tokens(recipe)


def counts_tokens(recipe: Recipe) -> bool:
    return recipe.data.mixture is not None and recipe.data.mixture.by == "tokens"


def tellers(recipe: Recipe) -> tuple[str | None, ...]:
    """The models by which perplexity is told, None for the backbone; empty if no text has a threshold."""
    named = (text.perplexity_of for text in recipe.data.texts if text.max_perplexity is not None)
    return tuple(dict.fromkeys(named))


def measured(out: Path, source: Source) -> Measured | None:
    """What was measured of a source's documents; None if nothing was."""
    parts = sorted(_folder(out, source).glob("*.npy"))
    return np.concatenate([np.load(part) for part in parts]) if parts else None


def part_of(out: Path, source: Source, number: int) -> Path:
    """The file with what was measured of one chunk of documents."""
    return _folder(out, source) / f"{number:06d}.npy"


def _folder(out: Path, source: Source) -> Path:
    return out / "measures" / f"{source.number:02d}"


def measure(
    texts: Sequence[str], speak: Speaker, teller: Speaker, perplexity: Callable[[Sequence[AnsweredPrompt]], Any] | None
) -> Measured:
    """Tokens of some documents in the backbone's vocabulary, and if asked for their perplexity; [documents, 2].

    `perplexity` gives for each text the sum of its losses and how many tokens that are, [texts, 2].
    """
    found = np.full((len(texts), 2), np.nan)
    found[:, TOKENS] = [sum(map(len, speak.document(text))) for text in texts]
    if perplexity is not None:
        longest = min(LONGEST, teller.context or LONGEST)
        sums, counts = perplexity([AnsweredPrompt((), teller.plain(text)[:longest]) for text in texts]).T
        found[:, PERPLEXITY] = np.exp(sums / np.maximum(counts, 1))
    return found
