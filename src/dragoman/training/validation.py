"""Validation: after which steps a training is measured on held-out text, what was found, and when drift was too much.

Drift is KL(backbone || model), in nats a token: on replay examples that are not trained, and on the dev pairs.
"""

import math
from collections.abc import Mapping, Sequence

from dragoman.recipe.training import Budget, Training

NAME = "validation_loss"
"""What the loss on the dev pairs is called in `metrics.jsonl`, where what was measured after a step has a line."""
DRIFT = "drift/"
"""What a kind of text follows there."""
KINDS = {"general": "general prompts", "translation": "dev pairs"}
"""Kinds of text that drift is measured on, that of a budget first."""

OFTEN = 4  # times an epoch
SHARE = 0.05  # of the time of an epoch that validations may take, but for one
FORWARD = {True: 1 / 3, False: 1 / 2}  # of a step's work is the forward pass, with all weights and with an adapter

Drift = Mapping[str, Mapping[int, float]]
"""Kind of text → step → drift after it."""


def moments(settings: Training, examples: int, held_out: int) -> frozenset[int]:
    """The steps after which a training on so many examples is measured on others: 0, the last, and some between.

    They are the same for a training in one piece, in parts, and one that goes on after a kill.
    """
    epoch, last = math.ceil(examples / settings.batch_size), settings.steps(examples)
    if settings.max_steps is not None and last < epoch:  # all of it counts as an epoch
        epoch, examples = last, min(examples, last * settings.batch_size)
    if settings.validate_every:
        between = list(range(settings.validate_every, last, settings.validate_every))
    else:
        one = FORWARD[settings.lora is None] * held_out / max(1, examples)  # validation, in epochs
        often = OFTEN if OFTEN * one <= SHARE else max(1, int(SHARE / one))
        between = [round(epoch * number / often) for number in range(1, math.ceil(settings.epochs * often))]
    return frozenset({0, *(step for step in between if step < last), last})


def losses(lines: Sequence[Mapping[str, float]]) -> dict[int, float]:
    """Step → validation loss, from the lines of a `metrics.jsonl`."""
    return {int(line["step"]): line[NAME] for line in lines if NAME in line}


def drift(lines: Sequence[Mapping[str, float]]) -> dict[str, dict[int, float]]:
    """Drift on each kind of text that it was measured on, from the lines of a `metrics.jsonl`."""
    found = {kind: {int(line["step"]): line[name] for line in lines if name in line} for kind, name in _names().items()}
    return {kind: values for kind, values in found.items() if values}


def _names() -> dict[str, str]:
    return {kind: DRIFT + kind for kind in KINDS}


def watched(measured: Drift) -> str | None:
    """The kind of text that a budget is for: general prompts, or dev pairs where there are none."""
    return next((kind for kind in KINDS if kind in measured), None)


def over(measured: Drift, budget: Budget | None) -> list[int]:
    """The steps after which drift was over the budget."""
    kind = watched(measured)
    if budget is None or kind is None:
        return []
    return sorted(step for step, value in measured[kind].items() if value > budget.drift)
