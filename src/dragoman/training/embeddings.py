"""Embedding and head trained beside an adapter: all their rows, or those of new tokens alone.

PEFT wraps both, keeps one weight where the two are tied, and saves it with the adapter. Here what it computes is made
to fit: the rows that are trained stay in fp32, as adapters do, and products and states are of the backbone's
precision. Where only new rows are trained, the old ones are not copied beside them.
"""

import types
from collections.abc import Callable
from typing import Any, Literal

import torch
from peft import PeftModel
from peft.tuners.trainable_tokens import TrainableTokensLayer
from peft.utils.other import ModulesToSaveWrapper
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from dragoman.errors import TrainingError
from dragoman.models.config import EXTENDED

Which = bool | Literal["new"]


def in_config(backbone: PreTrainedModel, which: Which) -> dict[str, Any]:
    """What a LoRA config says for it. TrainingError if there are no new tokens, or no such layers."""
    ends = [backbone.get_input_embeddings(), backbone.get_output_embeddings()]
    if not isinstance(ends[0], nn.Embedding) or not isinstance(ends[1], nn.Linear):
        raise TrainingError(
            f"training.embeddings: {type(backbone).__name__} has no plain embedding and head to train. Leave it out, "
            "or train all weights (lora: null)."
        )
    tied = ends[0].weight is ends[1].weight
    names = [name for name, layer in backbone.named_modules() if any(layer is end for end in ends[: 2 - tied])]
    if which is True:
        return {"modules_to_save": names, "ensure_weight_tying": tied}
    first, end = getattr(backbone.config, EXTENDED, None) or (0, 0)
    if first == end:
        raise TrainingError(
            "training.embeddings is `new`, and the backbone has no new tokens: give the row a `vocabulary`, or train "
            "all rows (`embeddings: true`)."
        )
    return {"trainable_token_indices": {name: list(range(first, end)) for name in names}}


def fit_precision(network: PeftModel) -> None:
    """Keeps the rows that are trained in fp32, and all that is computed with them in the backbone's precision."""
    for layer in network.modules():
        if isinstance(layer, ModulesToSaveWrapper):
            (trained,) = layer.modules_to_save.values()
            dtype = layer.original_module.weight.dtype
            for weight in trained.parameters():  # where two layers are tied, one weight of both
                weight.data = weight.data.float()
            trained.forward = _looked_up(trained.forward, dtype) if _is_input(trained) else _head(trained)
        elif isinstance(layer, TrainableTokensLayer):
            layer.forward = types.MethodType(_new_rows, layer)


def _is_input(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Embedding)


def _looked_up(forward: Callable[[torch.Tensor], torch.Tensor], dtype: torch.dtype) -> Callable[..., torch.Tensor]:
    return lambda ids: forward(ids).to(dtype)


def _head(layer: Any) -> Callable[..., torch.Tensor]:
    def forward(x: torch.Tensor) -> torch.Tensor:
        bias = None if layer.bias is None else layer.bias.to(x.dtype)
        return functional.linear(x, layer.weight.to(x.dtype), bias)

    return forward


def _new_rows(self: TrainableTokensLayer, x: torch.Tensor) -> torch.Tensor:
    """A layer whose new rows, which lie together, are trained, and the old ones frozen."""
    base = self.base_layer
    if self.disable_adapters or self.merged or not self.active_adapters:
        return base(x)  # type: ignore[no-any-return]
    name = self.active_adapters[0]
    rows, first = self.trainable_tokens_delta[name], self.token_indices[name][0]
    end = first + len(rows)
    if _is_input(base):
        new = (x >= first) & (x < end)
        found = functional.embedding((x - first).clamp(0, len(rows) - 1), rows).to(base.weight.dtype)
        scale = self._get_embed_scale()
        return torch.where(new[..., None], found if scale is None else found * scale.to(found.dtype), base(x))
    parts = (base.weight[:first], rows.to(x.dtype), base.weight[end:])
    logits = torch.cat([functional.linear(x, part) for part in parts], -1)
    return logits if base.bias is None else logits + base.bias
