"""Results of lm-evaluation-harness as `Graded`: its logged samples become items, its aggregate is the score.

The score is the harness's own number, up to rounding in the last digit: the two are compared here. A metric without a
number for each document, such as one of a whole corpus, is refused rather than dressed up.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dragoman import __version__
from dragoman.errors import DataError
from dragoman.json_values import Json, as_number
from dragoman.suites._graded import Graded, Item, Side
from dragoman.suites.harness.messages import Found, Sample

HEADLINES: Mapping[str, str] = {
    "gsm8k": "exact_match,strict-match",
    "ifeval": "prompt_level_strict_acc,none",
    "mmlu": "acc,none",
    "mmlu_pro": "exact_match,custom-extract",
    "bbh": "exact_match,get-answer",
    "mgsm": "exact_match,strict-match",
    "global_mmlu": "acc,none",
    "xquad": "exact_match,none",
    "mlqa": "exact_match,none",
    "belebele": "acc,none",
    "truthfulqa": "acc,none",
    "humaneval": "pass@1,create_test",
}
"""The metric and filter that count for a task; for others, the first metric of the group or task, with its first
filter.
"""
SIDES: Mapping[str, Side] = {"ifeval": "instruction", "leaderboard_ifeval": "instruction"}
SKILLS = ("humaneval", "mbpp")
"""The prefixes of tasks about programs, which are learnt rather than kept."""
HUNDREDS = ("bleu", "chrf", "ter")
"""The prefixes of metrics that already go to 100; others that exceed 1 anywhere do too, and the rest goes to 1."""
NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Scored:
    """One task of a benchmark, document by document."""

    name: str
    subject: str
    score: float
    samples: Sequence[Sample]
    values: tuple[float, ...]


def graded(found: Found) -> Graded:
    """A benchmark from what the harness's process wrote. DataError if it has no score that items add up to."""
    asked, key = found["asked"], headline(found)
    metric, _, taken = key.partition(",")
    scored = list(_scored(found, key))
    if not scored:
        raise DataError(f"{asked['suite']}: the harness returned no document with {metric}.")
    points = metric.startswith(HUNDREDS) or any(value > 1 for one in scored for value in one.values)
    scale = 1.0 if points else 100.0
    items, per = _items(scored, found, key, scale)
    own, deviation = _own(found, key)
    cut = sum(found["cut"].get(one.name, 0) for one in scored)
    shortened = sum(found["shortened"].get(one.name, 0) for one in scored)
    empty = sum(1 for one in scored for sample in one.samples if sample["answer"] == "")
    result = Graded(
        name=asked["suite"],
        side=_side(asked["name"]),
        signature=_signature(found, metric, taken),
        items=items,
        kept=not asked["name"].startswith(SKILLS),
        notes={
            what: count
            for what, count in (
                ("prompt cut at its beginning", cut),
                ("less room for the answer", shortened),
                ("empty answer", empty),
            )
            if count
        },
        facts={
            "run by": f"lm-evaluation-harness {found['lm_eval']}",
            "metric": metric,
            "filter": taken,
            "versions": {one.name: found["versions"].get(one.name) for one in scored},
            "shots": {one.name: found["shots"].get(one.name) for one in scored},
            "documents": sum(len(one.values) for one in scored),
            "score": None if own is None else scale * own,
            "standard error": None if deviation is None else scale * deviation,
            "score is": "the harness' own"
            if own is not None
            else "the mean over documents; the harness has none of these tasks together",
            "items are": per,
            "other metrics": _others(found, key),
            "context": found["context"],
            **({"generation": found["settings"]} if found["settings"] else {}),
        },
    )
    if own is not None and (result.score is None or not _equal(result.score / scale, own)):
        raise DataError(f"{asked['suite']}: its items come to {result.score}, and the harness says {scale * own}.")
    return result


def headline(found: Found) -> str:
    """The metric and filter whose score counts, as in `exact_match,strict-match`."""
    asked, results = found["asked"], found["results"]
    first = next(name for name in (*asked["specs"], *found["samples"]) if _keys(results.get(name, {})))
    keys = _keys(results[first])
    wanted = HEADLINES.get(asked["name"])
    if wanted in keys:
        return str(wanted)
    leaf = next(iter(found["samples"]))
    named = [key for name in found["metrics"].get(leaf, []) for key in keys if key.partition(",")[0] == name]
    return (named or keys)[0]


def _keys(result: Mapping[str, Json]) -> list[str]:
    """The metrics of a result, each with its filter; without their standard errors."""
    return [key for key in result if "," in key and not key.partition(",")[0].endswith("_stderr")]


def _scored(found: Found, key: str) -> Iterator[Scored]:
    metric, _, taken = key.partition(",")
    name = found["asked"]["suite"]
    subjects = _subjects(found)
    for task, samples in found["samples"].items():
        kept = [sample for sample in samples if sample["filter"] == taken and metric in sample["metrics"]]
        score = found["results"][task].get(key)
        if not kept or score is None:
            continue  # a task of the group that has not this metric: the harness' aggregate leaves it out as well
        if found["better"].get(task, {}).get(metric) is False:
            raise DataError(f"{name}: of {metric} less is better, and a score here is better the higher it is.")
        values = [value for sample in kept if isinstance(value := sample["metrics"][metric], int | float)]
        if len(values) < len(kept) or not _equal(_mean(values), as_number(score)):
            raise DataError(
                f"{name}: {metric} of {task} is a number of the whole corpus and not the mean over its documents, so "
                "nothing could be said about its interval. Take another task, or run the harness by itself."
            )
        yield Scored(task, subjects[task], float(as_number(score)), kept, tuple(float(value) for value in values))


def _items(scored: Sequence[Scored], found: Found, key: str, scale: float) -> tuple[tuple[Item, ...], str]:
    """Documents as items; if the harness weighs its tasks equally whatever their size, tasks as items."""
    own, _ = _own(found, key)
    every = [value for one in scored for value in one.values]
    if own is None or _equal(_mean(every), own):
        return tuple(item for one in scored for item in _documents(one, scale)), "documents"
    if _equal(_mean([one.score for one in scored]), own):
        told = [Item(one.name, scale * one.score, told={"documents": len(one.values)}) for one in scored]
        return tuple(told), "tasks, which count alike whatever their size"
    raise DataError(
        f"{found['asked']['suite']}: the harness' {key.partition(',')[0]}, {own}, is the mean neither over documents "
        "nor over tasks. Name the tasks of this group one by one."
    )


def _documents(one: Scored, scale: float) -> Iterator[Item]:
    for sample, value in zip(one.samples, one.values, strict=True):
        told = {
            "question": sample["question"],
            "answer": sample["answer"],
            "target": sample["target"],
            "metrics": sample["metrics"],
        }
        yield Item(f"{one.name}/{sample['doc']}/{sample['hash'][:12]}", scale * value, one.subject, told)


def _subjects(found: Found) -> dict[str, str]:
    """A task's subject within its benchmark: its name without what all have in common."""
    tasks = list(found["samples"])
    if len(tasks) == 1:
        return {tasks[0]: ""}
    above = {task: spec for spec in found["asked"]["specs"] for task in _below(found, spec)}
    names = {task: above.get(task, task) if len(found["asked"]["specs"]) > 1 else task for task in tasks}
    start = max(_common(list(names.values())).rfind(mark) for mark in "_:") + 1
    return {task: name[start:] for task, name in names.items()}


def _common(names: Sequence[str]) -> str:
    """The common beginning of all names; shorter than any of them, so that each has a rest."""
    first, last = min(names), max(names)
    length = next((at for at, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))
    return first[: min(length, len(first) - 1)]


def _below(found: Found, name: str) -> Iterator[str]:
    below = found["subtasks"].get(name)
    if below is None:
        yield name
        return
    for other in below:
        yield from _below(found, other)


def _own(found: Found, key: str) -> tuple[float | None, float | None]:
    """The harness's own overall number, and its standard error; None if it has none."""
    specs = found["asked"]["specs"]
    if len(specs) > 1:
        return None, None
    name = specs[0] if specs[0] in found["results"] else next(iter(found["samples"]))
    if name not in (specs[0], *found["groups"]) and len(found["samples"]) > 1:
        return None, None  # a tag is no group: it has no score
    metric, _, taken = key.partition(",")
    deviation = found["results"][name].get(f"{metric}_stderr,{taken}")
    own = found["results"][name].get(key)
    number = None if own is None else as_number(own)
    return number, deviation if isinstance(deviation, int | float) and not math.isnan(deviation) else None


def _others(found: Found, key: str) -> Mapping[str, object]:
    """Everything else that the harness printed, with standard errors, as it printed it."""
    names = [spec for spec in found["asked"]["specs"] if spec in found["results"]] or list(found["samples"])
    told = {
        name: {other: value for other, value in found["results"][name].items() if "," in other and other != key}
        for name in names
    }
    return next(iter(told.values())) if len(told) == 1 else told


def _side(task: str) -> Side:
    return "skill" if task.startswith(SKILLS) else SIDES.get(task, "general")


def _signature(found: Found, metric: str, taken: str) -> str:
    asked = found["asked"]
    tasks = list(found["samples"])
    versions = "+".join(dict.fromkeys(str(found["versions"].get(name)) for name in tasks))
    shots = "+".join(dict.fromkeys(str(found["shots"].get(name)) for name in tasks))
    parts = [metric, f"task:{'+'.join(asked['specs'])}", f"task-version:{versions}", f"filter:{taken}"]
    parts += [f"shots:{shots}", *(f"{name}:{value}" for name, value in asked["how"].items())]
    parts += [f"{name}:{value}" for name, value in found["settings"].items()]
    return "|".join([*parts, f"lm_eval:{found['lm_eval']}", f"version:dragoman-{__version__}"])


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _equal(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=NEAR, abs_tol=NEAR)
