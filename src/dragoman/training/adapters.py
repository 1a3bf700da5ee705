"""A LoRA layer as one product, forward and backward.

PEFT computes an adapted layer as a chain of small operations, with the input cast to the adapter's
fp32 and back. For the plain case (one adapter, no dropout, an ordinary linear layer) the same
numbers come from three products forward and five backward, all in the precision of the backbone;
the adapter's own weights and gradients stay fp32. Anything else is left to PEFT.
"""

import types
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear
from torch import nn
from torch.nn import functional

from dragoman.recipe.schema import Lora


def adapt(backbone: Any, lora: Lora) -> Any:
    """The backbone with a fresh adapter around it: the adapter alone is trained, in fp32."""
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=2 * lora.rank if lora.alpha is None else lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
    )
    network = get_peft_model(backbone, config)
    if not lora.dropout:
        for layer in network.modules():
            if type(layer) is Linear and type(layer.base_layer) is nn.Linear:
                layer.forward = types.MethodType(_forward, layer)
    return network


def _forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    if self.disable_adapters:
        return self.base_layer(x)  # type: ignore[no-any-return]
    name = self.active_adapters[0]
    down, up, base = self.lora_A[name].weight, self.lora_B[name].weight, self.base_layer
    return _Product.apply(x, base.weight, base.bias, down, up, self.scaling[name])  # type: ignore[no-any-return]


class _Product(torch.autograd.Function):
    """y = W x + b + s B A x, with the gradients of x, A and B. W and b are frozen."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,  # [..., in]
        weight: torch.Tensor,  # [out, in]
        bias: torch.Tensor | None,  # [out]
        down: torch.Tensor,  # A [rank, in]
        up: torch.Tensor,  # B [out, rank]
        scale: float,
    ) -> torch.Tensor:
        flat = x.flatten(0, -2)
        a, b = down.to(x.dtype), (up * scale).to(x.dtype)
        inner = flat @ a.t()  # [tokens, rank]
        y = functional.linear(flat, weight, bias).addmm_(inner, b.t())
        ctx.save_for_backward(flat, inner, weight, a, b)
        ctx.scale, ctx.shape = scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, inner, weight, a, b = ctx.saved_tensors
        grad = grads[0].reshape(-1, weight.shape[0])
        back = grad @ b  # [tokens, rank]
        x = (grad @ weight).addmm_(back, a).view(ctx.shape) if ctx.needs_input_grad[0] else None
        return x, None, None, (back.t() @ flat).float(), (grad.t() @ inner).float() * ctx.scale, None
