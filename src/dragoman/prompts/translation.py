"""Asking for a translation: the five instructions of RaDis (its Figure 5), and Alpaca-like demonstrations."""

from dragoman.corpora.records import Dialogue, Pair, Turn, draw
from dragoman.prompts.languages import language_name

INSTRUCTIONS = (
    "Could you please translate this sentence from {source} to {target}?\n{text}",
    "Translate the following sentence from {source} to {target}:\n{text}",
    "Translate this sentence from {source} to {target}.\n{text}",
    "Translate from {source} to {target}:\n{text}",
    "{text}\nTranslate this sentence to {target}.",
)
ALONE = ", and give only the translation"
"""What an instruction says after the target's name where the translation alone is asked for."""
# Instructions of demonstrations, whose text stands in an input of its own; `fixed` takes the first.
DEMONSTRATED = (
    "Translate the following text from {source} to {target}.",
    "Translate this text into {target}.",
    "The text below is in {source}. Give its translation into {target}.",
    "How would you say this in {target}?",
    "Write the {target} translation of this {source} text.",
)


def instruction(pair: Pair, seed: int = 0, alone: bool = False) -> str:
    """The user's turn for a pair, which may ask for the translation `alone`.

    Which of the five it is depends only on the pair and the seed.
    """
    chosen = INSTRUCTIONS[int(draw(pair.key, "instruction", seed) * len(INSTRUCTIONS))]
    return _worded(chosen, pair, ALONE if alone else "")


def demonstration(pair: Pair, fixed: bool = False, seed: int = 0) -> Dialogue:
    """A translation-following demonstration as in CrossAlpaca: instruction, input and output.

    Which of the five instructions it gets depends only on the pair and the seed; with `fixed`, always the first.
    """
    chosen = 0 if fixed else int(draw(pair.key, "demonstration wording", seed) * len(DEMONSTRATED))
    asked = Turn("user", _worded(DEMONSTRATED[chosen], pair), pair.source)
    return Dialogue((asked, Turn("assistant", pair.target)), pair.direction, pair.target_language)


def _worded(wording: str, pair: Pair, more: str = "") -> str:
    target = language_name(pair.target_language) + more
    return wording.format(source=language_name(pair.source_language), target=target, text=pair.source)
