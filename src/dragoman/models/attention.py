"""Attention for training on a CPU, where torch's own is slow.

torch's fused attention runs backward in bf16 on a CPU at a fifth of the speed of plain matrix products (measured with
AVX-512, widths of 64 to 128). Examples for translation are short, so the scores of a micro-batch are small, and plain
products win.
"""

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

PRODUCTS = "dragoman_products"

# Beyond it the scores take more memory than they save time.
WIDEST = 512

PROBED = 4  # tokens


def products(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **extra: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention by plain products: [rows, heads, width, size] → [rows, width, heads, size].

    Falls back to torch's attention with a mask, with dropout, or when too wide.
    """
    rows, heads, width, size = query.shape
    if attention_mask is not None or dropout or width > WIDEST or key.shape[2] != width:
        usual: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **extra
        )
        return usual
    groups = heads // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    future = torch.full((width, width), float("-inf"), dtype=query.dtype, device=query.device).triu(1)
    scale = size**-0.5 if scaling is None else scaling
    scores = torch.baddbmm(future, query.reshape(-1, width, size), key.reshape(-1, width, size).mT, alpha=scale)
    mixed = torch.bmm(scores.softmax(-1), value.reshape(-1, width, size)).view(rows, heads, width, size)
    return mixed.transpose(1, 2).contiguous(), None


@torch.no_grad()
def keeps_apart(causal: PreTrainedModel) -> bool:
    """Whether the model treats examples that are packed into one line as if each stood alone.

    They are separated by position ids that start again, which not all architectures heed: GPT-2's second example
    would see the first.
    """
    body, vocabulary = causal.base_model, causal.config.get_text_config().vocab_size
    ids = torch.arange(2 * PROBED, device=causal.device)[None] % vocabulary
    places = torch.arange(PROBED, device=causal.device).repeat(2)[None]
    both = body(input_ids=ids, position_ids=places, use_cache=False).last_hidden_state[:, PROBED:]
    alone = body(input_ids=ids[:, PROBED:], position_ids=places[:, PROBED:], use_cache=False).last_hidden_state
    return torch.allclose(both.float(), alone.float(), rtol=1e-2, atol=1e-2 * float(alone.abs().max()))


def register() -> None:
    """Registers `products` with transformers."""
    AttentionInterface.register(PRODUCTS, products)
    AttentionMaskInterface.register(PRODUCTS, sdpa_mask)
