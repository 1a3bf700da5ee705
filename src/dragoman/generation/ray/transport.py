"""Shards in transit between processes: flat arrays instead of a hundred thousand small tuples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from dragoman.generation.ask import Completion, Finish, Ids, Sampling


@dataclass(frozen=True, slots=True)
class Runs:
    """Many lists of token ids, concatenated, and where each ends."""

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[Ids]) -> "Runs":
        ids = np.fromiter(chain.from_iterable(texts), dtype=np.int32)
        return cls(ids, np.cumsum([len(text) for text in texts], dtype=np.int64))

    def tuples(self) -> list[Ids]:
        ids = self.ids.tolist()
        bounds = [0, *self.ends.tolist()]
        return [tuple(ids[start:end]) for start, end in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class Work:
    """A shard of an ask: its prompts, and the index of the first."""

    start: int
    prompts: Runs
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Done:
    """A shard's completions as arrays; log-probabilities are concatenated, one generated token after another."""

    start: int
    ids: Runs
    rest: list[tuple[str, Finish, float, str]]  # text, finish, seconds, why
    likely: Runs | None
    values: NDArray[np.float32]

    @classmethod
    def of(cls, work: Work, completions: Sequence[Completion]) -> "Done":
        steps = [step for completion in completions for step in completion.logprobs or ()]
        return cls(
            work.start,
            Runs.of([completion.ids for completion in completions]),
            [(each.text, each.finish, each.seconds, each.why) for each in completions],
            Runs.of([tuple(token for token, _ in step) for step in steps]) if work.sampling.logprobs else None,
            np.array([value for step in steps for _, value in step], dtype=np.float32),
        )

    def completions(self) -> Iterator[Completion]:
        steps = iter(self._steps())
        for ids, (text, finish, seconds, why) in zip(self.ids.tuples(), self.rest, strict=True):
            logprobs = None if self.likely is None else tuple(next(steps) for _ in ids) or None
            yield Completion(ids, text, finish, logprobs, seconds, why)

    def _steps(self) -> Iterator[tuple[tuple[int, float], ...]]:
        values = iter(self.values.tolist())
        for tokens in self.likely.tuples() if self.likely is not None else ():
            yield tuple((token, next(values)) for token in tokens)
