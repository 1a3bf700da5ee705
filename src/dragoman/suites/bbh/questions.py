"""BIG-Bench Hard in any language: 27 tasks, answered by an option's letter, one of two words, or freely.

Reads the original (TASK.json with `examples`, in a folder or an archive) and the tables that CrossAlpaca published
(TASK.csv with two columns, whose names are translated), the uncorrected output of a translation service.

With the English originals, the translation is repaired by position (`repair.py`). Without them, a row whose right
answer is not among its options is left out and counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.corpora.formats.sheets import Sheet, csv_rows, records, sheets, text
from dragoman.corpora.records import Check, Question
from dragoman.errors import DataError, refuse
from dragoman.json_values import as_object, as_text
from dragoman.suites._wording import Wording
from dragoman.suites.bbh.option_lines import letter
from dragoman.suites.bbh.repair import BbhRow, Gold, as_published, by_position, learnt

INSTRUCTION = "Answer the following question. {reply}"
INPUT = "{question}\n{options}"
REPLIES = {
    "letter": "Reply with the letter of the right option only.",
    "words": "Reply with one of these answers only: {words}.",
    "text": "Reply with the answer only.",
}
"""The text for `{reply}` in an instruction, by how a question is answered."""
EXTRACTS = ("letter", "text")

_INPUT = ("input", "eingang", "eingabe", "aporte", "entrada", "ingresso", "输入", "مدخل", "entrée", "ввод", "giriş")
_TARGET = ("target", "ziel", "objetivo", "obiettivo", "bersaglio", "目标", "هدف", "cible", "цель", "hedef")


@dataclass(frozen=True, slots=True)
class Put:
    """How the questions are put and read."""

    instruction: str
    input: str
    extract: str | None

    @property
    def name(self) -> str:
        return Wording(self.instruction.replace("{reply}", " ".join(REPLIES.values())), self.input).name


def bbh_questions(
    family: str,
    place: Path | Sequence[Path],
    language: str,
    *,
    originals: Path | Sequence[Path] | None = None,
    instruction: str | None = None,
    input: str | None = None,
    extract: str | None = None,
) -> tuple[list[Question], Counter[str]]:
    """The questions of BBH in a language, and counts of how rows were repaired or left out.

    `place` is a file, a folder or an archive, `originals` the same in English. An instruction may have the slot
    `{reply}`, which says what form the answer is to have. Raises `DataError` if a file is invalid.
    """
    put = Put(instruction or INSTRUCTION, INPUT if input is None else input, extract)
    Wording(put.instruction.replace("{reply}", ""), put.input).require("question", "options")
    if extract not in (None, *EXTRACTS):
        raise DataError(f"{family}: an answer to BBH is a letter or a text (`extract`), not {extract!r}")
    notes: Counter[str] = Counter()
    tasks = _tasks(place)
    english = {} if originals is None else _tasks(originals)
    _same_length(tasks, english)
    questions: list[Question] = []
    for task, rows in tasks.items():
        if task in english:
            words = learnt(rows, english[task], notes)
            golds = [
                by_position(row, one, words, language, notes) for row, one in zip(rows, english[task], strict=True)
            ]
        else:
            refuse([f"{row.place}: the answer is missing" for row in rows if not row.target])
            golds = as_published(rows, language, notes)
            if originals is not None:
                notes["rows of tasks that the originals have not"] += len(rows)
        questions += [
            replace(_question(gold, family, task, language, put), id=f"{task}/{number}")
            for number, gold in enumerate(golds, start=1)
            if gold is not None
        ]
    return questions, +notes


def _question(gold: Gold, family: str, task: str, language: str, put: Put) -> Question:
    options = gold.options
    two = ", ".join(sorted((gold.values[0], *gold.others[:1])))  # an order that does not tell which is right
    reply = REPLIES[gold.kind].replace("{words}", two)
    wording = Wording(put.instruction, put.input)
    turn = wording.turn(
        {"question": options.question, "options": options.listed if options.texts else "", "reply": reply}
    )
    turn = replace(turn, text=turn.text.strip(), input=turn.input.strip())
    texts = (options.asked, "; ".join(options.texts)) if gold.kind == "letter" else (options.asked,)
    return Question(family, (turn,), _check(gold, put), language, task, texts)


def _check(gold: Gold, put: Put) -> Check:
    if gold.kind != "letter":
        return Check("option_text", {"values": list(gold.values), "others": list(gold.others), "prompt": put.name})
    texts = gold.options.texts
    if put.extract != "text":
        return Check("letter", {"value": gold.values[0], "options": list(texts), "prompt": put.name})
    right = next(text for at, text in enumerate(texts) if letter(at) == gold.values[0])
    return Check(
        "option_text", {"values": [right], "others": [text for text in texts if text != right], "prompt": put.name}
    )


def _same_length(tasks: Mapping[str, Sequence[BbhRow]], english: Mapping[str, Sequence[BbhRow]]) -> None:
    refuse(
        [
            f"{rows[0].file} has {len(rows):,} rows, and its original {english[task][0].file} {len(english[task]):,}: "
            "they are repaired row by row, so both must have the same ones"
            for task, rows in tasks.items()
            if task in english and len(rows) != len(english[task])
        ]
    )


# The files


def _tasks(place: Path | Sequence[Path]) -> dict[str, list[BbhRow]]:
    found: dict[str, list[BbhRow]] = {}
    for sheet in sheets(place, (".json", ".csv", ".jsonl")):
        if sheet.stem in found:
            raise DataError(f"{sheet.place}: the task {sheet.stem} is there already, in {found[sheet.stem][0].file}")
        found[sheet.stem] = _csv(sheet) if sheet.suffix == ".csv" else _json(sheet)
        if not found[sheet.stem]:
            raise DataError(f"{sheet.place}: there is no question in it")
    return found


def _csv(sheet: Sheet) -> list[BbhRow]:
    rows = csv_rows(sheet)
    if not rows:
        raise DataError(f"{sheet.place}: there is nothing in it")
    header = [name.strip().casefold() for name in rows[0]]
    asked = next((at for at, name in enumerate(header) if name in _INPUT), None)
    right = next((at for at, name in enumerate(header) if name in _TARGET), None)
    if asked is None or right is None:
        shown = ", ".join(cell[:30] for cell in rows[0])
        raise DataError(
            f"{sheet.place}, row 1: the columns are called {shown}, and which is the question and which the answer "
            "can't be told. Call them input and target."
        )
    refuse(
        [
            f"{sheet.place}, row {number}: {len(row)} columns, and the header has {len(header)}"
            for number, row in enumerate(rows, start=1)
            if len(row) != len(header)
        ]
    )
    return _rows(sheet, [(row[asked], row[right]) for row in rows[1:]], first=2)


def _json(sheet: Sheet) -> list[BbhRow]:
    if sheet.suffix == ".json" and text(sheet).lstrip().startswith("{"):
        (whole,) = records(replace(sheet, data=b"[" + text(sheet).encode() + b"]"))
        listed = whole.get("examples")
        if not isinstance(listed, list):
            raise DataError(f"{sheet.place}: 'examples' is missing, the list of questions; it has {', '.join(whole)}")
        examples = listed
    else:
        examples = [*records(sheet)]
    faults = [
        f"{sheet.place}, example {number}: 'input' and 'target' must both be text"
        for number, one in enumerate(examples, start=1)
        if not (isinstance(one, dict) and isinstance(one.get("input"), str) and isinstance(one.get("target"), str))
    ]
    refuse(faults)
    pairs = [(as_text(one["input"]), as_text(one["target"])) for one in map(as_object, examples)]
    return _rows(sheet, pairs, first=1)


def _rows(sheet: Sheet, pairs: Sequence[tuple[str, str]], first: int) -> list[BbhRow]:
    rows = [
        BbhRow(f"{sheet.place}, row {number}", sheet.place, sheet.stem, asked.strip(), right.strip())
        for number, (asked, right) in enumerate(pairs, start=first)
    ]
    refuse([f"{row.place}: the question is missing" for row in rows if not row.input])
    return rows
