"""What the stages that are not done yet will ask for: completions, tokens, steps, and time where it is known.

Time is never guessed from a table of machines: it is what the same kind of stage took before, in
this store, with the same backbone, scaled by the work. Where nothing was measured, none is given.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.pipeline.backbone import writer
from dragoman.pipeline.plan import Plan, Stage, kind_of_work, rounds, rows
from dragoman.store import MANIFEST, Store

LOGPROB_BYTES = 8  # an id and a number; what the cache compresses comes off


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
    return corpus.limit * len(corpus.directions) if corpus and corpus.limit and corpus.directions else None


def _work(plan: Plan, stage: Stage) -> tuple[int | None, str]:
    pairs, recipe = pairs_to_train(plan), plan.recipe
    count = "all" if pairs is None else f"{pairs:,}"
    if stage.kind == "examples":
        _, options = rows(recipe)[stage.row]
        rationale = options.get("rationale")
        if rationale is None:
            return pairs, f"{count} examples, nothing to generate"
        after = (stage.round or rounds(recipe, stage.row)) - 1
        return pairs and examples_of(pairs, options), _rationales(pairs, options, f"epoch {after}" if after else "")
    if stage.kind == "train":
        training = recipe.training
        examples = pairs and examples_of(pairs, rows(recipe)[stage.row][1])
        epochs = training.epochs if rounds(recipe, stage.row) == 1 else 1
        if examples is None:
            return None, f"{epochs:g} epochs in batches of {training.batch_size}"
        steps = math.ceil(epochs * math.ceil(examples / training.batch_size))
        return math.ceil(examples * epochs), f"{steps:,} steps of {training.batch_size} examples"
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


def examples_of(pairs: int, options: Mapping[str, Any]) -> int:
    """How many examples a method makes of so many pairs: one of each, or of each rationale."""
    asked: int = round(pairs * options.get("rationale_fraction", 1))
    return pairs - asked + asked * _samples(options)


def _samples(options: Mapping[str, Any]) -> int:
    count: int = (options.get("rationale") or {}).get("samples_per_pair", 1)
    return count


def _rationales(pairs: int | None, options: Mapping[str, Any], when: str) -> str:
    """What is asked for a method with rationales: how many, how long, by whom, and what their probabilities weigh."""
    rationale = options["rationale"]
    asked = None if pairs is None else round(pairs * options["rationale_fraction"]) * _samples(options)
    words = "rationales of all pairs" if asked is None else f"{asked:,} rationales"
    words += f" of at most {rationale['max_tokens']} tokens, by {writer(options) or 'the backbone'}"
    words += f" as it is after {when}" if when else ""
    kept = rationale.get("keep_logprobs", 0)
    if kept and asked is not None:
        size = asked * rationale["max_tokens"] * kept * LOGPROB_BYTES
        weight = f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
        words += f"; {kept} log-probabilities a token, at most {weight}"
    return words


def _seconds_a_unit(plan: Plan, stage: Stage) -> float | None:
    """By the newest stage of the same kind and method that was finished with this backbone."""
    work = kind_of_work(plan.recipe, stage, plan.backbone)
    known = [facts for facts in _finished(plan.store) if facts["rate"]["of"] == work]
    newest: Mapping[str, Any] | None = max(known, key=lambda facts: str(facts["finished"]), default=None)
    return None if newest is None else newest["seconds"] / newest["rate"]["units"]


def _finished(store: Store) -> list[dict[str, Any]]:
    manifests = (store.folder / "artifacts").glob(f"*/{MANIFEST}")
    return [json.loads(path.read_text(encoding="utf-8"))["facts"] for path in manifests]
