"""CrossAlpaca's XQuAD and MLQA: CSV tables, as they came out of a translation service.

The service translated the header, sometimes the keys inside the answers (a Python literal), and the answers
separately from the text that they are taken from. What can be read is read; the rest is left out and counted.
"""

import ast
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.corpora.formats.text import decoded, whole
from dragoman.errors import DataError

COLUMNS = {
    "id": {"id"},
    "context": {"context", "contesto", "kontext", "contexto", "contexte", "语境", "上下文", "السياق", "سياق"},
    "question": {"question", "domanda", "frage", "pregunta", "问题", "السؤال", "سؤال"},
    "answers": {"answers", "risposte", "antworten", "respuestas", "réponses", "答案", "الإجابات", "إجابات"},
}
TEXT = ("text", "testo", "texto", "texte", "文本", "نص")
LONGEST = 20_000  # characters of a literal; the longest that was published has some hundreds

_LITERAL = re.compile(r"\[\s*(['\"])(?P<answer>.*)\1\s*\]\s*[,}]", re.DOTALL)
_SEVERAL = re.compile(r"['\"]\s*,\s*['\"]")
_MARKS = " \t\n.,;:!?\"'“”„«»‘’()[]。，、；：！？؟،"


@dataclass(frozen=True, slots=True)
class SquadRow:
    """A text, a question about it, and the answers that count as right."""

    id: str
    context: str
    question: str
    answers: tuple[str, ...]


def read_csv(path: Path, originals: Sequence[SquadRow] | None, notes: Counter[str]) -> list[SquadRow]:
    """The rows whose answer is in their text; `notes` counts the others.

    `originals` are the English rows in the same order. An English answer with a digit or a capital letter that occurs
    unchanged in the translated text, such as a number or a name, replaces one that was lost; its row takes the
    original's id. Raises DataError if the table is of another kind.
    """
    columns, width, lines = _table(path)
    if originals is not None and len(originals) != len(lines):
        raise DataError(
            f"{path} has {len(lines):,} rows and the originals have {len(originals):,}, so rows can't be matched by "
            "their position"
        )
    rows = []
    for at, fields in enumerate(lines):
        if len(fields) != width:
            notes["rows with too few or too many fields, left out"] += 1
            continue
        cell = {name: fields[place] for name, place in columns.items()}
        context = cell["context"].lstrip("\ufeff")
        original = originals[at] if originals else None
        answers = _kept(cell["answers"], context, original, notes)
        if answers and cell["question"].strip():
            rows.append(SquadRow(original.id if original else cell["id"], context, cell["question"], answers))
    return rows


def stands_in(answer: str, context: str) -> bool:
    """Whether a text contains an answer, ignoring case, white space and the marks around it."""
    folded = _folded(answer).strip(_MARKS)
    return bool(folded) and folded in _folded(context)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _table(path: Path) -> tuple[dict[str, int], int, list[list[str]]]:
    """The index of each column, the number of columns, and all rows below the header."""
    text = decoded(whole(path), str(path))
    try:  # a file from outside
        header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:
        raise DataError(f"{path} is no CSV table with a header ({error})") from error
    found = {
        name: at
        for at, title in enumerate(header)
        for name, titles in COLUMNS.items()
        if title.strip().lower() in titles
    }
    if missing := [name for name in COLUMNS if name not in found]:
        raise DataError(
            f"{path}, line 1: the header is {', '.join(header)}; no column is known as {' or '.join(missing)}. "
            f"Known are, among others, {', '.join(sorted(COLUMNS[missing[0]]))}"
        )
    return found, len(header), [line for line in lines if line]


def _kept(text: str, context: str, original: SquadRow | None, notes: Counter[str]) -> tuple[str, ...]:
    """The answers of a row that are in its text, or replacements; empty if there are none."""
    answers, how = _answers(text)
    kept = tuple(answer for answer in answers if stands_in(answer, context))
    if kept:
        if how:
            notes[how] += 1
        return kept
    borrowed = tuple(answer for answer in original.answers if _same(answer, context)) if original else ()
    if borrowed:
        notes["answers lost in translation, taken from the English original as they stand in the text"] += 1
        return borrowed
    if answers:
        notes["rows whose answer is not in the text, left out"] += 1
    else:
        notes["rows whose answers cannot be read, left out"] += 1
    return ()


def _answers(text: str) -> tuple[tuple[str, ...], str]:
    """The answers in a literal, and what had to be ignored to read it."""
    if len(text) > LONGEST:
        return (), ""
    try:  # a field from outside; `literal_eval` runs nothing
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        # The usual reason: {'text': ['l'inno'], …}, an apostrophe that closes the quotes.
        found = _LITERAL.search(text)
        if found is None or _SEVERAL.search(found["answer"]) or not found["answer"].strip():
            return (), ""
        return (found["answer"],), "answers with a stray apostrophe, read all the same"
    if not isinstance(value, dict):
        return (), ""
    key = next((key for key in TEXT if key in value), None)
    texts = value[key] if key else None
    if not isinstance(texts, list) or not all(isinstance(one, str) and one.strip() for one in texts):
        return (), ""
    return tuple(dict.fromkeys(texts)), "" if key == "text" else "answers under translated keys, read all the same"


def _same(answer: str, context: str) -> bool:
    """Whether a number or a name is in a text just as in English."""
    telling = any(letter.isdigit() or letter.isupper() for letter in answer)
    return telling and re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", context) is not None
