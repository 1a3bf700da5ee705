"""Question files: questions with checkable answers, one JSON object per line. docs/questions.md says how to write one.

    {"family": "capitals", "prompt": "Which is the capital of France?",
     "check": {"name": "contains", "arguments": {"any": ["Paris"]}}, "language": "en"}
    {"prompt": "Capital of Italy?", "answer": "Rome"}

Instead of `prompt` there may be `turns`, a conversation that ends with the user's: `[{"role": "user", "text": "…"},
…]`. An `answer` (or a list of them) without a `check` is compared by the check `equals`; beside a `check` it is an
answer that must pass it, which `dragoman data check` tries.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Check, Question, Role, Turn
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, JsonObject, as_object, as_objects, as_text
from dragoman.suites.questions.arguments import suggestion
from dragoman.suites.questions.checks import verified

KEYS = ("family", "prompt", "turns", "check", "answer", "language")


@dataclass(frozen=True, slots=True)
class Entry:
    """A question as it stands in a file: the file and line, the question, and right answers if it names some."""

    place: str
    question: Question
    answers: tuple[str, ...] = ()


def read_questions(path: Path) -> list[Question]:
    """The questions of a file, each once. `DataError` lists what is wrong, line by line."""
    return [entry.question for entry in distinct(read_entries(path))]


def read_entries(path: Path, beside: Sequence[str] = ()) -> list[Entry]:
    """Everything that stands in a question file, in its order, with checks that can be run.

    A family is named by the file if none of its questions names one. Keys in `beside` may stand there too, and are
    for others. `DataError` lists what is wrong, line by line.
    """
    entries: list[Entry] = []
    faults: list[str] = []
    records = list(json_records(path, faults=faults))
    named = any("family" in record for _, record in records)
    found: dict[str, Entry] = {}
    for place, whole in records:
        record = {key: value for key, value in whole.items() if key not in beside}
        wrong = _faults(record, named)
        if not wrong:
            entry = Entry(place, _question(record, path.stem), tuple(_answers(record.get("answer"))))
            entries.append(entry)
            first = found.setdefault(entry.question.key, entry)
            if first.question.check != entry.question.check:
                wrong = [
                    f"the question of {first.place.removeprefix(f'{path}, ')}, with another check. Several right "
                    "answers go into one list, several rules into one check 'all_of'"
                ]
        faults += [f"{place}: {fault}" for fault in wrong]
    refuse(faults)
    if not entries:
        raise DataError(f"{path} has no questions in it")
    return entries


def distinct(entries: Sequence[Entry]) -> list[Entry]:
    """The first of each question: the same words in the same family are one question."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.question.key, entry)
    return list(first.values())


def repeated(entries: Sequence[Entry]) -> Counter[str]:
    """For each family, how many entries ask what one before them asks."""
    return Counter(one.question.family for one in entries) - Counter(one.question.family for one in distinct(entries))


def _question(record: JsonObject, family: str) -> Question:
    if "prompt" in record:
        turns: tuple[Turn, ...] = (Turn("user", as_text(record["prompt"])),)
    else:
        turns = tuple(Turn(cast(Role, turn["role"]), as_text(turn["text"])) for turn in as_objects(record["turns"]))
    if "check" in record:
        judged_by = _check(as_object(record["check"]))
    else:
        judged_by = Check("equals", {"values": _answers(record["answer"])})
    return Question(as_text(record.get("family", family)), turns, judged_by, as_text(record.get("language", "en")))


def _check(said: JsonObject) -> Check:
    """A check that can be run. Raises `DataError` if it can't."""
    return verified(Check(as_text(said["name"]), as_object(said.get("arguments", {}))))


def _answers(said: Json) -> list[str]:
    """The right answers: a text or a whole number is one, a list has several."""
    return [] if said is None else [str(one) for one in (said if isinstance(said, list) else [said])]


def _faults(record: JsonObject, named: bool) -> list[str]:
    faults = [
        f"unknown key {key!r}. {suggestion(key, KEYS)}Known are {', '.join(KEYS)}" for key in record if key not in KEYS
    ]
    for key in ("family", "prompt", "language"):
        value = record.get(key)
        if key in record and not (isinstance(value, str) and value.strip()):
            faults.append(f"{key!r} must be some text")
    if named and "family" not in record:
        faults.append("'family' is missing: the group of questions that are scored together")
    if ("prompt" in record) == ("turns" in record):
        faults.append("a question needs either 'prompt' or 'turns'")
    elif "turns" in record:
        faults += _turn_faults(record["turns"])
    if "answer" in record:
        faults += _answer_faults(record["answer"])
    elif "check" not in record:
        faults.append("a question needs an 'answer', or a 'check' that judges answers")
    return faults + (_check_faults(record["check"]) if "check" in record else [])


def _answer_faults(said: Json) -> list[str]:
    answers = said if isinstance(said, list) else [said]
    for one in answers:
        if isinstance(one, float) and not isinstance(one, bool):
            return [f"the answer {one} must be in quotes, as it is to be compared; or take the check 'number'"]
        if isinstance(one, bool) or not isinstance(one, str | int) or not str(one).strip():
            return ["'answer' must be some text, or a list of texts"]
    return [] if answers else ["'answer' is an empty list"]


def _turn_faults(turns: Json) -> list[str]:
    if not isinstance(turns, list) or not turns:
        return ['\'turns\' must be a list of {"role", "text"} objects']
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict) or set(turn) != {"role", "text"} or not isinstance(turn["text"], str):
            return [f'turn {number} must be an object with "role" and "text"']
        if turn["role"] not in get_args(Role):
            return [f"turn {number}: the role must be one of {', '.join(get_args(Role))}, not {turn['role']!r}"]
    return [] if as_object(turns[-1])["role"] == "user" else ["the last of the 'turns' must be the user's"]


def _check_faults(check: Json) -> list[str]:
    if not isinstance(check, dict) or not isinstance(check.get("name"), str):
        return ['\'check\' must be an object with a "name" and, where the check needs some, "arguments"']
    unknown = [key for key in check if key not in ("name", "arguments")]
    if unknown or not isinstance(check.get("arguments", {}), dict):
        return ['\'check\' may have "name" and "arguments" (an object), nothing else']
    try:
        _check(check)
    except DataError as error:
        return [str(error)]
    return []
