"""A model with more rows in its embeddings: input and output apart, or the one that is both."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dragoman.errors import EngineError
from dragoman.models.config import EXTENDED
from dragoman.models.loading import load_model
from dragoman.models.outline import vocabulary_of
from dragoman.models.weights import companions

Ids = tuple[int, ...]
Start = Literal["pieces", "mean"]


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows the embeddings had, and have."""

    before: int
    after: int


def resize(
    folder: Path,
    out: Path,
    old: Sequence[Ids],
    first: int,
    *,
    start: Start = "pieces",
    multiple: int = 1,
    trust_remote_code: bool = False,
    bin_weights: bool = False,
) -> Rows:
    """Writes the model of a folder with rows for new tokens to `out`, in its own precision, with what stands beside
    the weights.

    The new tokens have the ids from `first` on, and each is made of `old` ones. A row starts as the mean of their
    rows, or with `mean` as the mean of all. Rows of ids that no token has take the mean of all; there are such where
    the number of rows is to be a `multiple`. Rows that the model has beyond its old tokens are used first.
    """
    import torch
    from transformers import AutoConfig

    model = load_model(
        folder, precision="fp32", device="cpu", trust_remote_code=trust_remote_code, bin_weights=bin_weights
    )
    if getattr(model, "hf_quantizer", None) is not None:
        raise EngineError(
            f"{folder} has quantised weights, and its vocabulary can't be extended. Take it as it was before."
        )
    own = AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code).dtype
    before, end = vocabulary_of(model), first + len(old)
    after = math.ceil(max(before, end) / multiple) * multiple
    if after > before:
        model.resize_token_embeddings(after, mean_resizing=False)
    matrices: dict[int, torch.Tensor] = {}  # one if the two are tied
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        for weight in (layer.weight, getattr(layer, "bias", None)):
            if weight is not None:
                matrices[weight.data_ptr()] = weight
    with torch.no_grad():
        for weight in matrices.values():
            mean = weight[:first].mean(0)
            for place, parts in enumerate(old):
                weight[first + place] = weight[list(parts)].mean(0) if start == "pieces" else mean
            weight[max(before, end) :] = mean
    setattr(model.config, EXTENDED, [first, end])
    shutil.rmtree(out, ignore_errors=True)
    model.to(own if isinstance(own, torch.dtype) else torch.float32).save_pretrained(out)
    for path in companions(folder, *(["*.py"] if trust_remote_code else [])):
        shutil.copyfile(path, out / path.name)
    return Rows(before, after)
