"""COMET's parts above its encoder: the layer weights, and the estimator that turns vectors into a score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_SCALARS, _GAMMA = "layerwise_attention.scalar_parameters.", "layerwise_attention.gamma"
ACTIVATIONS = ("Tanh", "Sigmoid")


def sparsemax(scalars: "torch.Tensor") -> "torch.Tensor":
    """The point of the simplex nearest to `scalars`: like a softmax, but with exact zeros."""
    import torch

    ordered = torch.sort(scalars - scalars.max(), descending=True).values
    sums = ordered.cumsum(0) - 1
    ranks = torch.arange(1, len(scalars) + 1, dtype=scalars.dtype)
    support = int((ranks * ordered > sums).sum())
    threshold = sums[support - 1] / support
    return torch.clamp(scalars - scalars.max() - threshold, min=0)


def layer_weights(weights: Mapping[str, "torch.Tensor"], transformation: str) -> list[float]:
    """The weight of each layer's output, the embeddings first; includes gamma."""
    import torch

    count = sum(name.startswith(_SCALARS) for name in weights)
    scalars = torch.cat([weights[f"{_SCALARS}{layer}"].float() for layer in range(count)])
    shares = sparsemax(scalars) if transformation == "sparsemax" else scalars.softmax(0)
    return [float(share) for share in shares * weights[_GAMMA].float()]


def mix_shapes(layers: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the scalars for an encoder with so many layers, and its embeddings."""
    names = [f"{_SCALARS}{layer}" for layer in range(layers + 1)]
    return dict.fromkeys([*names, _GAMMA], (1,))


@dataclass(frozen=True, slots=True)
class Head:
    """The estimator: linear layers with activations between them, down to one number; always in fp32."""

    layers: "tuple[tuple[torch.Tensor, torch.Tensor], ...]"
    activation: str
    final: str | None

    @staticmethod
    def of(
        weights: Mapping[str, "torch.Tensor"],
        sizes: Sequence[int],
        activation: str,
        final: str | None,
        device: "torch.device",
    ) -> "Head":
        """The head of a checkpoint whose names and shapes have been checked."""
        named = [f"estimator.ff.{3 * place}" for place in range(len(sizes) + 1)]
        layers = tuple(
            (weights[f"{name}.weight"].float().to(device), weights[f"{name}.bias"].float().to(device)) for name in named
        )
        return Head(layers, activation, final)

    def __call__(self, features: "torch.Tensor") -> "torch.Tensor":
        """[items, width] → [items]"""
        import torch

        act = {"Tanh": torch.tanh, "Sigmoid": torch.sigmoid}
        for weight, bias in self.layers[:-1]:
            features = act[self.activation](torch.nn.functional.linear(features, weight, bias))
        weight, bias = self.layers[-1]
        found = torch.nn.functional.linear(features, weight, bias).flatten()
        return act[self.final](found) if self.final else found


def head_shapes(width: int, sizes: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a head's weights. Activations and dropouts count in the numbering of its layers."""
    shapes: dict[str, tuple[int, ...]] = {}
    for place, (before, after) in enumerate(pairwise((width, *sizes, 1))):
        shapes[f"estimator.ff.{3 * place}.weight"] = (after, before)
        shapes[f"estimator.ff.{3 * place}.bias"] = (after,)
    return shapes


def features(source: "torch.Tensor", translation: "torch.Tensor", reference: "torch.Tensor") -> "torch.Tensor":
    """The input of the head, for a model with references.  # [items, hidden] each → [items, 6 hidden]"""
    import torch

    return torch.cat(
        (
            translation,
            reference,
            translation * reference,
            (translation - reference).abs(),
            translation * source,
            (translation - source).abs(),
        ),
        dim=1,
    )
