"""Packing documents into rows of one length, each attending only to itself; shapes never change, so compiled code fits.

On a CPU torch's own attention is slow in training (see `models/attention.py`); plain products in blocks of queries,
each looking back only, take half as long as whole rows would.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AttentionInterface

BLOCKS = "dragoman_blocks"
BLOCK = 128  # queries
OPEN = 48  # rows that wait for a document that fits
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Rows:
    """Packed documents. `owners` numbers the documents of a row from 1; 0 is padding. `left_out` were too long."""

    ids: NDArray[np.uint16]  # [rows, width]
    owners: NDArray[np.uint8]  # [rows, width]
    left_out: int

    def __len__(self) -> int:
        return len(self.ids)


def pack(documents: Sequence[Sequence[int]], width: int) -> Rows:
    """Puts each document whole into the fullest open row that it fits in, in the order given."""
    rows: list[list[Sequence[int]]] = []
    waiting: list[tuple[int, int]] = []  # (free, row)
    left_out = 0
    for document in documents:
        length = len(document)
        if length > width:
            left_out += 1
            continue
        fitting = [place for place in waiting if place[0] >= length]
        if fitting:
            free, row = min(fitting)
            waiting.remove((free, row))
        else:
            free, row = width, len(rows)
            rows.append([])
        rows[row].append(document)
        waiting.append((free - length, row))
        if len(waiting) > OPEN:
            waiting.remove(min(waiting))
    ids = np.zeros((len(rows), width), dtype=np.uint16)
    owners = np.zeros((len(rows), width), dtype=np.uint8)
    for number, row_documents in enumerate(rows):
        start = 0
        for owner, document in enumerate(row_documents, 1):
            ids[number, start : start + len(document)] = document
            owners[number, start : start + len(document)] = owner
            start += len(document)
    return Rows(ids, owners, left_out)


def weights_of(
    ids: torch.Tensor, owners: torch.Tensor, assistant: int, others: Sequence[int], rest: torch.Tensor
) -> torch.Tensor:
    """The weight of the prediction after each token: 1 in the assistant's turns, `rest` in other turns, 0 for padding.

    Texts that are not conversations count 1. `assistant` and `others` are the tokens that begin turns. [rows, width]
    """
    place = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    starts = torch.zeros_like(ids, dtype=torch.bool)
    for token in others:
        starts |= ids == token
    said = torch.where(ids == assistant, place, -1).cummax(1).values
    asked = torch.where(starts, place, -1).cummax(1).values
    begun = torch.zeros_like(starts)
    begun[:, 1:] = owners[:, 1:] != owners[:, :-1]
    first = torch.where(begun, place, 0).cummax(1).values
    return torch.where((asked >= first) & (asked > said), rest, torch.ones_like(rest)) * (
        targets_of(ids, owners) != IGNORED
    )


def mask_of(owners: torch.Tensor) -> torch.Tensor:
    """Who sees whom: the earlier tokens of the same document. [rows, width] → [rows, 1, width, width]"""
    width = owners.shape[1]
    past = torch.ones(width, width, dtype=torch.bool, device=owners.device).tril()
    return ((owners[:, :, None] == owners[:, None, :]) & past)[:, None]


def targets_of(ids: torch.Tensor, owners: torch.Tensor) -> torch.Tensor:
    """The next token of the same document; IGNORED at its end and in the padding. [rows, width]"""
    targets = torch.full_like(ids, IGNORED)
    inside = (owners[:, 1:] == owners[:, :-1]) & (owners[:, 1:] > 0)
    targets[:, :-1] = torch.where(inside, ids[:, 1:], IGNORED)
    return targets


def in_blocks(
    module: torch.nn.Module,
    query: torch.Tensor,  # [rows, heads, width, size]
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,  # [rows, 1, width, width]
    scaling: float,
    dropout: float = 0.0,
    **extra: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention, a block of queries at a time over the keys up to its end."""
    mixed = []
    for start in range(0, query.shape[2], BLOCK):
        end = min(start + BLOCK, query.shape[2])
        scores = query[:, :, start:end] @ key[:, :, :end].mT * scaling
        scores = scores.masked_fill(~attention_mask[:, :, start:end, :end], -30000.0)
        mixed.append(scores.float().softmax(-1).to(value.dtype) @ value[:, :, :end])
    return torch.cat(mixed, dim=2).transpose(1, 2).contiguous(), None


AttentionInterface.register(BLOCKS, in_blocks)
