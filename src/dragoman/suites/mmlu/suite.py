"""The suite MMLU: multiple-choice questions in 57 subjects, in one language."""

from typing import Literal

from dragoman.corpora.records import Question
from dragoman.suites._published import Published, Read, Wordings, by_rule
from dragoman.suites._saved import Result, Saved, SavedTask, Tell
from dragoman.suites._suite import Notes
from dragoman.suites.mmlu.questions import INPUT, INSTRUCTION, mmlu_questions


class Options(Wordings):
    """MMLU in a language."""

    input: str | None = None
    """What it is about, with `{question}` and `{options}`; a standard wording in English when absent."""
    extract: Literal["letter", "text"] | None = None
    """How an answer names its option; by the letter when absent."""


def _score(saved: Saved, tell: Tell) -> list[Result]:
    """Saved answers to it."""
    assert saved.data is not None
    extract = saved.extract or None
    read = mmlu_questions("mmlu", saved.data, saved.language or "en", originals=saved.originals, extract=extract)
    return by_rule("mmlu", saved, Read(*read), tell)


class Mmlu(Published):
    kind = "mmlu"
    title = "MMLU"
    saved = (SavedTask(kind, _score),)
    takes = Options
    entries = ("mmlu", "global-mmlu")
    wording = {"instruction": INSTRUCTION, "input": INPUT, "extract": "letter"}  # noqa: RUF012
    options: Options

    def read(self) -> tuple[list[Question], Notes]:
        return mmlu_questions(
            self.name,
            self.place(),
            self.options.language,
            originals=self.originals(),
            instruction=self.options.instruction,
            input=self.options.input,
            extract=self.options.extract,
        )


SUITES = (Mmlu,)
