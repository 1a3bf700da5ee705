"""Saved answers to XQuAD and MLQA, and where their questions stand in a published table."""

import csv
import io
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dragoman.corpora.formats.text import decoded, whole
from dragoman.corpora.records import Question
from dragoman.suites._published import Read, by_rule
from dragoman.suites._saved import Result, Saved, SavedTask, Tell
from dragoman.suites.squad.questions import squad_files, squad_questions

_NAMED = (
    re.compile(r"context-(?P<context>[a-z]{2})-question-(?P<question>[a-z]{2})"),
    re.compile(r"(?:xquad[._]|mlqa_|^test-)(?P<context>[a-z]{2})(?:\.json|\.csv)$", re.IGNORECASE),
)


def _score(task: str, saved: Saved, tell: Tell) -> list[Result]:
    assert saved.data is not None
    language, context = languages(saved, saved.data, tell)
    extract = saved.extract or None
    read = Read(*squad_questions(task, task, saved.data, language, context, originals=saved.originals, extract=extract))
    rows = _rows(task, saved.data, (language, context), read) if read.left_out else ()
    return by_rule(task, saved, read, tell, metric="exact_match", credit="f1", rows=rows)


def _rows(task: str, data: Path, spoken: tuple[str, str | None], read: Read) -> Sequence[int]:
    """The row (below the header) of each question in a CSV table; empty if that cannot be told."""
    (table,) = squad_files(task, data, *spoken)
    text = io.StringIO(decoded(whole(table), str(table)), newline="")
    rows = [{field.lstrip("\ufeff") for field in fields} for fields in csv.reader(text) if fields][1:]
    if len(rows) != len(read.questions) + read.left_out:
        return ()
    left = iter(enumerate(rows))  # questions are in the order of the rows

    def place(question: Question) -> int:
        return next(at for at, fields in left if {*question.texts} <= fields)

    return [place(question) for question in read.questions]


def languages(saved: Saved, data: Path, tell: Tell) -> tuple[str, str | None]:
    """The languages of questions and texts: as given, otherwise from the file's name, otherwise English."""
    named = next((found.groupdict() for pattern in _NAMED if (found := pattern.search(data.name))), {})
    context = saved.context or saved.language or named.get("context", "en").lower()
    language = saved.language or named.get("question", context).lower()
    if named and named["context"].lower() != context:
        tell(f"{data} is called as if its texts were in {named['context']}; answers are read as {context}")
    return language, context if context != language else None


def answers(task: str) -> SavedTask:
    """XQuAD or MLQA, from saved answers."""
    return SavedTask(task, partial(_score, task))
