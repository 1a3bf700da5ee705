"""GSM8K: reading and comparing the number in an answer as lm-evaluation-harness does (task gsm8k, version 3.0).

Two readings are published side by side. The strict one takes what follows the first `#### `, the form that the
examples of the five-shot prompt have. The flexible one takes the last thing that looks like a number.
"""

import re
from collections.abc import Callable, Mapping

from dragoman.corpora.formats.outputs import matched, read_outputs, read_records
from dragoman.errors import refuse
from dragoman.suites._saved import Mean, Result, Saved, SavedTask, Tell, told_unread

VERSION = "3.0"
STOPS = ("Question:", "</s>", "<|im_end|>")
"""Where an answer ends, as in the harness, which stops there: the model then goes on to invent another question."""
INVALID = "[invalid]"
"""What the harness reads if there is no number."""

_STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
_FLEXIBLE = re.compile(r"-?[$0-9.,]{2,}|-?[0-9]+")
_LEFT_OUT = tuple(re.compile(pattern) for pattern in (",", r"\$", r"(?s).*#### ", r"\.$"))


def strict(answer: str) -> str:
    """The number after the first `#### `."""
    found = _STRICT.search(_ended(answer))
    return found[1].strip() if found else INVALID


def flexible(answer: str) -> str:
    """The last number, including signs among its digits."""
    found = _FLEXIBLE.findall(_ended(answer))
    return str(found[-1]).strip() if found else INVALID


READINGS: Mapping[str, Callable[[str], str]] = {"strict-match": strict, "flexible-extract": flexible}
"""The readings, by their names in the harness."""


def equal(given: str, gold: str) -> bool:
    """Whether the right number was read; `gold` may be a whole solution, which ends in `#### NUMBER`."""
    return _bare(given) == _bare(gold)


def _ended(answer: str) -> str:
    for stop in STOPS:
        answer = answer.split(stop)[0]
    return answer


def _bare(text: str) -> str:
    """The number without thousands separators, dollar signs, the steps before it, and a final full stop."""
    for pattern in _LEFT_OUT:
        text = pattern.sub("", text)
    return text.lower()


# Saved answers


def _score(saved: Saved, tell: Tell) -> list[Result]:
    assert saved.data is not None
    golds: list[str] = []
    ids: list[str] = []
    faults: list[str] = []
    for number, record in read_records(saved.data):
        gold = record.get("answer")
        if not isinstance(gold, str) or strict(gold) == INVALID:
            faults.append(f"{saved.data}, line {number}: 'answer' must be a solution that ends in '#### NUMBER'")
        ids.append(str(number))
        golds.append(str(gold))
    refuse(faults)
    told = {"task": "gsm8k", "rule": f"lm-eval-gsm8k-{VERSION}"}
    found: list[Result] = []
    for system, path in saved.files.items():
        outputs = matched(path, read_outputs(path), ids, str(saved.data))
        for name, reading in READINGS.items():
            given = [reading(text) for (text,) in outputs]
            right = [100.0 * equal(one, gold) for one, gold in zip(given, golds, strict=True)]
            told_unread(f"{system}, {name}", given.count(INVALID), len(given), tell)
            found.append(Mean(name, system, right, told))
    return found


TASK = SavedTask("gsm8k", _score)
