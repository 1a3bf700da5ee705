"""The suite MMLU: multiple-choice questions in 57 subjects, in one language."""

from collections.abc import Mapping, Sequence

from dragoman.suites._published import ChoiceOptions, Choices, choice_answers
from dragoman.suites.mmlu.questions import INPUT, INSTRUCTION, mmlu_questions


class Options(ChoiceOptions):
    """MMLU in a language."""


class Mmlu(Choices):
    kind = "mmlu"
    title = "MMLU"
    reader = staticmethod(mmlu_questions)
    saved = (choice_answers(kind, mmlu_questions),)
    takes = Options
    entries = ("mmlu", "global-mmlu")
    wording = {"instruction": INSTRUCTION, "input": INPUT, "extract": "letter"}  # noqa: RUF012

    def near(self) -> Mapping[str, Sequence[str]]:
        return dict.fromkeys(("history", "science"), (self.name,))


SUITES = (Mmlu,)
