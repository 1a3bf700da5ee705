"""The loss of the trained tokens, hard or soft, without computing logits for the others.

A backbone's head is often its widest layer: with a vocabulary of 128,000, the logits of one token take half a
megabyte. So hidden states are computed for all tokens, but the head is applied only where a trained token is
predicted, and in chunks, each freed before the next.
"""

import types
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from dragoman.errors import TrainingError
from dragoman.recipe.training import SegmentTraining
from dragoman.training.losses.distil import backbone_alone, backbone_states, divergence, stored_divergence
from dragoman.training.losses.gates import Gates, asked, eaft_weight, gated, others_divergence

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from dragoman.training.batching import Stored

# Logits of one chunk, in entries. On a processor a chunk should stay in its cache.
CHUNK = {"cpu": 1 << 20}
ACCELERATOR_CHUNK = 1 << 26

Head = Callable[[torch.Tensor], torch.Tensor]
TokenLoss = Callable[..., torch.Tensor]
"""From logits [tokens, vocabulary], and what else is known of each token, to [tokens]."""


def chunk_rows(device: torch.device, vocabulary: int) -> int:
    """How many positions the head is applied to at once."""
    return max(1, CHUNK.get(device.type, ACCELERATOR_CHUNK) // vocabulary)


def token_losses(
    loss: TokenLoss, hidden: torch.Tensor, *known: torch.Tensor, head: Head, vocabulary: int, frozen: bool
) -> torch.Tensor:
    """The loss of each token, in fp32, from hidden states [tokens, width] and what is `known` of each, [tokens, …].

    With a frozen head the gradient is computed during the forward pass, so that nothing as wide as the vocabulary is
    kept or computed twice.
    """
    rows = chunk_rows(hidden.device, vocabulary)

    def of(part: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        return loss(head(part).float(), *others)

    if frozen and torch.is_grad_enabled():
        return _FrozenHead.apply(of, rows, hidden, *known)  # type: ignore[no-any-return]
    parts = zip(*(one.split(rows) for one in (hidden, *known)), strict=True)
    if not torch.is_grad_enabled():
        return torch.cat([of(*part) for part in parts])
    return torch.cat([checkpoint(of, *part, use_reentrant=False) for part in parts])


def token_nll(hidden: torch.Tensor, targets: torch.Tensor, head: Head, vocabulary: int, frozen: bool) -> torch.Tensor:
    """The negative log-likelihood of each target."""
    return token_losses(_nll, hidden, targets, head=head, vocabulary=vocabulary, frozen=frozen)


def _nll(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits, targets, reduction="none")


class _FrozenHead(torch.autograd.Function):
    """A token's loss depends only on its own hidden state, so one gradient row per token is enough; backward scales
    it.
    """

    @staticmethod
    def forward(ctx: Any, of: TokenLoss, rows: int, hidden: torch.Tensor, *known: torch.Tensor) -> torch.Tensor:
        losses, slopes = [], []
        for part, *others in zip(*(one.split(rows) for one in (hidden, *known)), strict=True):
            leaf = part.detach().requires_grad_()
            with torch.enable_grad():
                loss = of(leaf, *others)
                slopes.append(torch.autograd.grad(loss.sum(), leaf)[0])
            losses.append(loss.detach())
        ctx.save_for_backward(torch.cat(slopes))
        ctx.known = len(known)
        return torch.cat(losses)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return None, None, slopes * grads[0][:, None].to(slopes.dtype), *[None] * ctx.known


def make_head(causal: "PreTrainedModel") -> Head:
    """The function from hidden states to logits: the head, plus what some architectures do to its output."""
    config = causal.config.get_text_config().to_dict()
    cap = config.get("final_logit_softcapping")
    factor = (config.get("logit_scale") or 1.0) / (config.get("logits_scaling") or 1.0)

    def head(hidden: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = causal.get_output_embeddings()(
            hidden
        )  # looked up now, since an adapter may have been put around it
        if factor != 1.0:
            logits = logits * factor
        return torch.tanh(logits / cap) * cap if cap else logits

    return head


def teach_forward(causal: "PreTrainedModel", gates: Gates = MappingProxyType({})) -> None:
    """Makes calling a causal language model return the losses of its trained tokens.

    The model's `forward` is replaced rather than the model wrapped, so that whatever hooks into the call (adapters,
    DDP, FSDP, DeepSpeed) sees the whole computation, and saved files stay the same. An architecture whose logits are
    not understood is refused. The loss of a token that is `soft` is its divergence from the backbone: KL(backbone ||
    model), or KL(model || backbone) in `reverse`; that of a `stored` one is KL(backbone || model) over as much of the
    backbone's distribution as was stored.
    Where there are `gates` and the tokens' segments are told, it returns what `gated` does.
    """
    head = make_head(causal)
    _check_head(causal, head)
    vocabulary = causal.config.get_text_config().vocab_size

    def forward(
        self: "PreTrainedModel",
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None,
        positions: torch.Tensor,
        targets: torch.Tensor,
        soft: torch.Tensor | None = None,
        stored: "Stored | None" = None,
        segments: torch.Tensor | None = None,
        reverse: bool = False,
        **extra: object,
    ) -> torch.Tensor:
        asks = asked(gates, soft, segments)
        base = None if asks is None else backbone_states(self, input_ids, position_ids, positions[asks])
        body = self.base_model(input_ids=input_ids, position_ids=position_ids, use_cache=False, **extra)
        hidden = body.last_hidden_state.flatten(0, 1)[positions]
        frozen = not any(weight.requires_grad for weight in causal.get_output_embeddings().parameters())

        def of(loss: TokenLoss, where: torch.Tensor, *known: torch.Tensor) -> torch.Tensor:
            return token_losses(loss, hidden[where], *known, head=head, vocabulary=vocabulary, frozen=frozen)

        def backbone_logits(states: torch.Tensor) -> torch.Tensor:
            with torch.no_grad() if frozen else backbone_alone(causal):
                return head(states).float()

        def from_backbone(logits: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
            base = backbone_logits(states)
            return divergence(base, logits) if reverse else divergence(logits, base)

        def beside(logits: torch.Tensor, targets: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
            return others_divergence(logits, targets, backbone_logits(states))

        def of_gate(how: SegmentTraining, where: torch.Tensor) -> torch.Tensor:
            if how.gate == "eaft":
                with torch.no_grad():
                    return of(partial(eaft_weight, power=how.gate_degree), where)
            if asks is None or base is None:  # as in a micro-batch that adds nothing
                return torch.zeros(int(where.sum()), device=where.device)
            return of(beside, where, targets[where], base[where[asks]])

        if soft is None and stored is None:
            losses = token_nll(hidden, targets, head, vocabulary, frozen)
        else:
            hard = torch.ones_like(targets, dtype=torch.bool)
            for other in (soft, None if stored is None else stored.which):
                hard = hard if other is None else hard & ~other
            nll = token_nll(hidden[hard], targets[hard], head, vocabulary, frozen)
            losses = torch.zeros(targets.shape, device=nll.device).masked_scatter(hard, nll)
        if soft is not None and asks is not None and base is not None:
            losses = losses.masked_scatter(soft, of(from_backbone, soft, base[soft[asks]]))
        if stored is not None:
            which, *known = stored
            losses = losses.masked_scatter(which, of(stored_divergence, which, *known))
        return gated(gates, losses, segments, of_gate) if gates and segments is not None else losses

    causal.forward = types.MethodType(forward, causal)


@torch.no_grad()
def _check_head(causal: "PreTrainedModel", head: Head) -> None:
    ids = torch.arange(8, device=causal.device)[None] % causal.config.get_text_config().vocab_size
    expected = causal(input_ids=ids, use_cache=False).logits
    found = head(causal.base_model(input_ids=ids, use_cache=False).last_hidden_state)
    if not torch.allclose(expected.float(), found.float(), rtol=1e-2, atol=1e-3 * float(expected.abs().max())):
        raise TrainingError(
            f"{type(causal).__name__} does something to its logits that training does not know of: "
            f"they differ by up to {float((expected - found).abs().max()):.3g} from the head applied to the last "
            "hidden states. Teach dragoman/training/losses/loss.py (make_head) what it is."
        )
