"""Fast LoRA: an adapted layer as one product, forward and backward; and checks of its targets.

PEFT computes an adapted layer as a chain of small operations, with the input cast to the adapter's fp32 and back. For
the plain case (one adapter, no dropout, an ordinary linear layer) the same numbers come from three products forward
and five backward, all in the backbone's precision; the adapter's own weights and gradients stay fp32. Anything else
is left to PEFT.
"""

import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.lora import Linear
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from dragoman.errors import TrainingError
from dragoman.recipe.training import Lora
from dragoman.training.embeddings import Which, fit_precision, in_config

ALL = "all-linear"
PRESETS = {
    "attention": re.compile(r"att(n|ention)"),
    "mlp": re.compile(r"mlp|ffn|feed_?forward|moe|experts?|(^|\.)fc\d$"),  # OPT's layers have fc1 and fc2 of their own
}
"""Targets that stand for a part of every layer → what its linear layers are known by, the first that fits."""
_IN_A_LAYER = re.compile(r".*?\.\d+\.(.+)")
_ROUTER = re.compile(r"(^|[._])(gate|router)$")


def adapt(backbone: PreTrainedModel, lora: Lora, embeddings: Which = False) -> PeftModel:
    """The backbone with a new adapter around it; only the adapter is trained, in fp32, and where it is said the
    `embeddings`.

    A TrainingError if `lora.targets` names a layer that the backbone does not have, or one that is trained already.
    """
    targets = check_targets(backbone, lora)
    beside = in_config(backbone, embeddings) if embeddings else {}
    _check_once(targets, beside)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=2 * lora.rank if lora.alpha is None else lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in backbone.modules()),  # GPT-2's weights lie so
        **beside,
    )
    network = get_peft_model(backbone, config)
    fit_precision(network)
    if not lora.dropout:
        for layer in network.modules():
            if type(layer) is Linear and type(layer.base_layer) is nn.Linear:
                layer.forward = types.MethodType(_forward, layer)
    return network


def take_weights(network: PeftModel, trained: Path) -> None:
    """Gives the adapter of a network the weights of a trained one; TrainingError if that has other layers or ranks."""
    weights = load_file(trained / "adapter_model.safetensors")
    own = get_peft_model_state_dict(network)
    if other := {name for name in own.keys() | weights.keys() if not _alike(own.get(name), weights.get(name))}:
        raise TrainingError(
            f"The adapter in {trained} does not go on with these settings (training.lora): {len(other)} weights have "
            f"another shape or are not there, such as {min(other)}."
        )
    set_peft_model_state_dict(network, weights)


def _alike(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    return one is not None and other is not None and one.shape == other.shape


def check_targets(backbone: PreTrainedModel, lora: Lora) -> str | list[str]:
    """The targets as PEFT expects them: a list of names, or a pattern for full paths as a string.

    TrainingError if `lora.targets` names a layer that the backbone doesn't have; it lists those that it has.
    PEFT silently ignores a name that it does not find, as long as it finds another. An embedding and a head that
    share their weights are refused: an adapter would change only one of them.
    """
    targets = _targets(lora)
    if targets == ALL:
        return targets
    layers = {name: layer for name, layer in backbone.named_modules() if name and _adaptable(layer)}
    parts = _parts(layers)
    if isinstance(targets, list):
        targets = [name for target in targets for name in parts.get(target) or [target]]
    found = {target: [name for name in layers if _means(target, name)] for target in _listed(targets)}
    if absent := [target for target, names in found.items() if not names]:
        raise TrainingError(
            f"training.lora.targets: the backbone has no layer {', '.join(map(_spelt, absent))}. It has "
            f"{_ends(layers)}; `{ALL}` stands for all of them but embedding and head"
            f"{''.join(f'; `{part}` for {_ends(names)}' for part, names in parts.items() if names)}."
        )
    if backbone.config.get_text_config().tie_word_embeddings:
        ends = (backbone.get_input_embeddings(), backbone.get_output_embeddings())
        tied = [name for names in found.values() for name in names if any(layers[name] is end for end in ends)]
        if tied:
            raise TrainingError(
                f"training.lora.targets: {', '.join(tied)} shares its weights with the backbone's "
                f"{'head' if layers[tied[0]] is ends[0] else 'embedding'}, and an adapter would change one of the two "
                "alone. Name other layers, or train all weights (`training: {lora: null}`)."
            )
    return targets


def _check_once(targets: str | list[str], beside: Mapping[str, Any]) -> None:
    """TrainingError if an adapter is to change an embedding or a head whose own rows are trained."""
    whole = [*(beside.get("modules_to_save") or beside.get("trainable_token_indices") or ())]
    if targets != ALL and (twice := [name for name in whole for one in _listed(targets) if _means(one, name)]):
        raise TrainingError(
            f"training.lora.targets names {', '.join(twice)}, whose rows are trained as they are "
            "(training.embeddings). Take one of the two out."
        )


def _parts(layers: Iterable[str]) -> dict[str, list[str]]:
    """Preset → the ends of the paths, from the layer's number on, of the linear layers that it stands for.

    What picks the experts of a mixture belongs to none.
    """
    found: dict[str, list[str]] = {part: [] for part in PRESETS}
    for end in dict.fromkeys(inside[1] for name in layers if (inside := _IN_A_LAYER.fullmatch(name))):
        part = next((part for part, known in PRESETS.items() if known.search(end)), None)
        if part and not _ROUTER.search(end):
            found[part].append(end)
    return found


def _ends(paths: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(path.rpartition(".")[2] for path in paths))


def _listed(targets: str | list[str]) -> list[str | re.Pattern[str]]:
    """The names of layers, or the one pattern for their full paths. TrainingError if the pattern is invalid."""
    if not isinstance(targets, str):
        return [*targets]
    try:
        return [re.compile(targets)]
    except re.error as error:
        raise TrainingError(f"training.lora.targets: {targets!r} is no pattern of names: {error}") from None


def _spelt(target: str | re.Pattern[str]) -> str:
    return target.pattern if isinstance(target, re.Pattern) else target


def _means(target: str | re.Pattern[str], name: str) -> bool:
    return bool(target.fullmatch(name)) if isinstance(target, re.Pattern) else f".{name}".endswith(f".{target}")


def _targets(lora: Lora) -> str | list[str]:
    """`all-linear`, names, or a pattern for full paths."""
    if not isinstance(lora.targets, str):
        return list(lora.targets)
    return lora.targets if lora.targets == ALL or not re.fullmatch(r"[\w.]+", lora.targets) else [lora.targets]


def _adaptable(layer: nn.Module) -> bool:
    """Whether a layer can carry an adapter: linear layers, plain or quantised, and embeddings."""
    return isinstance(layer, nn.Embedding | Conv1D) or "Linear" in type(layer).__name__


def _forward(self: Linear, x: torch.Tensor) -> torch.Tensor:
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
        return y.view(*x.shape[:-1], y.shape[-1])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        flat, inner, weight, a, b = ctx.saved_tensors
        grad = grads[0].reshape(-1, weight.shape[0])
        back = grad @ b  # [tokens, rank]
        x = (grad @ weight).addmm_(back, a).view(ctx.shape) if ctx.needs_input_grad[0] else None
        return x, None, None, (back.t() @ flat).float(), (grad.t() @ inner).float() * ctx.scale, None
