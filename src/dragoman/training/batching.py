"""Batches: which examples make up an optimizer step, and how a step is cut into micro-batches.

A step is exactly `batch_size` examples, drawn at random, as in the papers, and those of replay beside them. It does not
depend on memory, the number of devices, or padding. Only within a step are examples sorted by length, so that
micro-batches waste little on padding (or nothing, if they are packed end to end).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

from dragoman.prompts.examples import ExampleRow, ExampleTable
from dragoman.recipe.training import SegmentTraining, Training
from dragoman.training.curriculum import Course
from dragoman.training.losses.preference import branches, halves

# What a forward and backward pass costs beside its tokens, in tokens: one more micro-batch is worth
# it where it saves more padding than this. Measured on two cores with 5M parameters.
OVERHEAD = 256

TOGETHER = 256  # examples that the micro-batches of one pass are cut from


class Stored(NamedTuple):
    """What the backbone found likely at some of the trained tokens when it wrote them."""

    which: torch.Tensor  # [trained], at which of them
    ids: torch.Tensor  # [stored, K]
    logprobs: torch.Tensor  # [stored, K]; -inf where there are fewer than K


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
    soft: torch.Tensor | None = None  # [trained], which learn the backbone's distribution; None: no device asks it
    stored: Stored | None = None  # those that learn what was stored of it; None: there are none
    branches: torch.Tensor | None = None  # [trained], whose they are of two answers (`losses.preference`)

    def to(self, device: torch.device) -> "Micro":
        def moved(part: torch.Tensor) -> torch.Tensor:
            return part.to(device, non_blocking=True)

        there = {one.name: part for one in fields(self) if (part := getattr(self, one.name)) is not None}
        each: dict[str, Any] = {
            name: Stored(*map(moved, part)) if name == "stored" else moved(part) for name, part in there.items()
        }
        return replace(self, **each)


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step as one device sees it. `total`, `tokens` and `examples` count all devices together."""

    micros: tuple[Micro, ...]
    total: float  # the sum of the weights of all trained tokens of the task, which the mean divides by
    tokens: int
    examples: int
    preferences: int = 0  # how many of these have a chosen and a rejected answer


class Mixture:
    """What a training learns: examples, and those of replay behind them, their segments weighted as the settings say.

    In replay whatever follows a prompt is the segment `replay`, ends as well. Balance is between the others.
    """

    def __init__(self, examples: ExampleTable, replay: ExampleTable | None, settings: Training):
        self.tables = (examples, *([replay] if replay else []))
        own = [["prompt" if name == "prompt" else "replay" for name in table.names] for table in self.tables[1:]]
        self._named = (examples.names, *own)
        self.names = list(dict.fromkeys(name for names in self._named for name in names))
        self._recodes = [np.array([self.names.index(name) for name in names], dtype=np.uint8) for names in own]
        self.said = [settings.segments.get(name, SegmentTraining()) for name in self.names]
        self._weights = np.array([np.nan if one.weight is None else one.weight for one in self.said], dtype=np.float32)
        self.soft = np.array([one.labels == "soft" for one in self.said], dtype=bool)
        self.stored = np.array([one.labels == "stored" for one in self.said], dtype=bool)
        self.asked = self.soft | np.array([one.gate == "mask_target" for one in self.said], dtype=bool)
        self._gone: Sequence[NDArray[np.bool_]] = ()
        self._balanced = settings.balance == "examples"

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    @property
    def rejected(self) -> int | None:
        """The segment of rejected answers; None if no example has one."""
        return self.names.index("rejected") if "rejected" in self.names else None

    def with_logprobs(self, segment: str) -> tuple[int, int]:
        """How many tokens of a segment have log-probabilities, and how many are trained."""
        kept = trained = 0
        for table, names in zip(self.tables, self._named, strict=True):
            counts = zip(names, table.with_logprobs().values(), table.trained()[0].values(), strict=True)
            of = [(likely, count) for name, likely, count in counts if name == segment]
            kept, trained = kept + sum(likely for likely, _ in of), trained + sum(count for _, count in of)
        return kept, trained

    def __getitem__(self, index: int) -> ExampleRow:
        first = len(self.tables[0])
        if index < first:
            row = self.tables[0][index]
        else:
            row = self.tables[1][index - first]
            row = replace(row, segments=self._recodes[0][row.segments], replay=True)
        given = self._weights[row.segments]
        if not np.isnan(given).all():
            row = replace(row, weights=np.where(np.isnan(given), row.weights, given))
        if self._gone and not row.replay:
            row = replace(row, weights=np.where(self._gone[index], np.float32(0), row.weights))
        return self._balance(row) if self._balanced and not row.replay else row

    def leave_out(self, tokens: NDArray[np.bool_]) -> None:
        """Has no loss on these tokens of the task, one example after another."""
        self._gone = np.split(tokens, np.cumsum(self.tables[0].lengths)[:-1])

    def _balance(self, row: ExampleRow) -> ExampleRow:
        """The example with the weights of each segment divided by the number of its trained tokens; ends belong to the
        segment before them.
        """
        kinds = np.array([name != "end" for name in self.names])[row.segments]
        parts = row.segments[np.maximum.accumulate(np.where(kinds, np.arange(len(kinds)), 0))]
        live = row.weights > 0
        live[0] = False
        counts = np.bincount(parts[live], minlength=len(self.names)).clip(min=1)
        return replace(row, weights=row.weights / counts[parts].astype(np.float32))


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """Which examples of replay a step takes: `rate` on average, one permutation of all of them after another."""

    examples: int
    rate: float
    seed: int

    @classmethod
    def of(cls, share: float, mixture: Mixture, steps: int, seed: int) -> "ReplayOrder":
        """So many a step that about a `share` of the tokens of an epoch of so many `steps` is replay; at least one."""
        examples, replay = mixture.tables
        tokens = float(examples.lengths.sum()) / steps * share / (1 - share)
        return cls(len(replay), max(1.0, tokens / float(replay.lengths.mean())), seed)

    def at(self, step: int) -> list[int]:
        """The examples of a step, which the first is 0 of."""
        drawn = range(math.floor(step * self.rate), math.floor((step + 1) * self.rate))
        return [int(_permutation(self.seed, n // self.examples, self.examples)[n % self.examples]) for n in drawn]


@lru_cache(maxsize=2)
def _permutation(seed: int, number: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, number, 1)).permutation(count)


class Order(Sampler[list[int]]):
    """The examples of each step of an epoch: a new permutation every epoch, with the remainder as a last, smaller
    step. A `course` is the order of the first. Replay goes on from epoch to epoch; its examples are numbered behind the
    others.
    """

    def __init__(
        self,
        examples: int,
        batch_size: int,
        seed: int,
        replay: ReplayOrder | None = None,
        course: Course | None = None,
    ):
        self.examples, self.batch_size, self.seed, self.replay = examples, batch_size, seed, replay
        self.course = course
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.examples // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        if self.course and self.epoch == 0:
            order = self.course.order
        else:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.examples)
        for number, start in enumerate(range(0, self.examples, self.batch_size), self.epoch * len(self)):
            again = self.replay.at(number) if self.replay else []
            yield order[start : start + self.batch_size].tolist() + [self.examples + index for index in again]


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
    replay: float = 1.0  # the weight of replay's mean beside the task's
    soft: NDArray[np.bool_] | None = None  # [segments], which learn the backbone's distribution; None: none
    stored: NDArray[np.bool_] | None = None  # [segments], which learn what was stored of it; None: none
    asked: NDArray[np.bool_] | None = None  # [segments], for which the backbone is asked; None: those that are soft
    rejected: int | None = None  # the segment of rejected answers, which are no part of the mean; None: there are none

    def __call__(self, rows: Sequence[ExampleRow]) -> Step:
        total = _weight((row for row in rows if not row.replay), self.rejected)
        if again := _weight(row for row in rows if row.replay):
            scale = np.float32(self.replay * total / again)
            rows = [replace(row, weights=row.weights * scale) if row.replay else row for row in rows]
        lengths = np.array([len(row.ids) for row in rows])
        groups = share(split(lengths, self.batch_tokens, self.line > 0), lengths, self.devices)
        whole = [[rows[index] for index in group] for group in groups[self.device :: self.devices]]
        parts = [[half for row in part for half in halves(row, self.rejected)] for part in whole]
        micros = [pack(part, self.line) if self.line else pad(part) for part in parts]
        if (stored := self.stored) is not None:
            both = zip(micros, parts, strict=True)
            micros = [replace(micro, stored=_stored(part, stored)) for micro, part in both]
        if self.rejected is not None:
            each = zip(micros, whole, strict=True)
            micros = [replace(micro, branches=branches(part, self.rejected)) for micro, part in each]
        blank = _blank(micros[0] if micros else pad(halves(rows[0], self.rejected)))
        micros += [blank] * (-(-len(groups) // self.devices) - len(micros))
        if self.soft is not None:
            rounds = (groups[at : at + self.devices] for at in range(0, len(groups), self.devices))
            asked = [any(self._asks(rows[index]) for group in some for index in group) for some in rounds]
            soft = torch.from_numpy(self.soft)
            micros = [
                replace(micro, soft=soft[micro.segments] if some else None)
                for micro, some in zip(micros, asked, strict=True)
            ]
        preferences = sum(len(halves(row, self.rejected)) > 1 for row in rows)
        return Step(tuple(micros), total or 1.0, int(lengths.sum()), len(rows), preferences)

    def _asks(self, row: ExampleRow) -> bool:
        """Whether the backbone is asked for some token."""
        asked = self.soft if self.asked is None else self.asked
        assert asked is not None
        return bool(asked[row.segments[1:][row.weights[1:] > 0]].any())


def _weight(rows: Iterable[ExampleRow], but: int | None = None) -> float:
    """The sum of the weights of all trained tokens, without those of one segment."""
    each = (row.weights[1:] if but is None else row.weights[1:] * (row.segments[1:] != but) for row in rows)
    return sum(float(weights.sum(dtype=np.float64)) for weights in each)


def micros(examples: ExampleTable | Sequence[ExampleRow], batcher: Batcher, device: torch.device) -> Iterator[Micro]:
    """All examples once, those of similar length together, in micro-batches that fit into the memory of a device."""
    order = np.argsort([len(examples[index].ids) for index in range(len(examples))], kind="stable").tolist()
    for start in range(0, len(order), TOGETHER):
        for micro in batcher([examples[index] for index in order[start : start + TOGETHER]]).micros:
            yield micro.to(device)


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


def _stored(rows: Sequence[ExampleRow], asked: NDArray[np.bool_]) -> Stored | None:
    """What was stored at the trained tokens of the segments that are `asked` for; None where nothing was."""
    which, kept = [], []
    for row in rows:
        here = np.zeros(len(row.ids), dtype=bool)
        if row.likely:
            places = row.likely.places
            taken = asked[row.segments[places]] & (row.weights[places] != 0) & (places > 0)
            here[places[taken]] = True
            kept.append((row.likely.ids[taken], row.likely.logprobs[taken]))
        which.append(here[1:][row.weights[1:] != 0])
    shape = sum(len(ids) for ids, _ in kept), max((ids.shape[1] for ids, _ in kept), default=0)
    if not shape[0]:
        return None
    ids, logprobs = np.zeros(shape, dtype=np.int64), np.full(shape, -np.inf, dtype=np.float32)
    at = 0
    for some, values in kept:
        ids[at : at + len(some), : some.shape[1]], logprobs[at : at + len(some), : some.shape[1]] = some, values
        at += len(some)
    return Stored(*map(torch.from_numpy, (np.concatenate(which), ids, logprobs)))


def _blank(micro: Micro) -> Micro:
    """The same micro-batch with zero weights, so that it adds nothing to the gradient."""
    return replace(micro, weights=torch.zeros_like(micro.weights), soft=None, stored=None, branches=None)
