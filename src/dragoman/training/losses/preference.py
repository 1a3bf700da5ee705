"""Preferences: how much likelier a chosen answer is than a rejected one, from the losses of their tokens (CPO)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from dragoman.prompts.examples import ExampleRow
from dragoman.recipe.training import PreferenceLoss


class Preferred(NamedTuple):
    """What comes of the preferences of a micro-batch."""

    loss: torch.Tensor  # the sum over pairs
    own: torch.Tensor  # [tokens], what each token's own loss counts beside it
    counts: torch.Tensor  # [3]: the loss, pairs whose chosen answer is likelier, and by how much, summed


def prefer(losses: torch.Tensor, whose: torch.Tensor, how: PreferenceLoss) -> Preferred:
    """The loss of the pairs; of the tokens' own losses chosen answers have a part and rejected ones none."""
    answers = likelihoods(losses, whose, mean=how.loss == "simpo")
    each = preference_losses(answers, how)
    ahead = (answers[:, 0] - answers[:, 1]).detach()
    own = torch.where(whose < 0, 1.0, torch.where(whose % 2 == 0, how.cloned, 0.0))
    return Preferred(each.sum(), own, torch.stack([each.detach().sum(), (ahead > 0).sum(), ahead.sum()]))


def likelihoods(losses: torch.Tensor, whose: torch.Tensor, mean: bool = False) -> torch.Tensor:
    """The log-probability of each answer, [pairs, 2], the chosen one first; a `mean` over its tokens, or their sum.

    `whose` each token is: twice the number of its pair, and 1 more if that answer is rejected; -1 for tokens of
    anything else.
    """
    count = int(whose.max()) // 2 + 1 if len(whose) else 0
    of = whose >= 0
    where = whose[of]
    sums = losses.new_zeros(2 * count).index_add(0, where, -losses[of])
    if mean:
        sums = sums / torch.bincount(where, minlength=2 * count).clamp(min=1)
    return sums.view(count, 2)


def preference_losses(answers: torch.Tensor, how: PreferenceLoss) -> torch.Tensor:
    """The loss of each pair, from the log-probabilities of its answers."""
    ahead = how.beta * (answers[:, 0] - answers[:, 1]) - how.ahead
    if how.loss == "hinge":
        return torch.relu(1 - ahead)
    right, wrong = functional.logsigmoid(ahead), functional.logsigmoid(-ahead)
    return -(1 - how.smoothing) * right - how.smoothing * wrong


def halves(row: ExampleRow, rejected: int | None) -> list[ExampleRow]:
    """An example as the rows that go through the model: a chosen and a rejected answer, each after its own prompt, or
    the example itself.
    """
    if rejected is None or not (row.segments == rejected).any():
        return [row]
    before = row.segments[: np.flatnonzero(row.segments == rejected)[0]]
    at = int(np.flatnonzero(before != before[-1])[-1]) + 1  # where the second prompt begins
    return [
        replace(row, ids=row.ids[part], segments=row.segments[part], weights=row.weights[part], likely=None)
        for part in (slice(None, at), slice(at, None))
    ]


def branches(rows: Sequence[ExampleRow], rejected: int) -> torch.Tensor | None:
    """Whose the trained tokens of some examples are, as in `likelihoods`; None if no example has two answers."""
    found, pair = [], 0
    for row in rows:
        parts = halves(row, rejected)
        for side, part in enumerate(parts):
            answer = part.segments[1:] == (part.segments[-1] if len(parts) > 1 else -1)
            found.append(np.where(answer, 2 * pair + side, -1)[part.weights[1:] != 0])
        pair += len(parts) > 1
    return torch.from_numpy(np.concatenate(found)) if pair else None
