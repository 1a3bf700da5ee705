"""The suite BIG-Bench Hard: 27 tasks that take some steps of reasoning, in one language."""

from pathlib import Path
from typing import Literal

from dragoman.corpora import catalog
from dragoman.suites._published import ChoiceOptions, Choices, choice_answers
from dragoman.suites._suite import Files
from dragoman.suites.bbh.questions import INPUT, INSTRUCTION, bbh_questions


class Options(ChoiceOptions):
    """BBH in a language."""

    extract: Literal["letter", "text"] | None = None
    """How an answer names its option, where there are options; by the letter when absent."""


class Bbh(Choices):
    kind = "bbh"
    title = "BBH"
    reader = staticmethod(bbh_questions)
    saved = (choice_answers(kind, bbh_questions),)
    takes = Options
    entries = ("bbh", "crossalpaca-bbh")
    wording = {"instruction": INSTRUCTION, "input": INPUT, "extract": None}  # noqa: RUF012

    def wanted(self) -> list[Files]:
        return [*super().wanted(), *self._english()]

    def originals(self) -> Path | list[Path] | None:
        """The recipe's own originals; for the catalogue's translations, the catalogue's."""
        if found := self._english():
            return [catalog.local(entry, path) for entry, paths in found for path in paths]
        return self.own_originals()

    def _english(self) -> list[Files]:
        """The English files that the catalogue's translations are repaired with."""
        if self.options.path or self.options.originals or self.options.language == "en":
            return []
        entry = catalog.find("bbh")
        return [(entry, tuple(entry.files))]


SUITES = (Bbh,)
