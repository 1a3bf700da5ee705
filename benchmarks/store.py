"""What keeping completions costs, and that a million of them cost no more memory than their index.

First the store alone: completions of usual size (prompt 60 tokens, answer 60, text 250 characters) become
shards and are read back, beside the time that generating them takes at a given rate. Then a
million small requests go through a real door, in asks as the pipeline makes them, to an engine that answers at once.
`python benchmarks/store.py [--requests 1000000] [--rate 10000] [--address memory://bench] [--out FILE]`.
"""

import gc
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import command
import psutil

from dragoman.generation.ask import Ask, Completion, Ids, Sampling
from dragoman.generation.cache.group import Group
from dragoman.generation.door import Door, OpenModel

SHARD = 512
PROMPT, ANSWER, TEXT = 60, 60, 250
SAMPLING = Sampling(max_tokens=64, stop=(2,))
ASK = 16_384
EVERY = 100_000


def measure(
    requests: int = 1_000_000, rate: float = 10_000, address: str | None = None, rounds: int = 5
) -> dict[str, Any]:
    """Both measurements. `rate` is generation's, in tokens a second; `address` is where the cache lies."""
    with ExitStack() as stack:
        folder = address or stack.enter_context(tempfile.TemporaryDirectory(prefix="dragoman-store-"))
        kept = store(f"{folder}/store", rate, rounds)
        return {**kept, **memory(f"{folder}/door", requests)}


def store(folder: str, rate: float, rounds: int = 5, shards: int = 8) -> dict[str, Any]:
    """Microseconds a completion to write and to read back (the best of `rounds`), and their share of generation."""
    draw = random.Random(0)
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(3000)]
    writing = reading = float("inf")
    size = 0
    for round_ in range(rounds):
        done = [_usual(draw, words) for _ in range(shards * SHARD)]
        group = Group(folder, f"model {round_}", SAMPLING, print)
        start = time.perf_counter()
        for first in range(0, len(done), SHARD):
            group.put(done[first : first + SHARD])
        middle = time.perf_counter()
        found = group.get([prompt for prompt, _ in done])
        end = time.perf_counter()
        assert found == dict(done)
        writing, reading = min(writing, middle - start), min(reading, end - middle)
        if "://" not in folder:
            size = sum(path.stat().st_size for path in Path(group.address).iterdir()) // len(done)
    count = shards * SHARD
    return {
        "write_microseconds": round(writing / count * 1e6, 1),
        "read_microseconds": round(reading / count * 1e6, 1),
        "bytes_a_completion": size,
        "generation_tokens_per_second": rate,
        "share_of_generation": round((writing + reading) / (count * ANSWER / rate), 5),
    }


def _usual(draw: random.Random, words: Sequence[str]) -> tuple[Ids, Completion]:
    """A prompt and its answer; tokens are unevenly frequent, as those of language are."""
    prompt, answer = (tuple(int(32_000 * draw.random() ** 3) for _ in range(size)) for size in (PROMPT, ANSWER))
    return prompt, Completion(answer, " ".join(draw.choices(words, k=TEXT // 5))[:TEXT], "length")


class AtOnce:
    """An engine that answers at once."""

    streams = True

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        for index, prompt in enumerate(prompts):
            yield index, Completion((*prompt[::-1], 2), "an answer", "stop")

    def close(self) -> None:
        pass


def memory(folder: str, requests: int) -> dict[str, Any]:
    """Resident memory after every hundred thousand requests, its growth, and requests a second."""
    here = psutil.Process(os.getpid())
    resident: dict[int, float] = {}
    with Door(folder, lambda name: OpenModel(name, AtOnce), shard=SHARD, say=print) as door:
        _ask(door, 0, min(ASK, requests))  # the first pays for what is set up once
        start, before = time.perf_counter(), min(ASK, requests)
        done = before
        while done < requests:
            count = min(ASK, requests - done)
            _ask(door, done, count)
            if (done + count) // EVERY > done // EVERY:
                gc.collect()
                resident[done + count] = here.memory_info().rss / 2**20
                print(f"{done + count:>10,} requests  {resident[done + count]:8.1f} MiB", flush=True)
            done += count
        seconds = time.perf_counter() - start
    marks = sorted(resident)
    grown = (resident[marks[-1]] - resident[marks[0]]) * 2**20 / (marks[-1] - marks[0]) if len(marks) > 1 else 0.0
    return {
        "requests": requests,
        "requests_per_second": round((done - before) / seconds) if done > before else 0,
        "resident_mib": {str(mark): round(value, 1) for mark, value in resident.items()},
        "growth_bytes_a_completion": round(grown, 1),
    }


def _ask(door: Door, first: int, count: int) -> None:
    prompts = [(number >> 16, number & 0xFFFF, 5, 6, 7, 8) for number in range(first, first + count)]
    answers = door.answer(Ask("model", prompts, SAMPLING, "requests"))
    assert answers[-1].ids == (*prompts[-1][::-1], 2)


def main() -> None:
    options = command.parser(__doc__)
    options.add_argument("--requests", type=int, default=1_000_000)
    options.add_argument("--rate", type=float, default=10_000, help="tokens a second of the generation compared with")
    options.add_argument("--address", help="a folder, or an address of fsspec; a temporary folder when absent")
    arguments = options.parse_args()
    result = measure(arguments.requests, arguments.rate, arguments.address)
    command.tell(result, arguments.out, command.lines(result))


if __name__ == "__main__":
    main()
