"""Asking for a translation: RaDis' five instructions (its Figure 5), demonstrations, and instructions from files."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.formats.text import lines
from dragoman.corpora.records import Dialogue, Pair, Turn, draw
from dragoman.errors import DataError
from dragoman.prompts.languages import language_name
from dragoman.recipe.judging import with_slots

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


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a user says for a translation, with `{source}`, `{target}` and perhaps `{text}`; and a hint."""

    text: str
    hint: str = ""
    """What the translation may be like, in ParroT's words. It stands behind the sentence."""

    @staticmethod
    def of(line: str, marks: Collection[str] = ()) -> "Instruction":
        """An instruction as it is written on a line, with its hint after `###`. ValueError for unknown placeholders."""
        text, _, hint = line.strip().partition("###")
        with_slots(hint, marks)
        return Instruction(with_slots(text.strip(), marks), hint.strip())

    @property
    def line(self) -> str:
        """The instruction as it is written on a line."""
        return f"{self.text}###{self.hint}" if self.hint else self.text

    def turn(self, source: str, target: str, text: str) -> Turn:
        """The user's turn, given the names of both languages; the sentence is its input, where the words have no place
        for it.
        """
        said = self.text.format(source=source, target=target, text=text)
        hint = f"\n\n### Hint: {self.hint}" if self.hint else ""
        return Turn("user", said + hint) if "{text}" in self.text else Turn("user", said, text + hint)


def instructions_in(path: Path, marks: Collection[str] = ()) -> tuple[Instruction, ...]:
    """The instructions in a file, one a line. `marks` are placeholders that may stay in them, such as `[SEV]`.

    DataError, with the line, for unknown placeholders, and if there is none.
    """
    found = []
    for number, line in lines(path):
        if line.strip():
            try:
                found.append(Instruction.of(line, marks))
            except ValueError as error:
                raise DataError(f"{path}:{number}: {error}") from error
    if not found:
        raise DataError(f"{path} has no instruction; write some into it, one a line")
    return tuple(found)
