"""A trained model at another strength: what training changed of the backbone, times a number.

Strength 0 is the backbone, 1 what was trained; it is one number, or rises with the layers. Of an adapter the second
factor is multiplied, so that W + B A becomes W + (m B) A; a model whose weights were all trained is moved along the
line from the backbone.
"""

import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import EngineError, listed
from dragoman.json_values import Json
from dragoman.models.adapters import CONFIG, WEIGHTS, read_adapter
from dragoman.models.weights import header
from dragoman.recipe.training import Rising

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_FACTOR = re.compile(r".+\.lora_(embedding_)?(?P<which>[AB])(\.(weight|bias))?")
_LAYER = re.compile(r"\.(\d+)\.")
_HARMLESS = ("gaussian", "eva", "orthogonal", "mica")
"""Ways to start an adapter that leave the backbone's own weights as they are, beside PEFT's default."""


def scale_adapter(adapter: Path, out: Path, scale: float | Rising, layers: int) -> Path:
    """Writes the adapter of a backbone with so many layers at this strength to `out`, anew.

    EngineError if it is no plain LoRA on its backbone.
    """
    from safetensors.torch import load_file, save_file

    _require_plain(adapter)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tensors = load_file(adapter / WEIGHTS)
    for name, tensor in tensors.items():
        if _which(name) == "B":
            tensors[name] = (strength_of(name, scale, layers) * tensor.float()).to(tensor.dtype)
    save_file(tensors, out / WEIGHTS, metadata={"format": "pt"})
    shutil.copyfile(adapter / CONFIG, out / CONFIG)
    return out


def interpolate(trained: "PreTrainedModel", backbone: "PreTrainedModel", scale: float | Rising) -> None:
    """Moves each weight of a trained model to its place at this strength; one after the other, in place."""
    import torch

    before = dict(backbone.named_parameters())
    layers = trained.config.get_text_config().num_hidden_layers
    with torch.no_grad():
        for name, weight in trained.named_parameters():
            weight.copy_(torch.lerp(before[name].to(weight.dtype), weight, strength_of(name, scale, layers)))


def strength_of(name: str, scale: float | Rising, layers: int) -> float:
    """The strength of a tensor by its name: one that rises is α + (1 − α) · l / (L − 1) in layer l of L, and α in no
    layer.
    """
    if not isinstance(scale, Rising):
        return scale
    found = _LAYER.search(name)
    way = int(found[1]) / max(1, layers - 1) if found else 0
    return scale.first_layer + (1 - scale.first_layer) * min(1, way)


def _require_plain(adapter: Path) -> None:
    """EngineError if what is left while the adapter is off is not the backbone, or not all of it can be scaled."""
    about = read_adapter(adapter)
    more = _not_factors(header(adapter / WEIGHTS))
    reasons = [*_of_config(about), *([f"it holds more than its two factors: {listed(more)}"] if more else [])]
    if reasons:
        raise EngineError(
            f"The adapter {adapter} can't be taken at another strength, as its backbone is not what is left without "
            f"it: {'; '.join(reasons)}. Take it as it is, without `scale`, or train a plain LoRA."
        )


def _of_config(about: Mapping[str, Json]) -> list[str]:
    """What an adapter's config says against scaling it."""
    kind, start = str(about.get("peft_type") or "LORA"), about.get("init_lora_weights")
    found = [f"it is {kind}, not LoRA"] * (kind.upper() != "LORA")
    if isinstance(start, str) and start.lower() not in _HARMLESS:
        found.append(f"it started by changing the backbone's own weights (init_lora_weights: {start})")
    found += ["its size depends on the weights (use_dora)"] * bool(about.get("use_dora"))
    found += ["it repeats layers (layer_replication)"] * bool(about.get("layer_replication"))
    return found


def _not_factors(names: Collection[str]) -> list[str]:
    """Those of an adapter's tensors that are no factors. PEFT saves the frozen weight of an embedding besides."""
    embeddings = {name.partition(".lora_embedding_")[0] for name in names if ".lora_embedding_" in name}
    frozen = {f"{module}.base_layer.weight" for module in embeddings}
    return [name for name in names if not _which(name) and name not in frozen]


def _which(name: str) -> str:
    """`A` or `B`, the factor that a tensor is of; empty if it is something else."""
    found = _FACTOR.fullmatch(name)
    return found["which"] if found else ""
