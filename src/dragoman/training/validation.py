"""Validation: after which steps the loss on held-out pairs is measured, and what it was."""

import math
from collections.abc import Mapping, Sequence

from dragoman.recipe.schema import Training

NAME = "validation_loss"
"""What it is called in `metrics.jsonl`, where it has a line of its own."""

OFTEN = 4  # times an epoch
SHARE = 0.05  # of the time of an epoch that validations may take, but for one
FORWARD = {True: 1 / 3, False: 1 / 2}  # of a step's work is the forward pass, with all weights and with an adapter


def moments(settings: Training, examples: int, dev: int) -> frozenset[int]:
    """The steps after which a training on so many examples is validated on `dev` others: 0, the last, and some between.

    They are the same for a training in one piece, in parts, and one that goes on after a kill.
    """
    epoch = math.ceil(examples / settings.batch_size)
    last = math.ceil(settings.epochs * epoch)
    if settings.validate_every:
        between = list(range(settings.validate_every, last, settings.validate_every))
    else:
        one = FORWARD[settings.lora is None] * dev / max(1, examples)  # validation, in epochs
        often = OFTEN if OFTEN * one <= SHARE else max(1, int(SHARE / one))
        between = [round(epoch * number / often) for number in range(1, math.ceil(settings.epochs * often))]
    return frozenset({0, *(step for step in between if step < last), last})


def losses(lines: Sequence[Mapping[str, float]]) -> dict[int, float]:
    """Step → validation loss, from the lines of a `metrics.jsonl`."""
    return {int(line["step"]): line[NAME] for line in lines if NAME in line}
