"""COMET's encoder: XLM-RoBERTa, with every layer's output mixed and pooled to one vector per text.

There is no padding. The tokens of a batch are concatenated; only attention needs to know where a text ends, and
handles texts of one length together. The mix of hidden states is summed layer by layer, so none is kept, and layers
above the last one that counts are not computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import chain, groupby
from typing import Any, Literal

import torch
from torch.nn import functional

from dragoman.errors import DataError

Pooling = Literal["mean", "first"]
Weighted = tuple[torch.Tensor, torch.Tensor]  # weight and bias
_PREFIX = "encoder.model."


@dataclass(frozen=True, slots=True)
class Shape:
    """The geometry of an encoder."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    vocabulary: int
    types: int
    padding: int
    epsilon: float

    @staticmethod
    def of(config: Mapping[str, Any]) -> "Shape":
        """From `config.json`; a KeyError names a missing field, a DataError an invalid number."""
        found = Shape(
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            vocabulary=config["vocab_size"],
            types=config.get("type_vocab_size", 1),
            padding=config.get("pad_token_id", 1),
            epsilon=config.get("layer_norm_eps", 1e-5),
        )
        *sizes, padding, epsilon = astuple(found)
        if not all(type(size) is int and size > 0 for size in sizes) or type(padding) is not int or padding < 0:
            raise DataError(f"The encoder's config.json has sizes that are no whole numbers above 0: {found}.")
        if type(epsilon) is not float or not 0 < epsilon < 1:
            raise DataError(
                f"The encoder's config.json has a layer_norm_eps of {epsilon!r}, not a number such as 1e-5."
            )
        if found.hidden % found.heads:
            raise DataError(
                f"The encoder's config.json has a hidden_size of {found.hidden}, which does not divide into "
                f"{found.heads} num_attention_heads."
            )
        return found

    def weights(self) -> dict[str, tuple[int, ...]]:
        """The names and shapes of its weights in a checkpoint."""
        wide, inner = self.hidden, self.intermediate
        found: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocabulary, wide),
            "embeddings.position_embeddings.weight": (self.positions, wide),
            "embeddings.token_type_embeddings.weight": (self.types, wide),
            "embeddings.LayerNorm.weight": (wide,),
            "embeddings.LayerNorm.bias": (wide,),
        }
        linear = {
            **{f"attention.self.{name}": (wide, wide) for name in ("query", "key", "value")},
            "attention.output.dense": (wide, wide),
            "intermediate.dense": (inner, wide),
            "output.dense": (wide, inner),
        }
        for layer in range(self.layers):
            start = f"encoder.layer.{layer}."
            for name, shape in linear.items():
                found |= {f"{start}{name}.weight": shape, f"{start}{name}.bias": shape[:1]}
            for name in ("attention.output.LayerNorm", "output.LayerNorm"):
                found |= {f"{start}{name}.weight": (wide,), f"{start}{name}.bias": (wide,)}
        return {_PREFIX + name: shape for name, shape in found.items()}


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer; query, key and value are one product."""

    attend: Weighted
    out: Weighted
    attended: Weighted  # the norm after attention
    up: Weighted
    down: Weighted
    done: Weighted  # the norm at the end


@dataclass(frozen=True, slots=True)
class Run:
    """Texts of one length, side by side in a batch."""

    start: int  # the first token
    count: int
    length: int

    @property
    def tokens(self) -> slice:
        return slice(self.start, self.start + self.count * self.length)


class Encoder:
    """Turns texts, as token ids, into vectors. `mix` is the weight of each layer's output, the embeddings first.

    `normed` normalises each output over a whole text before it is mixed. `dtype` is the precision of the layers;
    embeddings, mixing and pooling are in fp32.
    """

    def __init__(
        self,
        weights: Mapping[str, torch.Tensor],
        shape: Shape,
        mix: Sequence[float],
        pooling: Pooling,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        normed: bool = False,
    ):
        self.shape, self.mix, self.pooling, self.device, self.dtype = shape, list(mix), pooling, device, dtype
        self.normed = normed
        self.depth = max((place for place, share in enumerate(mix) if share), default=0)
        self._weights = weights
        table = _PREFIX + "embeddings."
        self._words = self._get(table + "word_embeddings.weight", torch.float32)
        types = self._get(table + "token_type_embeddings.weight", torch.float32)
        self._positions = self._get(table + "position_embeddings.weight", torch.float32) + types[0]
        self._norm = self._pair(table + "LayerNorm", torch.float32)
        self._layers = [self._layer(f"{_PREFIX}encoder.layer.{place}.") for place in range(self.depth)]
        del self._weights

    @torch.inference_mode()
    def vectors(self, texts: Sequence[Sequence[int]]) -> torch.Tensor:
        """One vector per text; texts of equal length should follow one another.  # [texts, hidden]"""
        runs = _runs(texts)
        ids = torch.tensor(list(chain.from_iterable(texts)), device=self.device)
        kept = ids != self.shape.padding  # a text may spell the padding token: it is read, and not part of the mean
        whole = bool(kept.all())
        states = functional.embedding(ids, self._words)
        states += functional.embedding(self._places(kept, runs, whole), self._positions)
        states = self._normalised(states, self._norm).to(self.dtype)
        firsts = torch.cat([torch.arange(run.start, run.tokens.stop, run.length) for run in runs]).to(self.device)
        mixed = self._mixed(0, states, runs, firsts, None)
        for place, layer in enumerate(self._layers, start=1):
            last = place == self.depth and self.pooling == "first" and not self.normed
            states = self._through(layer, states, runs, firsts if last else None)
            mixed = (
                mixed.add_(states, alpha=self.mix[place]) if last else self._mixed(place, states, runs, firsts, mixed)
            )
        if self.pooling == "first":
            return mixed
        if not whole:
            mixed *= kept[:, None]
        means = [mixed[run.tokens].view(run.count, run.length, -1).mean(1) for run in runs]
        return torch.cat(means)

    def _mixed(
        self,
        place: int,
        states: torch.Tensor,
        runs: Sequence[Run],
        firsts: torch.Tensor,
        mixed: torch.Tensor | None,
    ) -> torch.Tensor:
        """`mixed` plus one layer's share, for the tokens that are pooled; in fp32."""
        if mixed is not None and not self.mix[place]:
            return mixed
        if self.normed:
            parts = []
            for run in runs:
                texts = states[run.tokens].view(run.count, -1).float()
                variance, mean = torch.var_mean(texts, dim=1, correction=0, keepdim=True)
                parts.append(((texts - mean) / torch.sqrt(variance + 1e-12)).view(-1, self.shape.hidden))
            states = torch.cat(parts)
        if self.pooling == "first":
            states = states[firsts]
        return states.float() * self.mix[place] if mixed is None else mixed.add_(states, alpha=self.mix[place])

    def _through(
        self, layer: Layer, states: torch.Tensor, runs: Sequence[Run], firsts: torch.Tensor | None
    ) -> torch.Tensor:
        """One layer; with `firsts`, only for the first tokens, which is all that is needed of the last layer."""
        wide, heads = self.shape.hidden, self.shape.heads
        answers, start = [], 0
        if firsts is None:
            seen = functional.linear(states, *layer.attend)
            for run in runs:
                parts = seen[run.tokens].view(run.count, run.length, 3, heads, -1).permute(2, 0, 3, 1, 4)
                answers.append(functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]))
        else:
            weight, bias = layer.attend
            seen = functional.linear(states, weight[wide:], bias[wide:])
            states = states[firsts]
            queries = functional.linear(states, weight[:wide], bias[:wide])
            for run in runs:
                parts = seen[run.tokens].view(run.count, run.length, 2, heads, -1).permute(2, 0, 3, 1, 4)
                query = queries[start : start + run.count].view(run.count, heads, 1, -1)
                answers.append(functional.scaled_dot_product_attention(query, parts[0], parts[1]))
                start += run.count
        found = torch.cat([answer.transpose(1, 2).reshape(-1, wide) for answer in answers])
        states = self._normalised(functional.linear(found, *layer.out).add_(states), layer.attended)
        inner = functional.gelu(functional.linear(states, *layer.up))
        return self._normalised(functional.linear(inner, *layer.down).add_(states), layer.done)

    def _places(self, kept: torch.Tensor, runs: Sequence[Run], whole: bool) -> torch.Tensor:
        """The position of each token, from one above the padding token's index as in XLM-RoBERTa; padding tokens do
        not count.
        """
        first = self.shape.padding + 1
        if whole:
            counts = [torch.arange(first, first + run.length).repeat(run.count) for run in runs]
            return torch.cat(counts).to(self.device)
        shown = [kept[run.tokens].view(run.count, run.length).long() for run in runs]
        return torch.cat([(one.cumsum(1) * one + self.shape.padding).flatten() for one in shown])

    def _normalised(self, states: torch.Tensor, norm: Weighted) -> torch.Tensor:
        return functional.layer_norm(states, (self.shape.hidden,), *norm, self.shape.epsilon)

    def _layer(self, start: str) -> Layer:
        parts = [self._pair(f"{start}attention.self.{name}", self.dtype) for name in ("query", "key", "value")]
        return Layer(
            attend=(torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])),
            out=self._pair(start + "attention.output.dense", self.dtype),
            attended=self._pair(start + "attention.output.LayerNorm", self.dtype),
            up=self._pair(start + "intermediate.dense", self.dtype),
            down=self._pair(start + "output.dense", self.dtype),
            done=self._pair(start + "output.LayerNorm", self.dtype),
        )

    def _pair(self, name: str, dtype: torch.dtype) -> Weighted:
        return self._get(f"{name}.weight", dtype), self._get(f"{name}.bias", dtype)

    def _get(self, name: str, dtype: torch.dtype) -> torch.Tensor:
        return self._weights[name].to(self.device, dtype)


def _runs(texts: Sequence[Sequence[int]]) -> list[Run]:
    runs, start = [], 0
    for length, some in groupby(map(len, texts)):
        runs.append(Run(start, sum(1 for _ in some), length))
        start += runs[-1].count * length
    return runs
