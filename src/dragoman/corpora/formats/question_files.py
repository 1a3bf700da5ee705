"""Question files: questions with checkable answers, one JSON object per line.

    {"family": "capitals", "prompt": "Which is the capital of France?",
     "check": {"name": "contains", "arguments": {"text": "Paris"}}, "language": "en"}

Instead of `prompt` there may be `turns`, a conversation that ends with the user's: `[{"role": "user", "text": "…"},
…]`.
"""

from pathlib import Path
from typing import Any, get_args

from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Check, Question, Role, Turn
from dragoman.errors import DataError, refuse

KEYS = ("family", "prompt", "turns", "check", "language")


def read_questions(path: Path) -> list[Question]:
    """All questions of a file. `DataError` lists what is wrong, line by line."""
    questions, faults = [], []
    for place, record in json_records(path):
        found = _faults(record)
        faults += [f"{place}: {fault}" for fault in found]
        if not found:
            questions.append(_question(record))
    refuse(faults)
    if not questions:
        raise DataError(f"{path} has no questions in it")
    return questions


def _question(record: dict[str, Any]) -> Question:
    if "prompt" in record:
        turns: tuple[Turn, ...] = (Turn("user", record["prompt"]),)
    else:
        turns = tuple(Turn(turn["role"], turn["text"]) for turn in record["turns"])
    check = Check(record["check"]["name"], record["check"].get("arguments", {}))
    return Question(record["family"], turns, check, record.get("language", "en"))


def _faults(record: dict[str, Any]) -> list[str]:
    faults = [f"unknown key {key!r}; known are {', '.join(KEYS)}" for key in record if key not in KEYS]
    for key in ("family", "prompt", "language"):
        if key in record and not (isinstance(record[key], str) and record[key].strip()):
            faults.append(f"{key!r} must be some text")
    if "family" not in record:
        faults.append("'family' is missing: the group of questions that are scored together")
    if ("prompt" in record) == ("turns" in record):
        faults.append("a question needs either 'prompt' or 'turns'")
    elif "turns" in record:
        faults += _turn_faults(record["turns"])
    return faults + _check_faults(record.get("check"))


def _turn_faults(turns: Any) -> list[str]:
    if not isinstance(turns, list) or not turns:
        return ['\'turns\' must be a list of {"role", "text"} objects']
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict) or set(turn) != {"role", "text"} or not isinstance(turn["text"], str):
            return [f'turn {number} must be an object with "role" and "text"']
        if turn["role"] not in get_args(Role):
            return [f"turn {number}: the role must be one of {', '.join(get_args(Role))}, not {turn['role']!r}"]
    return [] if turns[-1]["role"] == "user" else ["the last of the 'turns' must be the user's"]


def _check_faults(check: Any) -> list[str]:
    if not isinstance(check, dict) or not isinstance(check.get("name"), str):
        return ['\'check\' must be an object with a "name" and, where the check needs some, "arguments"']
    unknown = [key for key in check if key not in ("name", "arguments")]
    if unknown or not isinstance(check.get("arguments", {}), dict):
        return ['\'check\' may have "name" and "arguments" (an object), nothing else']
    return []
