"""The suites XQuAD and MLQA: questions whose answers are words of a text, which may be in another language."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from dragoman.corpora import catalog
from dragoman.corpora.records import Question
from dragoman.recipe.judging import Benchmark
from dragoman.suites._published import CODE, Published, Wordings
from dragoman.suites._suite import Notes
from dragoman.suites.squad.questions import EXTRACT, INPUT, INSTRUCTION, squad_files, squad_questions
from dragoman.suites.squad.saved import answers


class Options(Wordings):
    """XQuAD or MLQA, in one language or two."""

    context: str | None = None
    """Language of the text that is asked about, where it is not that of the questions."""
    input: str | None = None
    """What it is about, with `{context}` and `{question}`; a standard wording in English when absent."""
    extract: Literal["first_line", "whole"] | None = None
    """Where the answer stands in what a model says; the first line when absent."""


class _Squad(Published):
    takes = Options
    published_in: ClassVar[Sequence[str]]
    wording = {"instruction": INSTRUCTION, "input": INPUT, "extract": EXTRACT}  # noqa: RUF012
    options: Options

    @classmethod
    def match(cls, name: str) -> Benchmark | None:
        found = re.fullmatch(f"{cls.kind}-{CODE}(?:-{CODE})?", name)
        if found is None or not {*filter(None, found.groups())} <= set(cls.published_in):
            return None
        context, language = found.groups()
        if language in (None, context):
            return cls._in(context)
        return Options(kind=cls.kind, language=language, context=context)

    @classmethod
    def like(cls) -> Sequence[str]:
        return tuple(f"{cls.kind}-{language}" for language in cls.published_in)

    @classmethod
    def hint(cls, name: str) -> str | None:
        meant = name.split("-")[0] == cls.kind
        return f"{cls.title} is in {', '.join(cls.published_in)}" if meant else None

    @property
    def told(self) -> str:
        return self.options.context or self.options.language

    def read(self) -> tuple[list[Question], Notes]:
        options = self.options
        return squad_questions(
            self.name,
            self.kind,
            self.place(),
            options.language,
            options.context,
            originals=self.own_originals(),
            instruction=options.instruction,
            input=options.input,
            extract=options.extract,
        )

    def needed(self, place: Path | list[Path]) -> list[Path]:
        return list(squad_files(self.kind, place, self.options.language, self.options.context))

    def together(self, counted: Sequence[int]) -> int:
        return min(counted)  # what is asked in two languages is at most what there is in either


class XQuad(_Squad):
    kind = "xquad"
    title = "XQuAD"
    saved = (answers(kind),)
    entries = ("xquad",)
    published_in = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")


class Mlqa(_Squad):
    kind = "mlqa"
    title = "MLQA"
    saved = (answers(kind),)
    entries = ("mlqa",)
    published_in = ("ar", "de", "en", "es", "hi", "vi", "zh")

    @classmethod
    def examples(cls) -> Sequence[str]:
        return ("mlqa-de-en",)

    def parts(self, entry: catalog.Entry) -> list[catalog.Part]:
        return list(entry.of("questions"))  # one archive for all languages


SUITES = (XQuad, Mlqa)
