"""The engine that runs wherever torch runs: batched decoding with a transformers model.

Prompts of similar length share a batch, whose size is counted in tokens. What all of them begin with, such as a system
prompt or worked examples, is read once. Finished rows leave the batch, and the key-value cache is cut down to the rest.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch

import dragoman.generation.hf.skip_scipy  # noqa: F401  # before transformers' models
from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Finish, Ids, Sampling
from dragoman.generation.hf.attention import can_share, decoding, new_cache
from dragoman.generation.hf.sampling import choose, key_array, most_likely
from dragoman.generation.seeds import row_key
from dragoman.generation.token_budget import check_ids, rooms
from dragoman.models.config import context_in
from dragoman.models.loading import Precision, load_model, memory_of
from dragoman.models.outline import places_of, vocabulary_of

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedModel

SHARED = 16  # tokens at the beginning of all prompts that are worth a forward pass of their own

Logprobs = tuple[tuple[int, float], ...]


@dataclass(slots=True)
class Pending:
    """A prompt in progress: what has been generated, and how much may be.

    `taken` is the last token of a prompt that is to be healed; `prompt` then ends before it.
    """

    index: int
    prompt: Ids
    limit: int
    key: int
    taken: int | None = None
    seconds: float = 0.0
    ids: list[int] = field(default_factory=list)
    logprobs: list[Logprobs] = field(default_factory=list)


class HfEngine:
    """Completes prompts with a causal language model of transformers.

    `model` is a directory, a name on the hub, or a loaded model (then `precision`, `device`, `adapter` and the rest
    do not apply). `decode` turns ids into text. `extensions` returns all tokens whose text begins with a given
    token's text; without it, nothing can be healed. `batch_tokens` limits the size of one batch, including padding
    and room for the answers.
    """

    streams = False

    def __init__(
        self,
        model: "PreTrainedModel | Path | str",
        *,
        decode: Callable[[Sequence[int]], str],
        extensions: Callable[[int], Ids] | None = None,
        batch_tokens: int = 32768,
        precision: Precision = "auto",
        device: str = "auto",
        adapter: Path | None = None,
        trust_remote_code: bool = False,
        bin_weights: bool = False,
        revision: str | None = None,
    ):
        if isinstance(model, str | Path):
            model = load_model(
                model,
                precision=precision,
                device=device,
                adapter=adapter,
                trust_remote_code=trust_remote_code,
                bin_weights=bin_weights,
                revision=revision,
            )
        self.model = model
        self.decode = decode
        self.extensions = extensions
        self.batch_tokens = batch_tokens
        self.context = context_in(model.config.get_text_config().to_dict())
        self._vocabulary = vocabulary_of(model)
        self._places = places_of(model)

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Yields (index of the prompt, completion) as rows finish, starting with the longest prompts.

        A prompt that leaves no room in the model's context raises an EngineError; one that leaves room for fewer than
        `max_tokens` gets a shorter answer.
        """
        waiting = self._rows(prompts, sampling)
        budget = self.batch_tokens
        while waiting:
            batch = _next_batch(waiting, budget, self._places)
            try:  # how much fits is known only by trying
                for row, finish in self._decode(batch, sampling):
                    batch.remove(row)
                    yield row.index, self._completion(row, finish, sampling)
                continue
            except torch.OutOfMemoryError as error:
                if len(batch) == 1:
                    raise self._too_long(batch[0]) from error
                budget = _size(batch) // 2
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            for row in batch:
                row.ids.clear()
                row.logprobs.clear()
            waiting.extend(batch)
            waiting.sort(key=_length)

    def close(self) -> None:
        """Frees the memory."""
        self.model = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _rows(self, prompts: Sequence[Ids], sampling: Sampling) -> list[Pending]:
        """The prompts by length, each with the number of tokens its answer may have."""
        if sampling.heal and self.extensions is None:
            raise EngineError(
                "This engine was not told which tokens begin with which, so it cannot heal the last token of a prompt. "
                "Give it `extensions`, or set `boundary: exact`."
            )
        check_ids(prompts, self._vocabulary)
        rows = []
        limits = rooms(prompts, self.context, sampling.max_tokens, heal=sampling.heal)
        for index, (prompt, limit) in enumerate(zip(prompts, limits, strict=True)):
            fed, taken = (prompt[:-1], prompt[-1]) if sampling.heal else (prompt, None)
            rows.append(Pending(index, fed, limit, row_key(sampling.seed, prompt), taken))
        return sorted(rows, key=_length)

    def _completion(self, row: Pending, finish: Finish, sampling: Sampling) -> Completion:
        body = row.ids[:-1] if finish == "stop" else row.ids
        logprobs = tuple(row.logprobs) if sampling.logprobs else None
        return Completion(tuple(row.ids), self.decode(body), finish, logprobs, row.seconds)

    def _too_long(self, row: Pending) -> EngineError:
        return EngineError(
            f"Out of memory with a single prompt of {len(row.prompt)} tokens and room for {row.limit} more: "
            f"{memory_of(self.model.device) or 'the device does not say how much it has'}. A batch "
            f"cannot be smaller than that, so generation.batch_tokens ({self.batch_tokens:,}) does not help: lower the "
            "longest answer (rationale.max_tokens) or the longest example (data.max_tokens), or take a device with "
            "more memory."
        )

    def _choices(self, batch: Sequence[Pending]) -> list[tuple[list[int], Ids]]:
        """Which rows of a batch may take which tokens at the first step; empty if nothing is healed."""
        places: dict[int, list[int]] = defaultdict(list)
        for place, row in enumerate(batch):
            if row.taken is not None:
                places[row.taken].append(place)
        return [(rows, self.extensions(token)) for token, rows in places.items()] if self.extensions else []

    def _read_shared(self, batch: Sequence[Pending], cache: "DynamicCache") -> int:
        """Reads into the cache, for all rows, the tokens that all prompts begin with; returns how many these are."""
        first, last = min(row.prompt for row in batch), max(row.prompt for row in batch)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
        shared = min(shared, min(len(row.prompt) for row in batch) - 1)  # each row must say something by itself
        if shared < SHARED or len(batch) == 1 or not can_share(cache):
            return 0
        with decoding(self.model):
            ids = torch.tensor([first[:shared]], device=self.model.device)
            self.model.base_model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(batch))
        return shared

    @torch.inference_mode()
    def _decode(self, batch: Sequence[Pending], sampling: Sampling) -> Iterator[tuple[Pending, Finish]]:
        """Generates for all rows of a batch, and yields each row as it ends."""
        device = self.model.device
        stop = frozenset(sampling.stop)
        live: list[Pending | None] = list(batch)  # None for a row that is done but still in the tensors
        keys = key_array([row.key for row in batch])
        cache = new_cache(self.model)
        shared = self._read_shared(batch, cache)
        width = max(len(row.prompt) for row in batch) - shared
        fed = [row.prompt[shared:] for row in batch]
        ids = torch.tensor([(0,) * (width - len(some)) + some for some in fed], device=device)
        padding = torch.tensor([width - len(some) for some in fed], device=device)
        places = torch.arange(width, device=device) - padding[:, None]  # [rows, width], negative in the padding
        mask = (places >= 0).long() if padding.any() else None
        if mask is not None and shared:
            mask = torch.cat([mask.new_ones(len(batch), shared), mask], dim=1)
        positions = shared + places.clamp_(min=0)
        among = self._choices(batch)
        started = perf_counter()
        step = 0
        while True:
            with decoding(self.model):
                logits = self.model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                ).logits[:, -1]  # [rows, vocab]
            if step == 0 and logits.isnan().any():
                raise EngineError(
                    "The model's logits are no numbers (NaN), so it has nothing to say: its weights are damaged, or "
                    "its numbers too large for this precision. Try generation.precision=fp32, or fetch the model again."
                )
            chosen = choose(logits, sampling, keys, step, among)
            likely = most_likely(logits, sampling.logprobs) if sampling.logprobs else []
            step, among = step + 1, []
            for place, token in enumerate(chosen.tolist()):
                row = live[place]
                if row is None:
                    continue
                row.ids.append(token)
                if likely:
                    row.logprobs.append(likely[place])
                if token in stop or step >= row.limit:
                    live[place] = None
                    ended = perf_counter()
                    row.seconds = ended - started
                    yield row, "stop" if token in stop else "length"
                    started += perf_counter() - ended  # what the reader did meanwhile is not the engine's work
            going = [place for place, row in enumerate(live) if row is not None]
            if not going:
                return
            ids, positions = chosen[:, None], positions[:, -1:] + 1
            if len(going) <= 0.8 * len(live):
                kept = torch.tensor(going, device=device)
                cache.batch_select_indices(kept)
                ids, positions, keys = ids[kept], positions[kept], keys[going]
                mask = None if mask is None else mask[kept]
                live = [live[place] for place in going]
            if mask is not None:
                mask = torch.cat([mask, mask.new_ones(len(live), 1)], dim=1)


def _length(row: Pending) -> int:
    return len(row.prompt)


def _size(batch: Sequence[Pending]) -> int:
    """The tokens that a batch will hold at its end."""
    return len(batch) * (max(len(row.prompt) for row in batch) + max(row.limit for row in batch))


def _next_batch(waiting: list[Pending], budget: int, places: int | None) -> list[Pending]:
    """Takes as many rows from the end of `waiting` (sorted by length) as fit into the budget, at least one.

    In a model with a table of `places` (learned positions), the longest prompt and the longest answer of the batch
    must fit into it together: finished rows stay beside the others for a while, and some masks count padding as
    positions.
    """
    width = len(waiting[-1].prompt)
    room = width + max(row.limit for row in waiting)
    count = min(len(waiting), max(1, budget // room))
    if places is not None:
        fitting = takewhile(lambda row: width + row.limit <= places, reversed(waiting[-count:]))
        count = max(1, sum(1 for _ in fitting))
    batch = waiting[-count:]
    del waiting[-count:]
    return batch
