"""Gates: which written tokens a segment learns, how much of each, or what beside them. Ablations, off by default.

`stm` leaves out tokens that surprise the backbone; `eaft` weighs each by how undecided the model is; `mask_target`
holds all tokens but the written one where the backbone has them. All in nats and over the whole vocabulary.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from dragoman.errors import TrainingError
from dragoman.progress import note, progress
from dragoman.recipe.training import SegmentTraining
from dragoman.training.batching import TOGETHER, Mixture, pad, split

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LIKELIEST, SCALE = 20, 3.0  # tokens whose entropy `eaft` takes, and about the most that it can be

Gates = Mapping[int, SegmentTraining]
"""Segment → how it is gated, of the gates that are part of the loss."""


def in_loss(mixture: Mixture) -> dict[int, SegmentTraining]:
    """The gates that are part of the loss."""
    return {at: how for at, how in enumerate(mixture.said) if how.gate in ("eaft", "mask_target")}


def eaft_weight(logits: torch.Tensor, power: float) -> torch.Tensor:
    """(entropy of the likeliest tokens' distribution among themselves / 3)^power; [places, vocabulary] → [places]."""
    top = logits.detach().topk(min(LIKELIEST, logits.shape[-1])).values.log_softmax(-1)
    return (-(top.exp() * top).sum(-1) / SCALE).clamp(min=0) ** power


def others_divergence(logits: torch.Tensor, targets: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """KL(base || logits) among all tokens but each place's target; [places, vocabulary] twice → [places]."""
    at = targets[:, None]
    p, q = (some.scatter(-1, at, -torch.inf).log_softmax(-1).scatter(-1, at, 0.0) for some in (base, logits))
    return (p.exp() * (p - q)).sum(-1)


def asked(gates: Gates, soft: torch.Tensor | None, segments: torch.Tensor | None) -> torch.Tensor | None:
    """The tokens for which the backbone is asked: those that are soft, and those of `mask_target`."""
    if soft is None or segments is None:
        return soft
    for at, how in gates.items():
        if how.gate == "mask_target":
            soft = soft | (segments == at)
    return soft


def gated(
    gates: Gates,
    losses: torch.Tensor,
    segments: torch.Tensor,
    of: Callable[[SegmentTraining, torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """What each token's loss is with its gate, what it was without, and the gate's own value; [tokens, 3].

    `of` gives that value for the tokens of one segment: the weight of `eaft`, or the divergence of `mask_target`.
    """
    learnt, values = losses, torch.zeros_like(losses)
    for at, how in gates.items():
        where = segments == at
        value = of(how, where)
        each = torch.zeros_like(losses).masked_scatter(where, value)
        learnt = torch.where(where, learnt * each, learnt) if how.gate == "eaft" else learnt + how.gate_degree * each
        values = values + each.detach()
    return torch.stack([learnt, losses.detach(), values], -1)


@torch.no_grad()
def surprising(
    causal: "PreTrainedModel", mixture: Mixture, batch_tokens: int, device: torch.device, label: str
) -> NDArray[np.bool_] | None:
    """Which tokens of the task, one example after another, `stm` leaves out; None if it gates no segment.

    The backbone is asked once, before anything is trained: a network without adapter, and with `loss.teach_forward`.
    """
    most = np.array([how.gate_degree if how.gate == "stm" else math.inf for how in mixture.said])
    if np.isinf(most).all():
        return None
    causal.to(device).eval()
    examples = mixture.tables[0]
    starts = np.concatenate([[0], np.cumsum(examples.lengths)])
    out, seen = np.zeros(starts[-1], dtype=bool), np.zeros(len(most), dtype=np.int64)
    left_out = seen.copy()
    order = np.argsort(examples.lengths, kind="stable")
    with progress(f"{label}: which tokens surprise the backbone", len(order), "examples") as bar:
        for some in np.split(order, range(TOGETHER, len(order), TOGETHER)):
            rows = [mixture[index] for index in some.tolist()]
            rows = [replace(row, weights=np.where(np.isfinite(most)[row.segments], row.weights, 0)) for row in rows]
            for group in split(examples.lengths[some], batch_tokens, packed=False):
                micro = pad([rows[at] for at in group]).to(device)
                nll = causal(input_ids=micro.ids, position_ids=None, positions=micro.positions, targets=micro.targets)
                kinds = micro.segments.cpu().numpy()
                far = nll.cpu().numpy() > np.log(most)[kinds]
                out[np.concatenate([starts[some[at]] + 1 + np.flatnonzero(rows[at].weights[1:]) for at in group])] = far
                seen += np.bincount(kinds, minlength=len(most))
                left_out += np.bincount(kinds[far], minlength=len(most))
                bar.advance(len(group))
    for at in np.flatnonzero(np.isfinite(most)).tolist():
        name, count, gone = mixture.names[at], int(seen[at]), int(left_out[at])
        if count and gone == count:
            raise TrainingError(
                f"training.segments.{name}: the gate stm leaves nothing to learn: all {count:,} tokens have a "
                f"perplexity over {most[at]:g} under the backbone. Name a larger `degree`, or take the gate out."
            )
        note(f"{label}  gate stm: {gone:,} of {count:,} tokens of {name} surprise the backbone, and are not learnt")
    return out
