"""MT-Bench's published judgements: the ratings of every model in such files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from dragoman import __version__
from dragoman.corpora.formats.values import json_records
from dragoman.errors import DataError, refuse
from dragoman.json_values import JsonObject, as_number, as_text
from dragoman.suites._graded import Graded, Item
from dragoman.suites._judge import HIGHEST, counted, rating
from dragoman.suites._saved import OfGraded, Result, Saved, SavedTask, Tell, told_notes
from dragoman.suites.mt_bench.files import categories, number

NAME = "mt-bench"
Judgement = tuple[int | str, int, float, str]
"""A question and its turn, the rating, and the judge's words."""


def turns(items: Sequence[Item]) -> dict[str, float]:
    """The mean rating of each turn."""
    rated: dict[int, list[float]] = {}
    for item in items:
        if item.value is not None:
            rated.setdefault(item.told["turn"], []).append(item.value)
    return {f"turn {turn}": sum(values) / len(values) for turn, values in sorted(rated.items())}


def published(files: Sequence[Path], questions: Path | None = None) -> list[Graded]:
    """A result for every model in files of judgements as FastChat writes them (`MODEL_single.jsonl`).

    Scores are taken as they are, with -1 for no judgement; `facts` has the model under `system`. Items have a
    category if the file of questions is given. `DataError` if a line is not such a judgement.
    """
    subjects = categories(questions) if questions else {}
    found: dict[tuple[str, str], list[Judgement]] = {}
    faults: list[str] = []
    for place, record in (one for file in files for one in json_records(file)):
        if wrong := _judgement_faults(record):
            faults.append(f"{place}: {wrong}")
            continue
        judge = record.get("judge", "unknown")
        judge = str(judge[0] if isinstance(judge, list) and judge else judge)
        asked = number(record["question_id"]), int(as_number(record["turn"]))
        said = as_number(record["score"]), as_text(record.get("judgment", ""))
        found.setdefault((as_text(record["model"]), judge), []).append((*asked, *said))
    refuse(faults)
    if not found:
        raise DataError(f"there are no judgements in {', '.join(map(str, files)) or 'no file'}")
    return [_published(system, judge, records, subjects) for (system, judge), records in found.items()]


def _published(system: str, judge: str, records: Sequence[Judgement], subjects: Mapping[int | str, str]) -> Graded:
    items, seen, notes = [], Counter[str](), Counter[str]()
    for question, turn, score, judgement in sorted(records, key=lambda one: (str(one[0]).zfill(9), one[1])):
        key = f"{question}-{turn}"
        seen[key] += 1
        value = None if score == -1 else float(score)
        notes["no judgement"] += value is None
        notes["rating differs from the judgement"] += bool(judgement) and rating(judgement) != value
        told = {"turn": turn, "judgement": judgement}
        name = f"{key}#{seen[key]}" if seen[key] > 1 else key
        items.append(Item(name, value, subjects.get(question, ""), told, group=str(question)))
    notes["judged twice"] = seen.total() - len(seen)
    signature = f"{NAME}|judge:{judge}|judgements:given|version:dragoman-{__version__}"
    facts = {"system": system, **turns(items)}
    return Graded(NAME, "instruction", signature, tuple(items), "/10", notes=counted(notes), facts=facts)


def _judgement_faults(record: JsonObject) -> str:
    if "g1_winner" in record or "winner" in record:
        return "this compares two models; ratings of single answers are needed (the file's name ends in _single.jsonl)"
    missing = [key for key in ("question_id", "model", "turn", "score") if key not in record]
    if missing:
        return f"no judgement of FastChat's; {', '.join(map(repr, missing))} missing"
    if not isinstance(record["model"], str) or not isinstance(record["question_id"], int | str):
        return "'model' must be a name, and 'question_id' a number or a name"
    turn, score = record["turn"], record["score"]
    if not isinstance(turn, int) or not isinstance(score, int | float) or bool in (type(turn), type(score)):
        return "'turn' and 'score' must be numbers"
    if score != -1 and not 0 <= score <= HIGHEST:
        return f"a score of {score}, where ratings go to {HIGHEST:g}, and -1 is no judgement"
    return "" if isinstance(record.get("judgment", ""), str) else "'judgment' must be text"


# Scores of published judgements


def _score(saved: Saved, tell: Tell) -> list[Result]:
    """Of every model: all judgements, and those of each turn and category."""
    found: list[Result] = []
    for graded in published(list(saved.files.values()), saved.data):
        system = str(graded.facts.get("system", graded.name))
        told_notes(graded, system, tell)
        found.append(OfGraded(graded, system))
        for turn in sorted({item.told["turn"] for item in graded.items}):
            found.append(OfGraded(graded, system, f"{NAME}/turn-{turn}", partial(_is_turn, turn)))
        for subject in dict.fromkeys(item.subject for item in graded.items if item.subject):
            found.append(OfGraded(graded, system, f"{NAME}/{subject}", partial(_is_subject, subject)))
    return found


def _is_turn(turn: int, item: Item) -> bool:
    return bool(item.told["turn"] == turn)


def _is_subject(subject: str, item: Item) -> bool:
    return item.subject == subject


TASK = SavedTask(NAME, _score, "--judgements")
