"""Hints after a training: of losses that did not fall, blew up or rose again, drift over its budget, and placebos."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, pvariance

from dragoman.recipe.training import Training
from dragoman.training import validation

LEARNT = 0.02  # a smaller fall of the training loss, as a share of its start, is hardly one
MOVED = 0.05  # a larger one is, whatever the losses' ups and downs
LEARNT_DEV = 0.01  # and of the validation loss, which is of the same pairs each time
BLOWN_UP = 2.0  # times the first step's loss, which is of the weights before any step
WORSE = 0.03  # at the end than at its lowest, as a share of it: more than the last steps' ups and downs
FEWEST, EXAMPLES = 3, 64  # steps, and examples, over which a loss is averaged before it is called high
STEPS = 5  # a shorter training tells nothing
FRESH = ("reference", "answer")  # segments that someone else wrote; a model's own text it need not learn


def hints(lines: Sequence[Mapping[str, float]], settings: Training) -> list[str]:
    """What a person should know of a training by the lines of its `metrics.jsonl`, and what to try; most often nothing.

    Of a method that also trains what the model itself wrote, the loss on the rest tells whether it learns.
    """
    every = [line["loss"] for line in lines if "loss" in line]
    over = _over_budget(validation.drift(lines), settings)
    ended = over and settings.budget and settings.budget.then == "stop"  # before it learnt what it could
    if len(every) < STEPS:
        return over
    if blown_up := _blown_up(every, settings):
        return [blown_up, *over]
    if ended:
        return over
    segments = [name for name in (f"loss/{one}" for one in FRESH) if any(name in line for line in lines)]
    fresh = [line[segments[0]] for line in lines if segments[0] in line] if segments else []
    dev = validation.losses(lines)
    epochs = max((line["epoch"] for line in lines if "epoch" in line), default=settings.epochs)
    moved = _hardly_moved(fresh, dev, len(every), epochs, settings)
    return [*moved, *_worse_at_the_end(dev, epochs, settings), *over, *_placebos(lines, settings)]


def _bound(steps: int, settings: Training) -> str:
    """The setting that ended a training after so many steps, as it is now."""
    if steps == settings.max_steps:
        return f"training.max_steps, now {steps:,}"
    return f"training.epochs, now {settings.epochs:g}"


def _over_budget(drift: validation.Drift, settings: Training) -> list[str]:
    """What a budget did to the training, and what keeps within it."""
    steps, kind, budget = validation.over(drift, settings.budget), validation.watched(drift), settings.budget
    if not steps or kind is None or budget is None:
        return []
    first, values = steps[0], drift[kind]
    said = f"after step {first:,} drift on {validation.KINDS[kind]} was {values[first]:.3f}, over the budget of "
    said += f"{budget.drift:g} (training.budget): "
    if budget.then == "stop":
        said += "the training ended there"
    else:
        more = len(steps) - 1
        said += "the learning rate was halved there"
        said += f", and {'once' if more == 1 else f'{more:,} times'} more later" * bool(more)
        if (last := max(values)) == steps[-1]:
            said += f". At the end it was {values[last]:.3f}, over the budget still"
    if not any(0 < step < first for step in values):
        said += ". It was the first measure after the start; training.validate_every has more of them"
    return [f"{said}. A lower training.learning_rate, now {settings.learning_rate:g}, or more replay keeps it within."]


def _blown_up(losses: Sequence[float], settings: Training) -> str:
    """That the loss was far above its start for some steps; empty if it was not."""
    width = max(FEWEST, math.ceil(EXAMPLES / settings.batch_size))
    means = [fmean(losses[at : at + width]) for at in range(1, max(2, len(losses) - width + 1))]
    highest = max(means)
    if highest < BLOWN_UP * losses[0]:
        return ""
    at = next(at for at, mean in enumerate(means, 2) if mean >= BLOWN_UP * losses[0])
    return (
        f"the loss rose from {losses[0]:.2f} to {highest:.2f} (from step {at} on): the steps are too large. Lower "
        f"training.learning_rate, now {settings.learning_rate:g}, to a tenth"
        f"{'' if settings.warmup else ', or let it rise slowly (training.warmup: 0.05)'}."
    )


def _hardly_moved(
    fresh: Sequence[float], dev: Mapping[int, float], steps: int, epochs: float, settings: Training
) -> list[str]:
    if not fresh:
        return []
    # Passes over the same examples can be compared; within one, only its beginning with its end, which are of others.
    width = round(len(fresh) / epochs) if epochs >= 2 else max(1, len(fresh) // 10)
    ends = fresh[:width], fresh[-width:]
    first, last = map(fmean, ends)
    chance = 0.0 if epochs >= 2 else 2 * math.sqrt(2 * pvariance(fresh) / width)
    moved = first - last >= min(MOVED * first, max(LEARNT * first, chance))
    said = f"{first:.2f} → {last:.2f}"
    if dev:
        start, lowest = dev[0], min(loss for step, loss in dev.items() if step)
        moved = moved or start - lowest >= LEARNT_DEV * start
        said += f"; validation {start:.2f} → {dev[max(dev)]:.2f}"
    if moved:
        return []
    targets = settings.lora and settings.lora.targets
    named = targets if isinstance(targets, str) else ", ".join(targets or ())
    trained = f"the layers that are trained (training.lora.targets, now {named})" if targets else "what is trained"
    return [
        f"the loss has hardly moved ({said}). Three things to try: a higher training.learning_rate, now "
        f"{settings.learning_rate:g}; more to learn, by {_bound(steps, settings)} ({steps:,} steps in "
        f"all), or by more pairs (data.train); a look at {trained} and, with `dragoman show RECIPE --examples 2`, at "
        "the chat format of the examples."
    ]


def _worse_at_the_end(dev: Mapping[int, float], epochs: float, settings: Training) -> list[str]:
    if not dev:
        return []
    after = {step: loss for step, loss in dev.items() if step}
    best = min(after, key=lambda step: (after[step], step))
    start, lowest, end = dev[0], after[best], after[max(after)]
    if lowest > start * (1 + LEARNT_DEV):
        return [
            f"the validation loss was never below its start ({start:.2f}; the lowest after it was {lowest:.2f}, the "
            f"last {end:.2f}): the dev pairs (data.dev) are unlike what is learnt, or the steps are too large. Try a "
            f"lower training.learning_rate, now {settings.learning_rate:g}."
        ]
    if settings.keep == "best" or end < lowest * (1 + WORSE):
        return []
    sooner = "train for fewer steps" if max(after) == settings.max_steps else "train for fewer epochs"
    return [
        f"the validation loss was {lowest:.2f} after step {best:,} and {end:.2f} at the end: what came after was "
        f"learnt by heart. `training: {{keep: best}}` takes the weights of that step; or {sooner} "
        f"({_bound(max(after), settings)}; the lowest was after {epochs * best / max(after):.2g} epochs)."
    ]


def _placebos(lines: Sequence[Mapping[str, float]], settings: Training) -> list[str]:
    """With which rows to compare those whose gate weighs tokens: less weight alone may do the same."""
    found = []
    for name in [name for name, how in settings.segments.items() if how.gate == "eaft"]:
        if weights := [line[f"gate/{name}"] for line in lines if f"gate/{name}" in line]:
            mean, weight = fmean(weights), settings.segments[name].weight or 1
            found.append(
                f"the gate eaft weighed the tokens of {name} {mean:.2g} on average. To see what it does beyond that, "
                f"compare with rows without it: one with training.learning_rate {mean * settings.learning_rate:.2g}, "
                f"one with {name}: {{weight: {mean * weight:.2g}}} (training.segments)."
            )
    return found
