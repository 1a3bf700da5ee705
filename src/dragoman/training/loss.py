"""The loss: cross-entropy of the trained tokens, without computing logits for the others.

A backbone's head is often its widest layer: with a vocabulary of 128,000, the logits of one token take half a
megabyte. So hidden states are computed for all tokens, but the head is applied only where a trained token is
predicted, and in chunks, each freed before the next.
"""

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from dragoman.errors import TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Logits of one chunk, in entries. On a processor a chunk should stay in its cache.
CHUNK = {"cpu": 1 << 20}
ACCELERATOR_CHUNK = 1 << 26

Head = Callable[[torch.Tensor], torch.Tensor]


def token_nll(hidden: torch.Tensor, targets: torch.Tensor, head: Head, vocabulary: int, frozen: bool) -> torch.Tensor:
    """The negative log-likelihood of each target, in fp32.

    hidden [trained, width], targets [trained] → [trained]. With a frozen head the gradient is computed during the
    forward pass, so that nothing as wide as the vocabulary is kept or computed twice.
    """
    rows = max(1, CHUNK.get(hidden.device.type, ACCELERATOR_CHUNK) // vocabulary)
    if frozen and torch.is_grad_enabled():
        return _FrozenHead.apply(hidden, targets, head, rows)  # type: ignore[no-any-return]
    parts = zip(hidden.split(rows), targets.split(rows), strict=True)
    if not torch.is_grad_enabled():
        return torch.cat([_nll(part, target, head) for part, target in parts])
    return torch.cat([checkpoint(_nll, part, target, head, use_reentrant=False) for part, target in parts])


def _nll(hidden: torch.Tensor, targets: torch.Tensor, head: Head) -> torch.Tensor:
    return functional.cross_entropy(head(hidden).float(), targets, reduction="none")


class _FrozenHead(torch.autograd.Function):
    """A token's loss depends only on its own hidden state, so one gradient row per token is enough; backward scales
    it.
    """

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, targets: torch.Tensor, head: Head, rows: int) -> torch.Tensor:
        losses, slopes = [], []
        for part, target in zip(hidden.split(rows), targets.split(rows), strict=True):
            leaf = part.detach().requires_grad_()
            with torch.enable_grad():
                loss = _nll(leaf, target, head)
                slopes.append(torch.autograd.grad(loss.sum(), leaf)[0])
            losses.append(loss.detach())
        ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(losses)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return slopes * grads[0][:, None].to(slopes.dtype), None, None, None


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


def teach_forward(causal: "PreTrainedModel") -> None:
    """Makes calling a causal language model return the losses of its trained tokens.

    The model's `forward` is replaced rather than the model wrapped, so that whatever hooks into the call (adapters,
    DDP, FSDP, DeepSpeed) sees the whole computation, and saved files stay the same. An architecture whose logits are
    not understood is refused.
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
        **extra: object,
    ) -> torch.Tensor:
        body = self.base_model(input_ids=input_ids, position_ids=position_ids, use_cache=False, **extra)
        hidden = body.last_hidden_state.flatten(0, 1)[positions]
        frozen = not any(weight.requires_grad for weight in causal.get_output_embeddings().parameters())
        return token_nll(hidden, targets, head, vocabulary, frozen)

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
            "hidden states. Teach dragoman/training/loss.py (make_head) what it is."
        )
