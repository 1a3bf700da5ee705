"""Forecasts by methods: the examples that a method will make of so much data, their tokens, and what it will ask."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from dragoman.corpora.amounts import Amounts
from dragoman.methods import Expected, Forecast, Method
from dragoman.pipeline.forecast.geometry import machines
from dragoman.pipeline.rows import own_options
from dragoman.pipeline.stages.examples import ExamplesFacts
from dragoman.pipeline.stages.replay import ReplayFacts
from dragoman.pipeline.stages.stage import Finish


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
