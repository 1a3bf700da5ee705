"""The suite MMLU: multiple-choice questions in 57 subjects, in one language."""

from typing import Literal

from dragoman.corpora.records import Question
from dragoman.suites._published import Published, Wordings
from dragoman.suites._suite import Notes
from dragoman.suites.mmlu.questions import INPUT, INSTRUCTION, mmlu_questions


class Options(Wordings):
    """MMLU in a language."""

    input: str | None = None
    """What it is about, with `{question}` and `{options}`; a standard wording in English when absent."""
    extract: Literal["letter", "text"] | None = None
    """How an answer names its option; by the letter when absent."""


class Mmlu(Published):
    kind = "mmlu"
    title = "MMLU"
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
