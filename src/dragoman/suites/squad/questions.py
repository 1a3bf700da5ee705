"""XQuAD and MLQA: questions whose answers are words of a text, in any two of their languages.

Reads SQuAD's JSON (`xquad.de.json`), MLQA's archive or its folder (`test-context-de-question-en.json`), and the CSV
tables that CrossAlpaca published, which are the raw output of a translation service (`translated_csv.py`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dragoman.corpora.formats.text import called, unzipped
from dragoman.corpora.formats.values import json_file
from dragoman.corpora.records import Check, Question
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, as_text
from dragoman.suites._wording import Wording
from dragoman.suites.squad.translated_csv import SquadRow, read_csv, stands_in

INSTRUCTION = "Read the text and answer the question with words from the text. Give the answer only."
INPUT = "{context}\n\nQuestion: {question}"
EXTRACT = "first_line"


def squad_questions(
    family: str,
    kind: str,
    place: Path | Sequence[Path],
    language: str,
    context: str | None = None,
    *,
    originals: Path | None = None,
    instruction: str | None = None,
    input: str | None = None,
    extract: str | None = None,
) -> tuple[list[Question], Counter[str]]:
    """The questions of XQuAD or MLQA (`kind`) in a language about texts in another, or in the same one.

    `place` is a file, a folder or an archive, or several files. An answer is judged in the language of the text that
    it is taken from. Also returns counts of what was repaired and left out. Raises DataError if a file is invalid,
    with every fault by file and question.
    """
    wording = Wording(instruction or INSTRUCTION, INPUT if input is None else input).require("context", "question")
    told = context or language
    notes: Counter[str] = Counter()
    files = squad_files(kind, place, language, context)
    rows = _rows(files[0], kind, told, language, originals, notes)
    if len(files) > 1:
        rows = _joined(rows, files[0], _rows(files[1], kind, language, language, None, Counter()), files[1])
    how = {"language": told, "extract": extract or EXTRACT, "prompt": wording.name}
    return [
        Question(
            family,
            (wording.turn({"context": row.context, "question": row.question}),),
            Check("squad", {"values": list(row.answers), **how}),
            language,
            texts=(row.context, row.question),
            id=row.id,
        )
        for row in rows
    ], notes


def squad_files(kind: str, place: Path | Sequence[Path], language: str, context: str | None = None) -> tuple[Path, ...]:
    """The file with the texts and answers, followed by the one with the questions if that is another."""
    told = context or language
    if kind == "xquad":
        if told == language:
            return (_found(place, (f"xquad.{told}.json", f"xquad_{told.upper()}.csv")),)
        if isinstance(place, Path) and place.is_file():
            raise DataError(
                f"{place} is one file, and the texts are to be in {told}, the questions in {language}: name the folder "
                f"that has xquad.{told}.json and xquad.{language}.json"
            )
        return tuple(_found(place, (f"xquad.{code}.json",)) for code in (told, language))
    same = (f"test-{told}.json", f"mlqa_{told.upper()}.csv") if told == language else ()
    return (_found(place, (_member(told, language), *same, "MLQA_V1.zip", "dummy_data.zip"), _member(told, language)),)


def _member(context: str, question: str) -> str:
    return f"test-context-{context}-question-{question}.json"


def _found(place: Path | Sequence[Path], names: Sequence[str], member: str = "") -> Path:
    """The file itself, or the first of these names among files or below a folder; an archive only if it has the
    member.
    """
    if isinstance(place, Path) and place.is_file():
        return place
    for name in names:
        below = sorted(place.rglob(name)) if isinstance(place, Path) else [path for path in place if path.name == name]
        for path in below:
            if path.suffix != ".zip" or _members(path, member):
                return path
    shown = place if isinstance(place, Path) else ", ".join(map(str, place))
    raise DataError(f"{shown} has no {' or '.join(names)} in it" + (f" with {member}" if member else ""))


def _members(path: Path, name: str) -> list[str]:
    """Where a file is in an archive, below whatever folders."""
    with unzipped(path) as archive:
        return [member for member in archive.namelist() if member.rsplit("/", 1)[-1] == name]


def _rows(
    path: Path, kind: str, context: str, question: str, originals: Path | None, notes: Counter[str]
) -> list[SquadRow]:
    if path.suffix.lower() == ".csv":
        english = None if originals is None else _originals(originals, kind)
        return read_csv(path, english, notes)
    member = ""
    if path.suffix.lower() == ".zip":
        found = _members(path, _member(context, question))
        if not found:
            raise DataError(f"{path} has no {_member(context, question)} in it")
        member = found[0]
    return _parsed(json_file(path, member), called(path, member), notes)


def _originals(place: Path, kind: str) -> list[SquadRow]:
    return _rows(squad_files(kind, place, "en")[0], kind, "en", "en", None, Counter())


def _parsed(whole: Json, place: str, notes: Counter[str]) -> list[SquadRow]:
    """The questions in SQuAD's JSON. DataError names the file, and the question if it is one."""
    faults: list[str] = []
    rows: list[SquadRow] = []
    for about, context, entry in _entries(whole, place):
        row = _row(context, entry)
        if isinstance(row, str):
            faults.append(f"{place}, {about}: {row}")
        else:
            rows.append(row)
            notes["answers that are not in the text, kept as published"] += sum(
                not stands_in(answer, row.context) for answer in row.answers
            )
    refuse(faults)
    if not rows:
        raise DataError(f"{place} has no questions in it")
    return rows


def _entries(whole: Json, place: str) -> Iterator[tuple[str, Json, Json]]:
    articles = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(articles, list):
        raise DataError(f"{place} has no list under 'data', so it is no file in SQuAD's format")
    for number, article in enumerate(articles, start=1):
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            raise DataError(f"{place}, article {number}: 'paragraphs' must be a list")
        for part, paragraph in enumerate(paragraphs, start=1):
            if not isinstance(paragraph, dict) or not isinstance(asked := paragraph.get("qas"), list):
                raise DataError(f"{place}, article {number}, paragraph {part}: 'qas' must be a list")
            for at, entry in enumerate(asked, start=1):
                name = entry.get("id") if isinstance(entry, dict) else None
                about = f"question {name}" if name else f"article {number}, paragraph {part}, question {at}"
                yield about, paragraph.get("context"), entry


def _row(context: Json, entry: Json) -> SquadRow | str:
    """A question, or what is wrong with it."""
    if not isinstance(entry, dict):
        return "should be an object with id, question and answers"
    for name, value in (("context", context), ("id", entry.get("id")), ("question", entry.get("question"))):
        if not isinstance(value, str) or not value.strip():
            return f"'{name}' must be some text, not {value!r}"
    answers = entry.get("answers")
    if not isinstance(answers, list) or not answers:
        return "has no answers: there is nothing to judge by. A test set without answers can't be used"
    texts = [text for answer in answers if isinstance(answer, dict) and isinstance(text := answer.get("text"), str)]
    if len(texts) < len(answers) or not all(text.strip() for text in texts):
        return "each of its 'answers' must be an object with some 'text'"
    return SquadRow(
        as_text(entry["id"]), as_text(context).lstrip("\ufeff"), as_text(entry["question"]), tuple(dict.fromkeys(texts))
    )


def _joined(told: Sequence[SquadRow], context: Path, asked: Sequence[SquadRow], questions: Path) -> list[SquadRow]:
    """Texts and answers of one file with the questions of another, by id."""
    by_id = {row.id: row.question for row in asked}
    if missing := [row.id for row in told if row.id not in by_id]:
        raise DataError(f"{questions} lacks {len(missing):,} questions of {context}, such as {missing[0]}")
    return [SquadRow(row.id, row.context, by_id[row.id], row.answers) for row in told]
