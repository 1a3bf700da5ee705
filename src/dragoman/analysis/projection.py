"""Projection: gradients of any size as vectors of a fixed one, by a seeded random sketch that is applied row by row.

LESS projects with a dense matrix of random signs. For 200 million weights and 8,192 numbers that is 1.6e12 products
for each layer of each example, and a matrix too large for any memory. Here every entry has one random sign and one
place in the result: the entries are cut into rows as long as the result, each row is rotated by a random number of
places, and the rows are summed. That is a count sketch (feature hashing) whose places come from one random number per
row: one pass, a few bytes of randomness, nothing to keep.

Inner products are right on average, whatever the entries, because the signs are independent. Two entries of different
rows collide with a probability of 1 / dimension, two of one row never, so the variance of an inner product, (|x|²|y|²
+ (x·y)²) / dimension at most, is that of the dense matrix: a cosine is off by (1 - cosine²) / √dimension or less,
which is 0.011 for 8,192. Without the rotations, a column of a weight that stands out, as some do in language models,
would always fall on the same place.

The random numbers are a function of the seed, the name of the parameter and the place in it (the mixing step of
SplitMix64 on a counter). So they are the same on every device and for every block size, and what is projected in
pieces can be summed: the projection is linear.
"""

import hashlib
import math
from dataclasses import dataclass, field

import torch

from dragoman.errors import DragomanError

# Entries that are projected at once: on a processor a block should stay in its cache.
BLOCK = {"cpu": 1 << 18}
ACCELERATOR_BLOCK = 1 << 24
KEPT = 1 << 23  # entries whose signs and places are kept for the next example: all of a small model's
_LEAST = 64  # signs come in words of 64
_WORD = (1 << 64) - 1


class ProjectionError(DragomanError, ValueError):
    """A projection that cannot be made as asked."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A random projection to `dimension` numbers, which is a power of two; the seed decides which."""

    dimension: int
    seed: int = 0
    _kept: dict[tuple[str, int, str], tuple[torch.Tensor, torch.Tensor]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.dimension < _LEAST or self.dimension & (self.dimension - 1):
            raise ProjectionError(
                f"the dimension of a projection is a power of two from {_LEAST} on, and {self.dimension} is not; "
                f"take {1 << max(6, round(math.log2(max(self.dimension, 1))))}"
            )

    @property
    def error(self) -> float:
        """How far a cosine near 0 is off: the standard deviation."""
        return 1 / math.sqrt(self.dimension)

    def size(self, entries: int) -> int:
        """How many numbers so many entries become."""
        return self.dimension

    def add(self, values: torch.Tensor, name: str, into: torch.Tensor, at: int = 0) -> None:
        """Adds the projection of a parameter's gradient to `into` [dimension], in fp32; `at` is for exact vectors."""
        flat = values.reshape(-1)
        block = max(self.dimension, BLOCK.get(flat.device.type, ACCELERATOR_BLOCK))
        for start in range(0, len(flat), block):
            piece = flat[start : start + block].float()
            if rest := -len(piece) % self.dimension:
                piece = torch.nn.functional.pad(piece, (0, rest))
            rows = piece.view(-1, self.dimension)
            signs, places = self._drawn(name, start // self.dimension, len(rows), flat.device)
            into += (rows * signs).gather(1, places).sum(0)

    def _drawn(self, name: str, first: int, rows: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """The signs of the entries, [rows, dimension], and which entry of its row comes to each place."""
        key = (name, first, str(device))
        if key in self._kept:
            return self._kept[key]
        words = self.dimension // 64
        numbers = torch.arange(first * words, (first + rows) * words, device=device)
        bits = mixed(numbers, _start(self.seed, name, "signs")).view(torch.uint8).view(-1, 1)
        ones = (bits >> torch.arange(8, dtype=torch.uint8, device=device)) & 1
        signs = ones.view(rows, self.dimension).float().mul_(-2).add_(1)
        shifts = mixed(torch.arange(first, first + rows, device=device), _start(self.seed, name, "shifts"))
        places = (torch.arange(self.dimension, device=device) + shifts[:, None]) & (self.dimension - 1)
        if signs.numel() + sum(kept.numel() for kept, _ in self._kept.values()) <= KEPT:
            self._kept[key] = (signs, places)
        return signs, places


@dataclass(frozen=True, slots=True)
class Exact:
    """No projection: a group's gradient as it is, all of its parameters concatenated. For small models."""

    error: float = 0.0

    def size(self, entries: int) -> int:
        return entries

    def add(self, values: torch.Tensor, name: str, into: torch.Tensor, at: int = 0) -> None:
        """Writes a parameter's gradient to its place in `into`, which begins at `at`."""
        into[at : at + values.numel()] += values.reshape(-1).float()


Projection = Sketch | Exact


def mixed(numbers: torch.Tensor, start: int) -> torch.Tensor:
    """A random int64 for each number: SplitMix64, whose state after n steps is known without the steps before."""
    word = (numbers + 1) * _signed(0x9E3779B97F4A7C15) + _signed(start)
    word = (word ^ _right(word, 30)) * _signed(0xBF58476D1CE4E5B9)
    word = (word ^ _right(word, 27)) * _signed(0x94D049BB133111EB)
    return word ^ _right(word, 31)


def _right(word: torch.Tensor, by: int) -> torch.Tensor:
    """A logical shift to the right (zeros come in, as for unsigned numbers)."""
    return (word >> by) & ((1 << (64 - by)) - 1)


def _signed(word: int) -> int:
    word &= _WORD
    return word - (1 << 64) if word >> 63 else word


def _start(seed: int, *names: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()[:8], "little")
