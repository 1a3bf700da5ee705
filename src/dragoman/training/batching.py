"""Batches: which examples make up an optimizer step, and how a step is cut into micro-batches.

A step is exactly `batch_size` examples, drawn at random, as in the papers; it does not depend on memory, the number
of devices, or padding. Only within a step are examples sorted by length, so that micro-batches waste little on
padding (or nothing, if they are packed end to end).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

from dragoman.prompts.examples import ExampleRow

# What a forward and backward pass costs beside its tokens, in tokens: one more micro-batch is worth
# it where it saves more padding than this. Measured on two cores with 5M parameters.
OVERHEAD = 256


@dataclass(frozen=True, slots=True)
class Micro:
    """A micro-batch: what goes through the model at once.

    `positions` are the places in the flattened ids from which a trained token is predicted; `targets`, `weights` and
    `segments` describe that next token.
    """

    ids: torch.Tensor  # [rows, width]
    places: torch.Tensor | None  # [rows, width], position ids that start again with every packed example
    positions: torch.Tensor  # [trained]
    targets: torch.Tensor  # [trained]
    weights: torch.Tensor  # [trained]
    segments: torch.Tensor  # [trained]

    def to(self, device: torch.device) -> "Micro":
        places = None if self.places is None else self.places.to(device, non_blocking=True)
        rest = (self.positions, self.targets, self.weights, self.segments)
        ids = self.ids.to(device, non_blocking=True)
        return Micro(ids, places, *(part.to(device, non_blocking=True) for part in rest))


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step as one device sees it. `total`, `tokens` and `examples` count all devices together."""

    micros: tuple[Micro, ...]
    total: float  # the sum of the weights of all trained tokens, which the mean divides by
    tokens: int
    examples: int


class Order(Sampler[list[int]]):
    """The examples of each step of an epoch: a new permutation every epoch, with the remainder as a last, smaller
    step.
    """

    def __init__(self, examples: int, batch_size: int, seed: int):
        self.examples, self.batch_size, self.seed = examples, batch_size, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.examples // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.examples)
        for start in range(0, self.examples, self.batch_size):
            yield order[start : start + self.batch_size].tolist()


@dataclass(frozen=True, slots=True)
class Batcher:
    """Makes one device's part of a step from the examples of the whole step.

    All devices get the same number of micro-batches, since devices that shard a model wait for each other in every
    pass.
    """

    batch_tokens: int
    line: int = 0  # width of the lines that examples are packed into; 0: not packed
    device: int = 0
    devices: int = 1

    def __call__(self, rows: Sequence[ExampleRow]) -> Step:
        lengths = np.array([len(row.ids) for row in rows])
        groups = share(split(lengths, self.batch_tokens, self.line > 0), lengths, self.devices)
        parts = [[rows[index] for index in group] for group in groups[self.device :: self.devices]]
        micros = [pack(part, self.line) if self.line else pad(part) for part in parts]
        blank = _blank(micros[0] if micros else pad([rows[0]]))
        micros += [blank] * (-(-len(groups) // self.devices) - len(micros))
        total = sum(float(row.weights[1:].sum(dtype=np.float64)) for row in rows)
        return Step(tuple(micros), total, int(lengths.sum()), len(rows))


def split(lengths: NDArray[np.int64], budget: int, packed: bool) -> list[list[int]]:
    """Groups examples of similar length within the token budget, so that they cost the least to compute.

    An example longer than the budget is a group of its own.
    """
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    count = len(order)
    if packed:
        groups: list[list[int]] = []
        room = 0
        for index in order.tolist():
            if not groups or lengths[index] > room:
                groups.append([])
                room = budget
            groups[-1].append(index)
            room -= int(lengths[index])
        return groups
    # best[i]: the least cost of the i longest examples; a group costs its width times its rows.
    best = np.zeros(count + 1)
    cut = np.zeros(count + 1, dtype=np.int64)
    for end in range(1, count + 1):
        sizes = ordered[:end] * np.arange(end, 0, -1)
        costs = np.where((sizes <= budget) | (np.arange(end) == end - 1), best[:end] + sizes + OVERHEAD, np.inf)
        cut[end] = int(np.argmin(costs))
        best[end] = costs[cut[end]]
    groups = []
    end = count
    while end:
        groups.insert(0, order[cut[end] : end].tolist())
        end = int(cut[end])
    return groups


def share(groups: list[list[int]], lengths: NDArray[np.int64], devices: int) -> list[list[int]]:
    """The same groups, with the heaviest split in half until every device has equally many."""
    groups = sorted(groups, key=lambda group: -int(lengths[group].sum()))
    while len(groups) % devices and len(groups[0]) > 1:
        first = groups.pop(0)
        groups += [first[0::2], first[1::2]]
        groups.sort(key=lambda group: (len(group) == 1, -int(lengths[group].sum())))
    return sorted(groups, key=lambda group: -int(lengths[group].sum()))


def pad(rows: Sequence[ExampleRow]) -> Micro:
    """A micro-batch with one example per row, padded on the right.

    There is no attention mask: attention is causal, so no token sees the padding to its right.
    """
    width = max(len(row.ids) for row in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = row.ids
    return _micro(ids, None, rows, [at * width for at in range(len(rows))])


def pack(rows: Sequence[ExampleRow], line: int) -> Micro:
    """A micro-batch with examples end to end, in lines wide enough for the longest.

    Position ids that start again with every example separate them: the attention derives a block-diagonal mask from
    these.
    """
    width = min(max(line, *(len(row.ids) for row in rows)), sum(len(row.ids) for row in rows))
    filled: list[int] = []
    starts = []
    for row in rows:
        at = next((number for number, used in enumerate(filled) if used + len(row.ids) <= width), len(filled))
        if at == len(filled):
            filled.append(0)
        starts.append(at * width + filled[at])
        filled[at] += len(row.ids)
    ids = np.zeros(len(filled) * width, dtype=np.int64)
    places = np.tile(np.arange(width), len(filled))
    for start, row in zip(starts, rows, strict=True):
        ids[start : start + len(row.ids)] = row.ids
        places[start : start + len(row.ids)] = np.arange(len(row.ids))
    for number, used in enumerate(filled):
        places[number * width + used : (number + 1) * width] = np.arange(width - used)
    return _micro(ids.reshape(-1, width), torch.from_numpy(places.reshape(-1, width)), rows, starts)


def _micro(
    ids: NDArray[np.int64], places: torch.Tensor | None, rows: Sequence[ExampleRow], starts: Sequence[int]
) -> Micro:
    trained = [np.flatnonzero(row.weights[1:]) for row in rows]
    positions = np.concatenate([start + places for start, places in zip(starts, trained, strict=True)])

    def gather(name: str, kind: type) -> torch.Tensor:
        parts = [getattr(row, name)[1:][at] for row, at in zip(rows, trained, strict=True)]
        return torch.from_numpy(np.concatenate(parts).astype(kind))

    return Micro(
        torch.from_numpy(ids),
        places,
        torch.from_numpy(positions),
        gather("ids", np.int64),
        gather("weights", np.float32),
        gather("segments", np.int64),
    )


def _blank(micro: Micro) -> Micro:
    """The same micro-batch with zero weights, so that it adds nothing to the gradient."""
    return Micro(
        micro.ids, micro.places, micro.positions, micro.targets, torch.zeros_like(micro.weights), micro.segments
    )
