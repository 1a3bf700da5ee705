"""Long generation with many accelerators, simulated: what deaths cost, and how long it takes.

The door, its plan and its store are the real ones; the engines are simulated and so is the clock.
An engine has `SLOTS` answers in work at once, each of which grows at its own constant rate, so that
the end of whatever it is given together runs half empty, as it does on an accelerator. When one
dies, nothing that it had in work has been handed out; its process starts again, loads its model,
and asks the same part again. What is generated twice is decided by the store alone.

Three ways: `one lot` (parts of the data, one lot at a time as `hf` gets them), `all lots` (parts, and
an engine that is shown all of them, as `vllm` is), and `ray` (one door for all, its lots spread over
actors). Everything is a miniature of `SCALE`: so many times fewer requests in a lot, in a chunk, in
an ask and at once, and so many times fewer tokens a second; seconds are real.
"""

import argparse
import heapq
import io
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path

from dragoman.generation.ask import Ask, Completion, Engine, Ids, Sampling
from dragoman.generation.door import Door, OpenModel

ACTORS = 64
SCALE = 8
SLOTS = 256 // SCALE
CHUNK = 1024 // SCALE
ASK = 16384 // SCALE
LOADING = 120.0  # seconds, of a model
LONGEST = 512
SAMPLING = Sampling(max_tokens=LONGEST, stop=(2,))


class Died(Exception):
    """What no engine raises: its process is gone."""


@dataclass
class World:
    """Texts of which answers are pieces, and what happens by chance."""

    deaths: float  # of an actor an hour
    rate: float  # tokens a second of an actor
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        words = ["".join(self.chance.choices("etaoinshrdlucmfw", k=self.chance.randint(2, 9))) for _ in range(32000)]
        ranks = self.chance.choices(range(32000), [1 / (rank + 3) for rank in range(32000)], k=200_000)  # Zipf's law
        self.ids = tuple(rank + 3 for rank in ranks)
        self.words = [words[rank] for rank in ranks]
        self.generated = 0  # tokens
        self.died = 0

    def prompts(self, count: int) -> list[Ids]:
        """All different, about a hundred tokens long."""
        lengths = [min(400, int(self.chance.lognormvariate(4.6, 0.4))) for _ in range(count)]
        starts = [self.chance.randrange(len(self.ids) - 400) for _ in range(count)]
        return [
            (number + 40000, *self.ids[start : start + length])
            for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
        ]

    def answer(self, prompt: Ids) -> Completion:
        """The same for the same prompt. Lengths are lognormal: a median of 180 tokens, and some cut off."""
        own = random.Random(prompt[0])
        length = min(LONGEST, max(1, int(own.lognormvariate(5.2, 0.6))))
        start = own.randrange(len(self.ids) - LONGEST)
        text = " ".join(self.words[start : start + length - 1])
        if length == LONGEST:
            return Completion(self.ids[start : start + length], text, "length")
        return Completion((*self.ids[start : start + length - 1], 2), text, "stop")

    def life(self) -> float:
        """Seconds until an actor dies."""
        return self.chance.expovariate(self.deaths / 3600) if self.deaths else float("inf")

    def ends(self, answers: Sequence[Completion]) -> list[float]:
        """When each is done, counted from a common start, with `SLOTS` in work at once."""
        free = [0.0] * SLOTS
        ends = []
        for completion in answers:
            ends.append(free[0] + len(completion.ids) * SLOTS / self.rate)
            heapq.heapreplace(free, ends[-1])
        return ends

    def lost(self, answers: Sequence[Completion], ends: Sequence[float], lived: float) -> None:
        """Counts what was generated of these by the time of a death."""
        self.died += 1
        for completion, end in zip(answers, ends, strict=True):
            begun = end - len(completion.ids) * SLOTS / self.rate
            self.generated += max(0, min(len(completion.ids), int((lived - begun) * self.rate / SLOTS)))


class Part:
    """An engine of one process, that is asked for its part of the data: `--shard i/n`."""

    def __init__(self, world: World, streams: bool, lot: int):
        self.world, self.streams, self.lot = world, streams, lot
        self.clock = 0.0
        self.dies = world.life()

    def start(self) -> "Part":
        """A process with the model loaded."""
        self.clock += LOADING
        self.dies = self.clock + self.world.life()
        return self

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Lot by lot, each when it is whole: what is in a lot that is not done has not been written."""
        world = self.world
        answers = [world.answer(prompt) for prompt in prompts]
        ends = world.ends(answers)
        lots = [range(start, min(start + self.lot, len(prompts))) for start in range(0, len(prompts), self.lot)]
        whole = {lot: max(ends[index] for index in lot) for lot in lots}
        lived = self.dies - self.clock
        for lot in sorted(lots, key=lambda lot: whole[lot]):
            if whole[lot] > lived:
                lost = [index for each in lots if whole[each] > lived for index in each]
                world.lost([answers[index] for index in lost], [ends[index] for index in lost], lived)
                self.clock = self.dies
                raise Died
            world.generated += sum(len(answers[index].ids) for index in lot)
            yield from ((index, answers[index]) for index in lot)
        self.clock += max(ends)

    def close(self) -> None:
        pass


class Actors:
    """What the `ray` engine does: each actor takes the next lot; one that dies does its lot again."""

    streams = True

    def __init__(self, world: World, lot: int):
        self.world, self.lot = world, lot
        self.clock = LOADING
        self.dies = [self.clock + world.life() for _ in range(ACTORS)]

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        world = self.world
        free = [(self.clock, actor) for actor in range(ACTORS)]
        for start in range(0, len(prompts), self.lot):
            now, actor = heapq.heappop(free)
            answers = [world.answer(prompt) for prompt in prompts[start : start + self.lot]]
            ends = world.ends(answers)
            while now + max(ends) > self.dies[actor]:
                if self.dies[actor] > now:
                    world.lost(answers, ends, self.dies[actor] - now)
                now = max(now, self.dies[actor]) + LOADING
                self.dies[actor] = now + world.life()
            heapq.heappush(free, (now + max(ends), actor))
            world.generated += sum(len(completion.ids) for completion in answers)
            yield from enumerate(answers, start)
        self.clock = max(free)[0]  # the next ask comes when this one is answered

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Case:
    """A run to simulate; numbers of the real size."""

    way: str
    deaths: float  # of an actor an hour
    rate: int  # tokens a second of an actor
    lot: int = 512
    ask: int = 16384


@dataclass(frozen=True, slots=True)
class Result:
    hours: float
    ideal: float  # hours, had every actor always been full and alive
    generated: int  # tokens
    kept: int
    died: int
    files: int
    size: int


def simulate(case: Case, requests: int) -> Result:
    """One run to its end; the store is checked to hold all answers at the end. `requests` are of the miniature."""
    world = World(case.deaths, case.rate / SCALE)
    lot, ask = case.lot // SCALE, case.ask // SCALE
    prompts = world.prompts(requests)
    with tempfile.TemporaryDirectory() as folder:
        if case.way == "ray":
            cluster = Actors(world, lot)
            with _door(folder, lot, lambda: cluster) as door:
                kept = sum(_answered(door, prompts[start : start + ask]) for start in range(0, requests, ask))
            seconds = cluster.clock
        else:
            kept, seconds = _parts(folder, world, prompts, case.way == "all lots", lot, ask)
        files = list(Path(folder).rglob("*.parquet"))
        size = sum(path.stat().st_size for path in files)
        with _door(folder, lot, _never) as door:
            assert _answered(door, prompts) == kept
    ideal = kept / (ACTORS * world.rate)
    return Result(seconds / 3600, ideal / 3600, world.generated, kept, world.died, len(files), size)


def _parts(folder: str, world: World, prompts: Sequence[Ids], streams: bool, lot: int, ask: int) -> tuple[int, float]:
    """Every part is asked for until it comes through. Tokens of the answers, and seconds of the longest part.

    After a death there is a new door, which knows no more than what is in the folder. The parts share
    their doors until then: 64 that all read what the others write would take long, and change nothing.
    """
    kept, seconds = 0, 0.0
    parts = [Part(world, streams, lot) for _ in range(ACTORS)]
    asked = parts[:1]
    door = _door(folder, lot, lambda: asked[0].start())
    for number, part in enumerate(parts):
        asked[0] = part
        chunks = range(number * CHUNK, len(prompts), ACTORS * CHUNK)
        mine = [prompt for start in chunks for prompt in prompts[start : start + CHUNK]]
        start = 0
        while start < len(mine):
            try:
                kept += _answered(door, mine[start : start + ask])
                start += ask
            except Died:
                door = _door(folder, lot, lambda: asked[0].start())
        door.close()  # the next part is another process
        seconds = max(seconds, part.clock)
    return kept, seconds


def _door(folder: str, lot: int, load: Callable[[], Engine]) -> Door:
    return Door(Path(folder), lambda _: OpenModel("simulated", load), shard=lot, say=lambda _: None)


def _answered(door: Door, prompts: Sequence[Ids]) -> int:
    """The number of tokens in the answers."""
    with redirect_stderr(io.StringIO()):  # its progress would be of simulated work
        return sum(len(completion.ids) for completion in door.answer(Ask("m", prompts, SAMPLING, "simulated")))


def _never() -> Engine:
    raise AssertionError("the store lacks an answer")


CASES = (
    Case("one lot", 0.01, 2500),
    Case("one lot", 0.01, 250),
    Case("one lot", 0.10, 250),
    Case("all lots", 0.01, 250),
    Case("all lots", 0.10, 250),
    Case("ray", 0.01, 250, ask=262144),  # eight shards an actor, as the pipeline asks
    Case("ray", 0.01, 250, ask=524288),
    Case("ray", 0.10, 250, lot=4096, ask=524288),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=65536, help="of the miniature (65,536)")
    requests = parser.parse_args().requests
    print(f"{requests:,} requests in a miniature of 1:{SCALE}, {ACTORS} actors, {LOADING:g} s to load a model")
    print("| way | deaths/h | tokens/s | lot | ask | deaths | generated twice | hours | ideal | files | bytes/answer |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    start = time.monotonic()
    for case in CASES:
        found = simulate(case, requests)
        print(
            f"| {case.way} | {case.deaths:.0%} | {case.rate:,} | {case.lot:,} | {case.ask:,} | {found.died} "
            f"| {found.generated / found.kept - 1:.3%} | {found.hours:.2f} | {found.ideal:.2f} | {found.files:,} "
            f"| {found.size / requests:,.0f} |",
            flush=True,
        )
    print(f"\nin {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
