"""The suite BIG-Bench Hard: 27 tasks that take some steps of reasoning, in one language."""

from pathlib import Path
from typing import Literal

from dragoman.corpora import catalog
from dragoman.corpora.records import Question
from dragoman.suites._published import Published, Read, Wordings, by_rule
from dragoman.suites._saved import Result, Saved, SavedTask, Tell
from dragoman.suites._suite import Files, Notes
from dragoman.suites.bbh.questions import INPUT, INSTRUCTION, bbh_questions


class Options(Wordings):
    """BBH in a language."""

    input: str | None = None
    """What it is about, with `{question}` and `{options}`; a standard wording in English when absent."""
    extract: Literal["letter", "text"] | None = None
    """How an answer names its option, where there are options; by the letter when absent."""


def _score(saved: Saved, tell: Tell) -> list[Result]:
    """Saved answers to it."""
    assert saved.data is not None
    extract = saved.extract or None
    read = bbh_questions("bbh", saved.data, saved.language or "en", originals=saved.originals, extract=extract)
    return by_rule("bbh", saved, Read(*read), tell)


class Bbh(Published):
    kind = "bbh"
    title = "BBH"
    saved = (SavedTask(kind, _score),)
    takes = Options
    entries = ("bbh", "crossalpaca-bbh")
    wording = {"instruction": INSTRUCTION, "input": INPUT, "extract": None}  # noqa: RUF012
    options: Options

    def read(self) -> tuple[list[Question], Notes]:
        return bbh_questions(
            self.name,
            self.place(),
            self.options.language,
            originals=self.originals(),
            instruction=self.options.instruction,
            input=self.options.input,
            extract=self.options.extract,
        )

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
