"""A model that was published as its difference to another: the two are added, tensor by tensor.

Rows of embeddings that the other model lacks are the difference's own, as if it had rows of zeros there.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from dragoman.errors import EngineError
from dragoman.models.outline import readable
from dragoman.models.weights import INDEX, companions, weight_files

COMPUTED = "rotary_emb.inv_freq"
"""Ends the names of what old checkpoints hold though it is computed."""


def add_difference(folder: Path, base: Path, out: Path, *, bin_weights: bool = False) -> None:
    """Writes the sum of the difference in `folder` and its base, in the difference's precision, with what stands beside
    the difference. EngineError if the two don't fit.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    left: dict[str, torch.Tensor] = {}
    for file in weight_files(base, bin_weights):
        left |= _read(file)
    index: dict[str, str] = {}
    size = 0
    for number, file in enumerate(weight_files(folder, bin_weights)):
        summed = {}
        for name, change in _read(file).items():
            if name not in left:
                raise EngineError(f"{folder} is no difference to {base}, which has no {name}.")
            summed[name] = _sum(name, change, left.pop(name), folder, base)
        part = f"model-{number + 1:05}.safetensors"
        save_file(summed, out / part, {"format": "pt"})
        index |= dict.fromkeys(summed, part)
        size += sum(tensor.nbytes for tensor in summed.values())
    if left:
        raise EngineError(f"{folder} is no difference to {base}, which also has {', '.join(sorted(left)[:3])}.")
    about = {"metadata": {"total_size": size}, "weight_map": index}
    (out / INDEX).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    for path in (folder / "config.json", *companions(folder)):
        shutil.copyfile(path, out / path.name)


def _read(file: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a file, without those that are computed. Of a pickle, tensors alone are read."""
    with readable(file.parent):
        safe = file.suffix == ".safetensors"
        found = load_file(file) if safe else torch.load(file, map_location="cpu", weights_only=True)
    return {name: tensor for name, tensor in found.items() if not name.endswith(COMPUTED)}


def _sum(name: str, change: torch.Tensor, old: torch.Tensor, folder: Path, base: Path) -> torch.Tensor:
    rows = len(old) if old.dim() else 0
    wider = change.dim() == 2 and len(change) > rows and ("embed" in name or "lm_head" in name)
    if change.shape[1:] != old.shape[1:] or (change.shape != old.shape and not wider):
        by = [" × ".join(map(str, tensor.shape)) for tensor in (change, old)]
        raise EngineError(
            f"{folder} can't be added to {base}: {name} is {by[0]} here and {by[1]} there. Name the model that it is "
            "the difference to as `added_to`."
        )
    total = change.float().clone()
    total[:rows] += old.float()
    return total.to(change.dtype).contiguous()
