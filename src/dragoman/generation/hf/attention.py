"""Fast decoding on the CPU: attention for a single query, and a key-value cache with room to grow.

torch's fused attention is made for many queries at once; for a decoding step's single query, two batched products are
five times as fast. And the usual cache copies everything at every step; one with spare room copies only now and then.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from transformers import AttentionInterface, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "dragoman_decode"
SPARE = 32  # tokens


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """Keys and values in buffers with spare room at the end, which the causal mask hides."""

    is_compileable = True  # says that the mask must always be made, for it hides the spare room

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        start, self.length = self.length, self.length + key_states.shape[2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            room = self.length + SPARE
            self.keys, self.values = _with_room(key_states, room), _with_room(value_states, room)
            return key_states, value_states
        if (room := self._room(key_states.shape[2], start)) > self.keys.shape[2]:
            self.keys, self.values = _with_room(self.keys, room), _with_room(self.values, room)
        self.keys[:, :, start : self.length] = key_states
        self.values[:, :, start : self.length] = value_states
        return self.keys, self.values

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """The number of keys that the next `update` returns, and the offset of the first."""
        if not self.is_initialized:
            return query_length, 0
        return self._room(query_length, self.length), 0

    def _room(self, new: int, seen: int) -> int:
        """The width of the buffers that hold so many new tokens after those seen."""
        room: int = self.keys.shape[2]
        return room if seen + new <= room else seen + new + SPARE - 1

    def get_seq_length(self) -> int:
        return self.length


def new_cache(model: PreTrainedModel) -> DynamicCache:
    """A cache for one batch, with spare room if the model decodes with two products (see `decoding`)."""
    cache = DynamicCache(config=model.config)
    if _decodes_here(model) and all(type(layer) is DynamicLayer for layer in cache.layers):
        cache.layers = [RoomyLayer() for _ in cache.layers]
    return cache


def decode_attention(
    module: torch.nn.Module,
    query: torch.Tensor,  # [rows, heads, new, size]
    key: torch.Tensor,  # [rows, key heads, seen, size]
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,  # [rows, 1, new, seen], true where attended
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: object,
) -> tuple[torch.Tensor, None]:
    """Same result as `sdpa`, up to rounding: softmax(q k / sqrt(size)) v."""
    if query.shape[2] != 1 or more.get("position_bias") is not None:
        fused: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **more
        )
        return fused
    rows, heads, _, size = query.shape
    grouped = query.reshape(rows, key.shape[1], heads // key.shape[1], size)  # heads that share keys become queries
    scores = torch.matmul(grouped, key.transpose(2, 3)).float()
    scores *= size**-0.5 if scaling is None else scaling
    if attention_mask is not None:
        scores.masked_fill_(~attention_mask, -torch.inf)
    mixed = torch.matmul(scores.softmax(dim=-1).to(value.dtype), value)  # [rows, key heads, group, size]
    return mixed.reshape(rows, 1, heads, value.shape[3]), None


@contextmanager
def decoding(model: PreTrainedModel) -> Iterator[None]:
    """Within the block, a model on the CPU that uses `sdpa` decodes with two batched products instead."""
    if not _decodes_here(model):
        yield
        return
    model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation("sdpa")


def _decodes_here(model: PreTrainedModel) -> bool:
    """Whether that applies. Not with positions as a bias on the scores (ALiBi): it has no spare room."""
    if getattr(model.config, "alibi", False):
        return False
    return model.device.type == "cpu" and model.config._attn_implementation in ("sdpa", NAME)


def can_share(cache: DynamicCache) -> bool:
    """Whether rows may begin with keys and values computed once, and padding may lie behind them.

    A sliding window counts padding as tokens, and would end too early.
    """
    return all(isinstance(layer, RoomyLayer) for layer in cache.layers)


def _with_room(states: torch.Tensor, room: int) -> torch.Tensor:
    rows, heads, length, size = states.shape
    roomy = states.new_zeros(rows, heads, room, size)
    roomy[:, :, :length] = states
    return roomy


AttentionInterface.register(NAME, decode_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
