"""MMLU in any language: four options, one of them right.

Reads the original (data.tar, its folder, or one SUBJECT_test.csv without a header: question, four options, letter),
Global-MMLU (Parquet, JSONL or CSV with the columns question, option_a … option_d, answer, subject), and the tables
that CrossAlpaca published: a translation service's output, in the original's form.

With the English originals, damage by the translation is repaired by position: the row at the same place of the same
subject says which letter is right, and gives its options if two different ones have become equal.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.corpora.formats.sheets import Sheet, csv_rows, records, sheets
from dragoman.corpora.records import Check, Question
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json
from dragoman.suites._answers import latin
from dragoman.suites._wording import Wording

INSTRUCTION = "Answer the following multiple-choice question. Reply with the letter of the right option only."
INPUT = "{question}\n{options}"
EXTRACTS = ("letter", "text")
LETTERS = "ABCD"
GOLD, OPTIONS, REPAIRED = "gold labels by position", "options in English, two had become the same", "rows repaired"
ALIKE = "rows whose right option stands there twice, kept"

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "frage", "pregunta", "domanda", "问题", "سؤال", "السؤال"),
    "A": ("a", "option_a", "option a", "opción a", "opzione a", "选项a", "أ"),
    "B": ("b", "option_b", "option b", "opción b", "opzione b", "选项b", "ب"),
    "C": ("c", "option_c", "option c", "opción c", "opzione c", "选项c", "ج"),
    "D": ("d", "option_d", "option d", "opción d", "opzione d", "选项d", "د"),
    "answer": ("answer", "target", "antwort", "respuesta", "risposta", "答案", "إجابة", "الإجابة"),
    "subject": ("subject",),
    "choices": ("choices",),
}
_NEEDED = ("question", *LETTERS, "answer")
SUBJECTS = re.findall(
    r"\w+",
    "abstract_algebra anatomy astronomy business_ethics clinical_knowledge college_biology college_chemistry "
    "college_computer_science college_mathematics college_medicine college_physics computer_security "
    "conceptual_physics econometrics electrical_engineering elementary_mathematics formal_logic global_facts "
    "high_school_biology high_school_chemistry high_school_computer_science high_school_european_history "
    "high_school_geography high_school_government_and_politics high_school_macroeconomics high_school_mathematics "
    "high_school_microeconomics high_school_physics high_school_psychology high_school_statistics "
    "high_school_us_history high_school_world_history human_aging human_sexuality international_law jurisprudence "
    "logical_fallacies machine_learning management marketing medical_genetics miscellaneous moral_disputes "
    "moral_scenarios nutrition philosophy prehistory professional_accounting professional_law professional_medicine "
    "professional_psychology public_relations security_studies sociology us_foreign_policy virology world_religions",
)


@dataclass(frozen=True, slots=True)
class MmluRow:
    """A question with four options; `answer` is a letter, or whatever stands in its place."""

    place: str
    file: str
    subject: str
    question: str
    options: tuple[str, ...]
    answer: str


def mmlu_questions(
    family: str,
    place: Path | Sequence[Path],
    language: str,
    *,
    originals: Path | Sequence[Path] | None = None,
    instruction: str | None = None,
    input: str | None = None,
    extract: str | None = None,
) -> tuple[list[Question], Counter[str]]:
    """The questions of MMLU's test set in a language, and counts of how rows were repaired.

    `place` is a file, a folder or an archive, `originals` the same in English. Raises `DataError` if a file is
    invalid, with every fault by file, row and column.
    """
    wording = Wording(instruction or INSTRUCTION, INPUT if input is None else input).require("question", "options")
    if extract not in (None, *EXTRACTS):
        raise DataError(f"{family}: an answer to MMLU is its letter or its text (`extract`), not {extract!r}")
    notes: Counter[str] = Counter()
    rows = _rows(place)
    if originals is not None:
        rows = _repaired(rows, _rows(originals), notes)
    refuse([fault for row in rows if (fault := _fault(row))])
    notes[ALIKE] = sum(map(_twice, rows))
    seen: Counter[str] = Counter()
    questions = []
    for row in rows:
        seen[row.subject] += 1
        question = _question(row, family, language, wording, extract or "letter")
        questions.append(replace(question, id=f"{row.subject}/{seen[row.subject]}"))
    return questions, +notes


def _question(row: MmluRow, family: str, language: str, wording: Wording, extract: str) -> Question:
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, row.options, strict=True))
    gold = str(latin(row.answer))
    right = row.options[LETTERS.index(gold)]
    check = (
        Check("letter", {"value": gold, "options": list(row.options), "prompt": wording.name})
        if extract == "letter"
        else Check(
            "option_text",
            {"values": [right], "others": [one for one in row.options if one != right], "prompt": wording.name},
        )
    )
    turn = wording.turn({"question": row.question, "options": listed})
    return Question(family, (turn,), check, language, row.subject, (row.question, "; ".join(row.options)))


def _fault(row: MmluRow) -> str | None:
    if not row.question:
        return f"{row.place}: the question is missing"
    if not row.answer:
        return f"{row.place}: the answer is missing; the letter of the right option belongs there, A to D"
    if latin(row.answer) is None or str(latin(row.answer)) not in LETTERS:
        return (
            f"{row.place}: the answer is {row.answer[:40]!r}, and should be a letter, A to D. Where a translation "
            "damaged it, name the English table under `originals`."
        )
    return None


def _twice(row: MmluRow) -> bool:
    return row.options.count(row.options[LETTERS.index(str(latin(row.answer)))]) > 1


# By position


def _repaired(rows: Sequence[MmluRow], english: Sequence[MmluRow], notes: Counter[str]) -> list[MmluRow]:
    originals: dict[str, list[MmluRow]] = {}
    for row in english:
        originals.setdefault(row.subject, []).append(row)
    subjects: dict[str, list[MmluRow]] = {}
    for row in rows:
        subjects.setdefault(row.subject, []).append(row)
    faults = [
        f"{theirs[0].file} has {len(theirs):,} rows of {subject}, and its original {originals[subject][0].file} "
        f"{len(originals[subject]):,}: they are repaired row by row, so both must have the same ones"
        for subject, theirs in subjects.items()
        if subject in originals and len(theirs) != len(originals[subject])
    ]
    refuse(faults)
    found = []
    for subject, theirs in subjects.items():
        if subject not in originals:
            notes["rows of subjects that the originals have not"] += len(theirs)
            found += theirs
            continue
        for row, original in zip(theirs, originals[subject], strict=True):
            found.append(_by_position(row, original, notes))
    return found


def _by_position(row: MmluRow, original: MmluRow, notes: Counter[str]) -> MmluRow:
    fixed = row
    if latin(row.answer) != latin(original.answer):
        notes[GOLD] += 1
        fixed = replace(fixed, answer=original.answer)
    if len(set(row.options)) < len(set(original.options)):
        notes[OPTIONS] += 1
        fixed = replace(fixed, options=original.options)
    notes[REPAIRED] += fixed is not row
    return fixed


# The tables


def _rows(place: Path | Sequence[Path]) -> list[MmluRow]:
    found = sheets(place)
    tests = [sheet for sheet in found if re.search(r"(^|[_-])test([_-]|$)", sheet.stem)]
    return [row for sheet in tests or found for row in _table(sheet)]


def _table(sheet: Sheet) -> list[MmluRow]:
    subject = _subject(re.sub(r"([_-]test)?$", "", sheet.stem))
    if sheet.suffix != ".csv":
        return _from_records(sheet, records(sheet), subject)
    rows = csv_rows(sheet)
    if not rows:
        raise DataError(f"{sheet.place}: there is nothing in it")
    header = [_column(name) for name in rows[0]]
    if {"question", "answer"} <= set(header):
        named = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
        refuse(
            [
                f"{sheet.place}, row {number}: {len(row)} columns, and the header has {len(header)}"
                for number, row in enumerate(rows[1:], start=2)
                if len(row) != len(header)
            ]
        )
        return _from_records(sheet, named, subject, first=2)
    refuse(
        [
            f"{sheet.place}, row {number}: {len(row)} columns, and it should be 6: the question, four options, the "
            "letter of the right one"
            for number, row in enumerate(rows, start=1)
            if len(row) != len(_NEEDED)
        ]
    )
    if len(rows) > 1 and latin(rows[0][5]) is None and latin(rows[1][5]) is not None and len(rows[0][5]) > 1:
        raise DataError(
            f"{sheet.place}, row 1: a header with names that are not known ({', '.join(rows[0])}). Name the columns "
            "question, option_a, option_b, option_c, option_d, answer, or take the row away."
        )
    return [
        MmluRow(
            f"{sheet.place}, row {number}, column 6",
            sheet.place,
            subject,
            row[0].strip(),
            tuple(cell.strip() for cell in row[1:5]),
            row[5].strip(),
        )
        for number, row in enumerate(rows, start=1)
    ]


def _from_records(sheet: Sheet, found: Sequence[Mapping[str, Json]], subject: str, first: int = 1) -> list[MmluRow]:
    """Rows with named columns, in any order; `choices` may hold the four options as a list."""
    faults: list[str] = []
    rows: list[MmluRow] = []
    for number, record in enumerate(found, start=first):
        place = f"{sheet.place}, row {number}"
        cells = {_column(str(name)): value for name, value in record.items()}
        choices = cells.get("choices")
        if isinstance(choices, list):
            cells |= dict(zip(LETTERS, choices, strict=False))
        if missing := [name for name in _NEEDED if cells.get(name) is None]:
            expected = ", ".join(f"option_{name.lower()}" if name in LETTERS else name for name in missing)
            faults.append(f"{place}: {expected} missing; it has {', '.join(map(str, record))}")
            continue
        answer = cells["answer"]
        if isinstance(answer, int) and 0 <= answer < len(LETTERS):
            answer = LETTERS[answer]
        rows.append(
            MmluRow(
                f"{place}, column answer",
                sheet.place,
                _subject(str(cells.get("subject") or subject)),
                str(cells["question"]).strip(),
                tuple(str(cells[letter]).strip() for letter in LETTERS),
                str(answer).strip(),
            )
        )
    refuse(faults)
    return rows


def _column(name: str) -> str:
    name = " ".join(name.casefold().split())
    return next((column for column, names in _COLUMNS.items() if name in names), f"({name})")


def _subject(name: str) -> str:
    """A subject's name in MMLU; file names of the translations lack an underscore here and there."""
    bare = re.sub(r"[^a-z]", "", name.lower())
    return next((subject for subject in SUBJECTS if subject.replace("_", "") == bare), name)
