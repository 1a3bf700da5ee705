"""Forecasts by methods: the examples that a method will make of so much data, their tokens, and what it will ask."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from dragoman.corpora.amounts import Amounts
from dragoman.methods import Expected, Forecast, Method
from dragoman.pipeline.forecast.geometry import machines
from dragoman.pipeline.rows import limit_of, method_of, own_options, settings_of
from dragoman.pipeline.stages.examples import ExamplesFacts
from dragoman.pipeline.stages.replay import ReplayFacts
from dragoman.pipeline.stages.stage import Finish
from dragoman.recipe.schema import Recipe
from dragoman.training.curriculum import parted


def learning(method: Method, options: Mapping[str, Any], learnt: Amounts, measured: float | None = None) -> Forecast:
    """What a method will make of its data. `measured`: tokens per answer in an earlier run with this backbone.

    A method without a forecast is expected to make its `EXAMPLES` of each record, from references alone, and to ask
    for nothing.
    """
    if method.forecast is None:
        return Forecast.of(learnt.times(method.examples).total, known=False)
    assumed = machines()["assumed"]
    expected = Expected(assumed["rationale"], assumed["explained"], measured)
    return method.forecast(learnt, method.options.model_validate(own_options(options)), expected)


def intervals(recipe: Recipe, row: str, learnt: Amounts) -> str:
    """The intervals of a row's curriculum over directions, with about how many examples the largest of each has."""
    said = settings_of(recipe, row).curriculum
    assert said is not None, "there are none without it"
    most, each = limit_of(recipe, row) or math.inf, method_of(recipe, row).examples
    pairs = {kind: volume.records for kind, volume in learnt.volumes.items() if kind.pairs}
    counts = {f"{kind.source}-{kind.target}": round(min(count, most) * each) for kind, count in pairs.items()}
    parts = [f"{', '.join(part)} (about {max(part.values()):,})" for part in parted(counts, said)]
    return f"; directions join in {len(parts)} interval{'s' * (len(parts) != 1)}: {'; '.join(parts)}"


def measured_length(finished: Sequence[Finish], method: str, digest: str) -> float | None:
    """Tokens per answer, from the newest examples that a method made with this backbone."""
    newest = _newest(finished, ["examples", method, digest])
    if newest is None:
        return None
    facts = cast(ExamplesFacts, newest)
    report, generated = facts.get("rationales"), facts.get("generated")
    if report and report["used"]:
        return float(report["tokens"] / report["used"])
    return float(generated["tokens"] / generated["answers"]) if generated and generated["answers"] else None


def replay_length(finished: Sequence[Finish], digest: str) -> float | None:
    """Tokens per answer to a replay prompt, from the newest replay with this backbone."""
    newest = _newest(finished, ["replay", "", digest])
    if newest is None:
        return None
    facts = cast(ReplayFacts, newest)
    return facts["trained"].get("replay", 0) / facts["examples"]


def _newest(finished: Sequence[Finish], work: list[str]) -> Finish | None:
    known = [facts for facts in finished if facts["rate"]["of"] == work]
    return max(known, key=lambda facts: facts["finished"], default=None)
