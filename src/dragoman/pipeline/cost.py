"""What the stages that are not done yet will ask for: completions, tokens, steps, and time where it is known.

Time is never guessed from a table of machines: it is what the same kind of stage took before, in
this store, with the same backbone, scaled by the work. Where nothing was measured, none is given.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.pipeline.plan import Plan, Stage, kind_of_work, rows
from dragoman.store import MANIFEST, Store


@dataclass(frozen=True, slots=True)
class Cost:
    """Work in words, how much of it in units, and seconds where an earlier run tells."""

    work: str
    units: int | None
    seconds: float | None


def cost(plan: Plan, stage: Stage) -> Cost:
    """What a stage that is not done will take."""
    units, work = _work(plan, stage)
    rate = _seconds_a_unit(plan, stage)
    return Cost(work, units, rate * units if rate is not None and units is not None else None)


def pairs_to_train(plan: Plan) -> int | None:
    """Training pairs: as counted where the data is read already, else as the recipe limits them."""
    data = next(step.artifact for step in plan.steps if step.stage.kind == "data")
    if data:
        return sum(int(count) for count in data.facts["train"].values())
    corpus = plan.recipe.data.train
    return corpus.limit * len(corpus.directions) if corpus.limit and corpus.directions else None


def _work(plan: Plan, stage: Stage) -> tuple[int | None, str]:
    pairs, recipe = pairs_to_train(plan), plan.recipe
    count = "all" if pairs is None else f"{pairs:,}"
    if stage.kind == "examples":
        _, options = rows(recipe)[stage.row]
        rationale = options.get("rationale")
        if rationale is None:
            return pairs, f"{count} examples, nothing to generate"
        share = options["rationale_fraction"]
        asked = "all pairs" if pairs is None else f"{round(pairs * share):,}"
        return pairs, f"{asked} rationales of at most {rationale['max_tokens']} tokens, by the backbone"
    if stage.kind == "train":
        training = recipe.training
        if pairs is None:
            return None, f"{training.epochs:g} epochs in batches of {training.batch_size}"
        steps = math.ceil(training.epochs * math.ceil(pairs / training.batch_size))
        return pairs, f"{steps:,} steps of {training.batch_size} examples"
    if stage.kind == "merge":
        return 1, "one model, compared with its adapter"
    if stage.kind == "evaluate":
        data = next(step.artifact for step in plan.steps if step.stage.kind == "data")
        if not data:
            return None, ", ".join(recipe.evaluate)
        draws = 1 + recipe.evaluation.noise_seeds if stage.row == "backbone" else 1
        asked_in_all = sum(data.facts["test"].values()) + draws * sum(data.facts["questions"].values())
        return asked_in_all, f"{asked_in_all:,} answers"
    return 1, "pairs and questions, read and checked" if stage.kind == "data" else "tables, page and scorecard"


def _seconds_a_unit(plan: Plan, stage: Stage) -> float | None:
    """By the newest stage of the same kind and method that was finished with this backbone."""
    work = kind_of_work(plan.recipe, stage, plan.backbone)
    known = [facts for facts in _finished(plan.store) if facts["rate"]["of"] == work]
    newest: Mapping[str, Any] | None = max(known, key=lambda facts: str(facts["finished"]), default=None)
    return None if newest is None else newest["seconds"] / newest["rate"]["units"]


def _finished(store: Store) -> list[dict[str, Any]]:
    manifests = (store.folder / "artifacts").glob(f"*/{MANIFEST}")
    return [json.loads(path.read_text(encoding="utf-8"))["facts"] for path in manifests]
