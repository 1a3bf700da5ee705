"""Published benchmarks in a language: found in the catalogue or in the user's files, and asked with a wording.

`xquad-de` is XQuAD with German texts and questions, `mlqa-de-en` MLQA with German texts and English questions.
"""

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from dragoman.corpora import catalog
from dragoman.corpora.formats.outputs import matched, read_outputs
from dragoman.corpora.records import Question
from dragoman.errors import DataError
from dragoman.json_values import as_text
from dragoman.paths import below, there
from dragoman.prompts.languages import language_name
from dragoman.recipe.judging import Benchmark, Evaluation
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites._saved import Mean, Result, Saved, SavedTask, Tell, told_unread
from dragoman.suites._suite import Count, Files, Notes, QuestionSuite, Shown, chosen
from dragoman.suites.questions.checks import TAKEN, check
from dragoman.suites.questions.qa import normalisation

CODE = "([a-z]{2,3}(?:_[A-Za-z]+)?)"


class Wordings(Benchmark):
    """Options of a benchmark whose questions are put with a wording."""

    originals: str | None = None
    """The English originals of a translation, by which damaged rows and answers are repaired, row by row."""
    instruction: str | None = None
    """What is asked for; a standard wording in English when absent."""


class Published(QuestionSuite):
    """A benchmark in a language."""

    entries: ClassVar[tuple[str, ...]]
    """The names of the benchmark and its translations in the catalogue."""
    wording: ClassVar[Mapping[str, str | None]]
    """The default wording and extraction: instruction, input, extract."""
    options: Wordings

    @classmethod
    def match(cls, name: str) -> Benchmark | None:
        found = re.fullmatch(f"{cls.kind}-{CODE}", name)
        return cls._in(found[1]) if found else None

    @classmethod
    def _in(cls, language: str) -> Benchmark:
        return (cls.takes or Benchmark).model_validate({"kind": cls.kind, "language": language})

    @classmethod
    def shown(cls) -> Mapping[str, Shown]:
        return {}  # its scores are those of a language, and the report takes their names apart

    @classmethod
    def names(cls) -> Sequence[str]:
        return ()

    @classmethod
    def examples(cls) -> Sequence[str]:
        return (f"{cls.kind}-de",)

    @classmethod
    def hint(cls, name: str) -> str | None:
        if name.split("-")[0] != cls.kind:
            return None
        return f"say in which language, as in {', '.join(cls.examples())}"

    @property
    def told(self) -> str:
        """The language of the text that is asked about."""
        return self.options.language

    @property
    def languages(self) -> set[str]:
        """The languages of texts and questions."""
        return {self.told, self.options.language}

    @abstractmethod
    def read(self) -> tuple[list[Question], Notes]:
        """Its questions, and counts of what was repaired or left out."""

    def questions(self, number: int, settings: Evaluation) -> tuple[list[Question], Notes]:
        questions, notes = self.read()
        questions = chosen(questions, self.options.limit, settings.seed, lambda question: question.key)
        if not questions:
            why = ", ".join(f"{count:,} {what}" for what, count in notes.items()) or "its files have none"
            raise DataError(f"no question of the suite {self.name} is left: {why}")
        return questions, notes

    def count(self, settings: Evaluation) -> Count | None:
        if self.options.path is None:
            entry, paths = self.catalogued()
            if not all(catalog.here(entry, path) for path in paths):
                return self._known(entry, paths)
        elif not Path(self.options.path).exists():
            return None
        questions, _ = self.questions(0, settings)
        return Count(len(questions), characters=sum(len(text) for one in questions for text in one.texts))

    def _known(self, entry: catalog.Entry, paths: Sequence[str]) -> Count | None:
        """The catalogue's count; for questions in two languages, at most the smaller count."""
        parts = [part for part in entry.of("questions") if set(part.paths) & set(paths)]
        counted = [part.records for part in parts if (part.language or "en") in self.languages]
        if None in counted:
            return None
        most = self.together([many or 0 for many in counted])
        return Count(min(most, self.options.limit or most))

    def together(self, counted: Sequence[int]) -> int:
        """The number of questions, from the counts of the parts that are needed."""
        return sum(counted)

    def spelled_out(self) -> Benchmark:
        missing = {key: value for key, value in self.wording.items() if getattr(self.options, key) is None}
        return self.options.model_copy(update=missing)

    # Files

    def places(self) -> dict[str, str]:
        own = self.options.originals
        return super().places() | ({} if own is None else {f"benchmarks.{self.name}.originals": own})

    def wanted(self) -> list[Files]:
        return [] if self.options.path is not None else [self.catalogued()]

    def files(self) -> list[Path]:
        """All files that its questions are read from."""
        place, originals = self.place(), self.originals()
        return [*self.needed(place), *(below(originals) if originals else ())]

    def needed(self, place: Path | list[Path]) -> list[Path]:
        """The files in a place that its questions are read from."""
        return below(place)

    def inputs(self, recipe: Recipe, digests: Digests) -> Mapping[str, object]:
        contents = [digests.of(path) for path in self.files()]
        return {**self.options.model_dump(), "contents": contents}

    def place(self) -> Path | list[Path]:
        """Its file, folder or archive, or the files of the catalogue, fetched if necessary."""
        if self.options.path is not None:
            self._require_languages()
            return there(Path(self.options.path), self.name)
        entry, paths = self.catalogued()
        return [catalog.local(entry, path) for path in paths]

    def _require_languages(self) -> None:
        """Raises DataError if a code is no language's, with the nearest that are."""
        for code in (self.options.language, self.told):
            language_name(code)

    def originals(self) -> Path | list[Path] | None:
        """The English originals of a translation."""
        return self.own_originals()

    def own_originals(self) -> Path | None:
        """The English originals that the recipe names."""
        own = self.options.originals
        return None if own is None else there(Path(own), "originals")

    def catalogued(self) -> Files:
        """Its entry in the catalogue, and the files of it that are needed."""
        self._require_languages()
        for entry in map(catalog.find, self.entries):
            parts = self.parts(entry)
            if {part.language or "en" for part in parts} >= self.languages:
                return entry, tuple(dict.fromkeys(path for part in parts for path in part.paths))
        own = f"{{kind: {self.kind}, language: {self.options.language}, path: …}}"
        told = f"{self.title} in {' and '.join(sorted(self.languages))}"
        raise DataError(
            f"the catalogue has no {told}, which the suite {self.name} asks for. Name a file of your own: "
            f"`benchmarks: {{{self.name}: {own}}}`"
        )

    def parts(self, entry: catalog.Entry) -> list[catalog.Part]:
        """The parts of its entry that are needed."""
        return [part for part in entry.of("questions") if (part.language or "en") in self.languages]


# Saved answers


@dataclass(frozen=True, slots=True)
class Read:
    """The questions of a benchmark's file, and what was repaired or left out."""

    questions: Sequence[Question]
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def left_out(self) -> int:
        return sum(count for note, count in self.notes.items() if "left out" in note)


def by_rule(
    task: str,
    saved: Saved,
    read: Read,
    tell: Tell,
    *,
    metric: str = "accuracy",
    credit: str = "",
    rows: Sequence[int] = (),
) -> list[Result]:
    """The share of questions that were answered right, and under the name `credit` the mean of partial credit.

    `rows` are the rows of the data in which the questions stand, if some rows are left out and ids can't be relied on.
    """
    for note, count in (+read.notes).items():
        tell(f"{saved.data}: {note}: {count:,}")
    ids = [question.id for question in read.questions]
    told = _told(task, read.questions)
    found: list[Result] = []
    for system, path in saved.files.items():
        outputs = matched(path, read_outputs(path), ids, str(saved.data), left_out=read.left_out, rows=rows)
        verdicts = [check(one.check, text) for one, (text,) in zip(read.questions, outputs, strict=True)]
        told_unread(system, sum(not verdict.extracted for verdict in verdicts), len(verdicts), tell)
        found.append(Mean(metric, system, [100.0 * verdict.passed for verdict in verdicts], told))
        if credit:
            found.append(Mean(credit, system, [100 * verdict.credit for verdict in verdicts], told))
    return found


def _told(task: str, questions: Sequence[Question]) -> dict[str, str]:
    """For the signature: how answers were extracted and compared."""
    checks = [question.check for question in questions]
    norms = {normalisation(as_text(one.arguments["language"])) for one in checks if one.name == "squad"}
    taken = {as_text(one.arguments.get("extract", TAKEN[one.name])) for one in checks if one.name in TAKEN}
    return {
        "task": task,
        "lang": "+".join(sorted({question.language for question in questions})),
        "check": "+".join(sorted({one.name for one in checks})),
        "norm": "+".join(sorted(norms)),
        "extract": "+".join(sorted(taken)),
    }


# Benchmarks of options, one of which is right


class ChoiceReader(Protocol):
    """Reads such a benchmark: its questions, and counts of how rows were repaired or left out."""

    def __call__(
        self,
        family: str,
        place: Path | Sequence[Path],
        language: str,
        *,
        originals: Path | Sequence[Path] | None = None,
        instruction: str | None = None,
        input: str | None = None,
        extract: str | None = None,
    ) -> tuple[list[Question], Notes]: ...


class ChoiceOptions(Wordings):
    """Options of such a benchmark."""

    input: str | None = None
    """What it is about, with `{question}` and `{options}`; a standard wording in English when absent."""
    extract: Literal["letter", "text"] | None = None
    """How an answer names its option; by the letter when absent."""


class Choices(Published):
    """A benchmark of options. A class defines `reader` as a static method."""

    reader: ClassVar[ChoiceReader]
    options: ChoiceOptions

    def read(self) -> tuple[list[Question], Notes]:
        return self.reader(
            self.name,
            self.place(),
            self.options.language,
            originals=self.originals(),
            instruction=self.options.instruction,
            input=self.options.input,
            extract=self.options.extract,
        )


def choice_answers(task: str, reader: ChoiceReader) -> SavedTask:
    """Saved answers to such a benchmark."""

    def score(saved: Saved, tell: Tell) -> list[Result]:
        assert saved.data is not None
        extract = saved.extract or None
        read = reader(task, saved.data, saved.language or "en", originals=saved.originals, extract=extract)
        return by_rule(task, saved, Read(*read), tell)

    return SavedTask(task, score)
