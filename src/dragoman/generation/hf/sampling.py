"""Choosing the next token: greedily, or drawn with random numbers of each row's own.

A row's numbers come from the seed, the prompt's ids and the step, through a counter-based generator; so a completion
depends neither on the rest of its batch nor on the order of the prompts.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from dragoman.generation.ask import Ids, Sampling

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def uniforms(keys: NDArray[np.uint64], step: int) -> NDArray[np.float64]:
    """One number in [0, 1) for each key at this step (SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = keys + _GOLDEN * np.uint64(step + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def choose(
    logits: torch.Tensor,
    sampling: Sampling,
    keys: NDArray[np.uint64],
    step: int,
    among: Sequence[tuple[list[int], Ids]] = (),
) -> torch.Tensor:
    """The next token of each row. `logits` are [rows, vocab]; `keys` has one key a row.

    `among` maps groups of rows to the tokens that they may take; if given, it must cover every row.
    """
    if among:
        logits = limited(logits, among)
    if sampling.ban_first and 0 <= step - int(sampling.heal) < sampling.ban_tokens:
        logits = logits.index_fill(1, torch.tensor(sampling.ban_first, device=logits.device), -torch.inf)
    if sampling.temperature == 0:
        if logits.device.type == "cpu":  # numpy's is twenty times as fast there
            return torch.from_numpy(logits.float().numpy().argmax(axis=-1))
        return logits.argmax(dim=-1)
    chances = filtered(logits.float() / sampling.temperature, sampling)
    total = chances.cumsum(dim=-1, dtype=torch.float64)  # [rows, vocab]
    drawn = torch.from_numpy(uniforms(keys, step)).to(logits.device)[:, None] * total[:, -1:]
    return torch.searchsorted(total, drawn, right=True).clamp_(max=logits.shape[1] - 1)[:, 0]


def limited(logits: torch.Tensor, among: Sequence[tuple[list[int], Ids]]) -> torch.Tensor:
    """The logits of the tokens that each group of rows may take; all others become minus infinity."""
    left = torch.full_like(logits, -torch.inf)
    for rows, tokens in among:
        place = torch.tensor(rows, device=logits.device)[:, None], torch.tensor(tokens, device=logits.device)
        left[place] = logits[place]
    return left


def filtered(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Probabilities after `top_k` and then `top_p`: what they exclude becomes zero. Not normalised again.

    `top_p` keeps the smallest set of most likely tokens whose probabilities sum to at least `top_p`.
    """
    if 0 < sampling.top_k < logits.shape[1]:
        least = logits.topk(sampling.top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    chances = logits.softmax(dim=-1)
    if sampling.top_p < 1:
        ordered = chances.sort(dim=-1, descending=True).values
        kept = ordered.cumsum(dim=-1, dtype=torch.float64) - ordered < sampling.top_p
        kept[:, 0] = True
        least = ordered.masked_fill(~kept, torch.inf).amin(dim=-1, keepdim=True)
        chances = chances.masked_fill(chances < least, 0)
    return chances


def most_likely(logits: torch.Tensor, count: int) -> list[tuple[tuple[int, float], ...]]:
    """For each row the `count` most likely tokens with the model's own log-probabilities."""
    values, ids = logits.float().log_softmax(dim=-1).topk(min(count, logits.shape[1]), dim=-1)
    return [tuple(zip(*row, strict=True)) for row in zip(ids.tolist(), values.tolist(), strict=True)]


def key_array(keys: Sequence[int]) -> NDArray[np.uint64]:
    return np.array(keys, dtype=np.uint64)
