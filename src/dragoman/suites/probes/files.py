"""The probes' files: `data/FAMILY.jsonl`, question files (docs/questions.md) whose lines say a little more.

    {"family": "facts", "half": "a", "prompt": "…", "check": {…}, "answer": "passes", "wrong": "must fail"}

`half` is the suite that asks it: `a` is asked by `probes`, `b` is held out for `probes-b`. `answer` and `wrong` are for
the tests, as is `ifeval`, which says which of IFEval's instructions a check stands for: a list of objects with an `id`,
such as `length_constraints:number_words`, and its arguments. No model is shown any of these.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from dragoman.corpora.formats.values import json_records
from dragoman.corpora.records import Question
from dragoman.errors import refuse
from dragoman.json_values import JsonObject, as_objects, as_text
from dragoman.suites.questions.question_files import read_entries

Half = Literal["a", "b"]

FOLDER = Path(__file__).parent / "data"
BESIDE = ("half", "wrong", "ifeval")


@dataclass(frozen=True, slots=True)
class Probe:
    """A question, the half that it belongs to, an answer that passes and one that must fail."""

    place: str
    question: Question
    half: str
    right: tuple[str, ...]
    wrong: str
    ifeval: tuple[JsonObject, ...] = ()


def files() -> list[Path]:
    """The files of all families, in the order of their names."""
    return sorted(FOLDER.glob("*.jsonl"))


@cache
def probes(path: Path) -> tuple[Probe, ...]:
    """What stands in a family's file. DataError lists what is wrong there, line by line."""
    found, faults, known = [], [], set[str]()
    for entry, (place, record) in zip(read_entries(path, BESIDE), json_records(path), strict=True):
        half, wrong = record.get("half"), record.get("wrong")
        if half not in ("a", "b") or not isinstance(wrong, str):
            faults.append(f"{place}: 'half' must be a or b, and 'wrong' some text")
        elif entry.question.key in known:
            faults.append(f"{place}: the question stands further up as well. Each is asked once: take one of them out")
        else:
            ifeval = tuple(as_objects(record.get("ifeval", [])))
            found.append(Probe(entry.place, entry.question, as_text(half), entry.answers, wrong, ifeval))
        known.add(entry.question.key)
    refuse(faults)
    return tuple(found)


def of_half(half: Half) -> list[Question]:
    """The questions of one half, family by family."""
    return [probe.question for path in files() for probe in probes(path) if probe.half == half]
