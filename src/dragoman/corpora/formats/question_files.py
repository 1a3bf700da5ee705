"""Question files: questions with checkable answers, one JSON object per line.

    {"family": "capitals", "prompt": "Which is the capital of France?",
     "check": {"name": "contains", "arguments": {"text": "Paris"}}, "language": "en"}

Instead of `prompt` there may be `turns`, a conversation that ends with the user's: `[{"role": "user", "text": "…"},
…]`.
"""

from pathlib import Path
from typing import cast, get_args

from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Check, Question, Role, Turn
from dragoman.errors import DataError, refuse
from dragoman.json_values import Json, JsonObject, as_object, as_objects, as_text

KEYS = ("family", "prompt", "turns", "check", "language")


def read_questions(path: Path) -> list[Question]:
    """All questions of a file. `DataError` lists what is wrong, line by line."""
    questions, faults = [], []
    for place, record in json_records(path):
        wrong = _faults(record)
        faults += [f"{place}: {fault}" for fault in wrong]
        if not wrong:
            questions.append(_question(record))
    refuse(faults)
    if not questions:
        raise DataError(f"{path} has no questions in it")
    return questions


def _question(record: JsonObject) -> Question:
    if "prompt" in record:
        turns: tuple[Turn, ...] = (Turn("user", as_text(record["prompt"])),)
    else:
        turns = tuple(Turn(cast(Role, turn["role"]), as_text(turn["text"])) for turn in as_objects(record["turns"]))
    check = as_object(record["check"])
    judged_by = Check(as_text(check["name"]), as_object(check.get("arguments", {})))
    return Question(as_text(record["family"]), turns, judged_by, as_text(record.get("language", "en")))


def _faults(record: JsonObject) -> list[str]:
    faults = [f"unknown key {key!r}; known are {', '.join(KEYS)}" for key in record if key not in KEYS]
    for key in ("family", "prompt", "language"):
        value = record.get(key)
        if key in record and not (isinstance(value, str) and value.strip()):
            faults.append(f"{key!r} must be some text")
    if "family" not in record:
        faults.append("'family' is missing: the group of questions that are scored together")
    if ("prompt" in record) == ("turns" in record):
        faults.append("a question needs either 'prompt' or 'turns'")
    elif "turns" in record:
        faults += _turn_faults(record["turns"])
    return faults + _check_faults(record.get("check"))


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
    return []
