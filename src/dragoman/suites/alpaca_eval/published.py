"""AlpacaEval's published annotations: win rates of every model that a file of them is about."""

import math
from collections.abc import Sequence
from pathlib import Path

from dragoman.json_values import JsonObject, as_number, as_objects, as_text, held
from dragoman.suites._graded import Graded
from dragoman.suites._saved import OfGraded, Result, Saved, SavedTask, Tell, told_notes
from dragoman.suites.alpaca_eval.files import BASELINES, JUDGES, annotations
from dragoman.suites.alpaca_eval.win_rate import DRAW, Comparison, graded, interchanged, weighted


def published(file: Path) -> list[Graded]:
    """A result for every model in a published file of annotations, by its preferences; `facts` names the `system`.

    Two answers that were compared more than once count each time, and `notes` says how often that is.

    If log-probabilities are stored as well, preferences are computed from them again, and `facts` says for how many
    records that was possible, in which order answers had been shown, and how far the result is from the stored one.
    """
    found: dict[tuple[str, str, str], list[JsonObject]] = {}
    for record in annotations(file):
        by, model, baseline = (str(record.get(key, "unknown")) for key in ("annotator", "generator_2", "generator_1"))
        found.setdefault((by, model, baseline), []).append(record)
    return [_published(*who, records) for who, records in found.items()]


def _published(by: str, model: str, baseline: str, records: Sequence[JsonObject]) -> Graded:
    judged = []
    for record in records:
        stored = record["preference"]
        number = float(stored) if isinstance(stored, int | float) else math.nan
        preference = DRAW if number == 0 else number if 1 <= number <= 2 else None
        why = "" if preference else "no judgement"
        subject = str(record.get("dataset") or "")
        instruction, baseline_said, said = (as_text(record[key]) for key in ("instruction", "output_1", "output_2"))
        judged.append(Comparison(instruction, baseline_said, subject, said, preference, why))
    twice = len(records) - len({(one.instruction, one.baseline, one.answer) for one in judged})
    name = next((name for name, judge in JUDGES.items() if (judge, BASELINES[name]) == (by, baseline)), by)
    signature = f"win-rate|annotator:{by}|baseline:{baseline}|judgements:given"
    return graded(name, signature, judged, {"judged twice": twice}, {"system": model} | _computed_again(records))


def _computed_again(records: Sequence[JsonObject]) -> dict[str, object]:
    """Our own rule applied to stored log-probabilities. A record's order follows from its preference."""
    apart: list[float] = []
    turned = as_here = 0
    for record in records:
        try:  # whatever a server said
            top = as_objects(held(record, ("raw_completion", "logprobs", "content", 0, "top_logprobs")))
            likely = [(str(other["token"]), float(str(other["logprob"]))) for other in top]
        except (KeyError, TypeError, IndexError, ValueError):
            continue
        both = [weighted(likely, way) for way in (False, True)]
        gaps = [abs(found[0] - as_number(record["preference"])) for found in both if found]
        if gaps:
            apart.append(min(gaps))
            turned += gaps[1] < gaps[0]
            as_here += (gaps[1] < gaps[0]) == interchanged(as_text(record["instruction"]))
    if not apart:
        return {}
    orders = {"in order": len(apart) - turned, "interchanged": turned, "in the order of this program": as_here}
    return {"computed again": {"records": len(apart), "largest difference": max(apart), **orders}}


def _score(saved: Saved, tell: Tell) -> list[Result]:
    found: list[Result] = []
    for result in (one for file in saved.files.values() for one in published(file)):
        system = str(result.facts.get("system", result.name))
        told_notes(result, system, tell)
        found.append(OfGraded(result, system))
    return found


TASK = SavedTask("alpaca-eval", _score, "--annotations")
