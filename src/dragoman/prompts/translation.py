"""How a translation is asked for: the five instructions of RaDis (its Figure 5)."""

from dragoman.corpora.records import Pair, draw
from dragoman.prompts.languages import language_name

INSTRUCTIONS = (
    "Could you please translate this sentence from {source} to {target}?\n{text}",
    "Translate the following sentence from {source} to {target}:\n{text}",
    "Translate this sentence from {source} to {target}.\n{text}",
    "Translate from {source} to {target}:\n{text}",
    "{text}\nTranslate this sentence to {target}.",
)


def instruction(pair: Pair, seed: int = 0) -> str:
    """The user's turn for a pair. Which of the five depends on the pair and the seed alone."""
    chosen = INSTRUCTIONS[int(draw(pair.key, "instruction", seed) * len(INSTRUCTIONS))]
    return chosen.format(
        source=language_name(pair.source_language), target=language_name(pair.target_language), text=pair.source
    )
