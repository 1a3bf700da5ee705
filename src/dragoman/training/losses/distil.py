"""Soft labels: how far the trained model's next-token distribution is from the backbone's.

KL(backbone || trained), in nats, is 0 where the two agree and never asks for a token that the backbone would not have
written; its reverse, KL(trained || backbone), makes unlikely whatever the backbone would not say. The backbone is the
same network with its adapter switched off. Where only its K likeliest tokens were stored, all others count as one, the
tail.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper

from dragoman.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# The least probability of the student's tail: below it, what fp32 leaves of 1 - (sum of the stored) is noise.
LEAST_TAIL = 1e-6


def divergence(logits: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """KL(base || logits) over the whole vocabulary; [places, vocabulary] both → [places]."""
    p, q = base.log_softmax(-1), logits.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)


def stored_divergence(logits: torch.Tensor, ids: torch.Tensor, stored: torch.Tensor) -> torch.Tensor:
    """KL from stored log-probabilities of some tokens, all others as one tail.

    logits [places, vocabulary], ids and stored [places, K] → [places]. A place with fewer than K tokens has -inf in
    the rest. It is at most the full divergence, and equal to it where every token was stored. The probabilities must
    be those of the full vocabulary, at temperature 1.
    """
    there = stored > -torch.inf
    p = stored.exp()
    q = logits.gather(-1, ids) - logits.logsumexp(-1, keepdim=True)
    among = torch.where(there, p * (stored - q), 0.0).sum(-1)
    p_tail = (1 - p.sum(-1)).clamp(min=0.0)
    q_stored = torch.where(there, q, -torch.inf).logsumexp(-1)
    q_tail = torch.log1p(-q_stored.clamp(max=-LEAST_TAIL).exp())
    return among + torch.xlogy(p_tail, p_tail) - p_tail * q_tail


@contextmanager
def backbone_alone(causal: "PreTrainedModel") -> Iterator[None]:
    """The network as its backbone: no adapter, old embeddings, no dropout, no gradients. Then all is as before."""
    adapters = [layer for layer in causal.modules() if isinstance(layer, BaseTunerLayer | AuxiliaryTrainingWrapper)]
    if not adapters:
        raise TrainingError(
            "Soft labels ask the backbone, which is the network without its adapter; this one has no adapter."
        )
    training = [module for module in causal.modules() if module.training]
    off = [layer.disable_adapters for layer in adapters]
    try:
        for module in training:
            module.training = False
        for layer in adapters:  # the flag alone: PEFT's own switch also changes what requires a gradient
            layer._disable_adapters = True
        with torch.no_grad():
            yield
    finally:
        for layer, was in zip(adapters, off, strict=True):
            layer._disable_adapters = was
        for module in training:
            module.training = True


def backbone_states(
    causal: "PreTrainedModel", ids: torch.Tensor, places: torch.Tensor | None, positions: torch.Tensor
) -> torch.Tensor:
    """The backbone's last hidden states at some positions of the flattened ids, [positions, width].

    Only lines that have such a position go through it, and only up to the last one. At least one line does: devices
    that shard a model wait for each other in every pass.
    """
    width = ids.shape[1]
    lines, at = (positions // width).unique(return_inverse=True)
    columns = positions % width
    if not len(positions):
        lines = lines.new_zeros(1)
    end = int(columns.max()) + 1 if len(positions) else 1
    asked = None if places is None else places[lines, :end]
    with backbone_alone(causal):
        body = causal.base_model(input_ids=ids[lines, :end], position_ids=asked, use_cache=False)
    states: torch.Tensor = body.last_hidden_state[at, columns]
    return states
