"""Published benchmarks: which texts are to be translated, and what keeps a translated question answerable.

SQuAD's JSON (XQuAD, MLQA): context, question and answers. An answer must occur in the translated context, where its
position is found again. MMLU's CSV: question and options; the answer's letter stays, so no two options may become
equal. BBH's JSON: the input, and the target if it is a phrase: option letters, numbers, True and False, Yes and No,
valid and invalid stay, and so do the lines of the input that offer them.
"""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence

from dragoman.corpora.translatable.content import MARK, Entry, Mark, Place, Text, only_text, patched
from dragoman.corpora.translatable.protect import worded
from dragoman.errors import DataError
from dragoman.json_values import Json, JsonObject, as_list, as_number, as_object, as_objects, as_text

_LABELS = ("True", "False", "Yes", "No", "valid", "invalid")
_TRUTH = ("True", "False")
_ENDS = ".。!！"


class Squad:
    """Articles with paragraphs, their questions and answers; each question is an entry."""

    format = "SQuAD's JSON"
    marked = f'"{MARK}" beside "data"'

    def __init__(self, whole: JsonObject, name: str):
        self._whole = whole
        self.entries: list[Entry] = []
        self._where: list[tuple[int, int]] = []
        for article, about in enumerate(as_list(whole["data"])):
            for number, paragraph in enumerate(_listed(about, "paragraphs", f"{name}, article {article + 1}")):
                place = f"{name}, article {article + 1}, paragraph {number + 1}"
                for asked in _listed(paragraph, "qas", place):
                    self.entries.append(_asked(as_object(paragraph), asked, place))
                    self._where.append((article, number))

    def settle(self, entry: Entry, texts: Mapping[Place, str]) -> tuple[Json, str]:
        question = as_object(entry.value)
        value = patched(question, texts)
        before, after = as_text(question["context"]), as_text(value["context"])
        answers: list[Json] = []
        for old, new in zip(as_objects(question["answers"]), as_objects(value["answers"]), strict=True):
            answer = as_text(new["text"]).strip()
            if as_text(old["text"])[-1:] not in _ENDS:
                answer = answer.rstrip(_ENDS)
            start = found_at(answer, after, as_number(old.get("answer_start", 0)) / max(len(before), 1))
            if start is not None:
                answers.append(new | {"text": after[start : start + len(answer)], "answer_start": start})
        if question["answers"] and not answers:
            return None, "the answer is not in the context"
        return value | {"answers": answers}, ""

    def written(self, done: Mapping[int, Json], mark: Mark) -> str:
        kept: dict[int, dict[int, list[JsonObject]]] = {}
        for number in sorted(done):
            in_article, in_paragraph = self._where[number]
            kept.setdefault(in_article, {}).setdefault(in_paragraph, []).append(as_object(done[number]))
        articles: list[Json] = []
        for number, paragraphs in kept.items():
            article = as_objects(self._whole["data"])[number]
            again: list[Json] = []
            for at, questions in paragraphs.items():
                qas: list[Json] = [{key: value for key, value in one.items() if key != "context"} for one in questions]
                paragraph = as_objects(article["paragraphs"])[at]
                again.append(paragraph | {"context": questions[0]["context"], "qas": qas})
            articles.append(article | {"paragraphs": again})
        return _dumped(self._whole | {"data": articles, MARK: mark.by})


def found_at(answer: str, context: str, share: float) -> int | None:
    """Where an answer begins in its context: of several places, the one nearest to `share` of the way through.

    Upper and lower case are ignored only if it is not found otherwise.
    """
    for flags in (0, re.IGNORECASE):
        starts = [match.start() for match in re.finditer(re.escape(answer), context, flags)] if answer else []
        if starts:
            return min(starts, key=lambda start: abs(start / len(context) - share))
    return None


def _asked(paragraph: JsonObject, asked: Json, place: str) -> Entry:
    if not isinstance(asked, dict):
        raise DataError(f"{place}: a question must be an object, not {asked!r:.40}")
    place = f"{place}, question {asked.get('id', '?')}"
    context = only_text(paragraph.get("context"), place, "context")
    answers = _listed(asked, "answers", place)
    value: JsonObject = {"context": context, **asked}
    texts = [Text(("context",), context), Text(("question",), only_text(asked.get("question"), place, "question"))]
    for number, answer in enumerate(answers):
        if not isinstance(answer, dict) or not isinstance(answer.get("answer_start", 0), int | float):
            raise DataError(f"{place}: an answer must be an object with 'text' and the number 'answer_start'")
        text = only_text(answer.get("text"), place, f"answers.{number}.text")
        texts.append(Text(("answers", number, "text"), text))
    return Entry(place, value, tuple(texts))


def _listed(holder: Json, key: str, place: str) -> list[Json]:
    listed = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(listed, list):
        raise DataError(f"{place}: {key!r} must be a list, as in SQuAD's format")
    return listed


class Bbh:
    """A task of BIG-Bench Hard."""

    format = "BBH's JSON"
    marked = f'"{MARK}" beside "examples"'

    def __init__(self, whole: JsonObject, name: str):
        self._whole = whole
        self.entries = [
            _example(example, f"{name}, example {number}")
            for number, example in enumerate(as_list(whole["examples"]), start=1)
        ]

    def settle(self, entry: Entry, texts: Mapping[Place, str]) -> tuple[Json, str]:
        example = as_object(entry.value)
        words, asked = as_text(example["target"]).split(), as_text(example["input"])
        if ("target",) in texts and len(words) > 1 and set(words) <= set(asked.split()):
            return None, "the answer is made of the question's own words"
        return patched(example, texts), ""

    def written(self, done: Mapping[int, Json], mark: Mark) -> str:
        return _dumped(self._whole | {"examples": [done[number] for number in sorted(done)], MARK: mark.by})


def _example(example: Json, place: str) -> Entry:
    if not isinstance(example, dict):
        raise DataError(f"{place}: an object with 'input' and 'target' is needed, not {example!r:.40}")
    asked, target = (only_text(example.get(key), place, key) for key in ("input", "target"))
    texts = [Text(("input",), asked, lines=_LABELS, words=_TRUTH if target in _TRUTH else ())]
    if target.strip().lower() not in map(str.lower, _LABELS) and worded(target):
        texts.append(Text(("target",), target))
    return Entry(place, example, tuple(texts))


class Mmlu:
    """Rows of a question, its options and the answer's letter."""

    format = "MMLU's CSV"
    marked = ""

    def __init__(self, rows: Sequence[list[str]], name: str):
        self.entries = [
            Entry(
                f"{name}, row {number}",
                [*row],
                tuple(Text((column,), text) for column, text in enumerate(row[:-1]) if text.strip()),
            )
            for number, row in enumerate(rows, start=1)
        ]

    def settle(self, entry: Entry, texts: Mapping[Place, str]) -> tuple[Json, str]:
        before = as_list(entry.value)
        row = patched(before, texts)
        if len(_options(row)) < len(_options(before)):
            return None, "two options became alike"
        return row, ""

    def written(self, done: Mapping[int, Json], mark: Mark) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(as_list(done[number]) for number in sorted(done))
        return out.getvalue()


def mmlu_rows(text: str) -> list[list[str]]:
    """The rows of MMLU's CSV: a question, at least two options, the letter of one; empty if it is something else."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error:
        return []
    letters = "ABCDEFGHIJ"
    sound = all(3 < len(row) == len(rows[0]) and row[-1].strip() in [*letters[: len(row) - 2]] for row in rows)
    return rows if sound else []


def _options(row: Sequence[Json]) -> set[str]:
    """The different options of a row, apart from case and blanks."""
    return {" ".join(as_text(option).casefold().split()) for option in row[1:-1]}


def _dumped(whole: JsonObject) -> str:
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
