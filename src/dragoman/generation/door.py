"""The one door to models: asks go in, completions come out, and nothing is generated twice.

Whatever is cached is answered from the cache; a model is loaded only for the rest, one model at a time. Finished
completions are stored shard by shard, so a killed run resumes where it was; with an engine that gets one shard at a
time, its output is the same to the byte as without the kill.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from dragoman.errors import EngineError
from dragoman.generation.ask import Ask, Completion, Engine, Ids, Sampling, short_name
from dragoman.generation.batches import Ended, Keeping, Lot, missing_lots, planned
from dragoman.generation.cache.group import Group
from dragoman.progress import note, progress

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
REASONS = 3  # reasons of failures that a message gives
Asking = Generator[Ask, list[Completion], T]


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model that can be asked: the fingerprint of its contents, and how to load it.

    `fingerprint` covers everything besides sampling and prompt that determines answers: weights, adapter, engine and
    precision. `load` is called only when something must be generated.
    """

    fingerprint: str
    load: Callable[[], Engine]
    tolerate: float | None = None
    """The share of prompts that may fail for good, for a judge with settings of its own; None means the door's."""
    made_in: str = ""
    """The engine, with the settings that decide how prompts are batched, in words for the signatures of scores."""


class Door:
    """Answers asks: from the cache in `folder`, and by models for what is missing there.

    `folder` is a local folder or any fsspec address. `models` returns the model for a name in an ask; it is called
    once per name and should be quick. `shard` is how many completions are stored at a time, which is also the most
    that a kill can cost with an engine that gets one shard at a time. `tolerate` is the share of an ask's prompts
    that may fail for good; more raise an EngineError. `say` receives sentences for the person at the screen.
    """

    def __init__(
        self,
        folder: Path | str,
        models: Callable[[str], OpenModel],
        *,
        shard: int = 512,
        tolerate: float = 0.0,
        say: Callable[[str], None] = note,
    ):
        self.folder = folder
        self._models = models
        self._shard = shard
        self._tolerate = tolerate
        self._say = say
        self._known: dict[str, OpenModel] = {}
        self._groups: dict[tuple[str, Sampling], Group] = {}
        self._engine: tuple[str, Engine] | None = None

    def answer(self, ask: Ask) -> list[Completion]:
        """The completions of an ask, in the order of its prompts.

        Failed ones are among them as far as `tolerate` allows; they are never cached, so the next ask tries them
        again.
        """
        prompts = [tuple(prompt) for prompt in ask.prompts]
        model = self._model(ask.model)
        group = self._group(model, ask.sampling)
        group.refresh()
        distinct = planned(prompts)
        answers = group.get(distinct)
        missing = len(distinct) - len(answers)
        if missing:
            if answers:
                self._say(
                    f"{ask.purpose}: {len(answers):,} of {len(distinct):,} were in the cache; going on from there."
                )
            lots = missing_lots(distinct, answers, self._shard)
            failed = self._generate(ask, lots, model, group)
            self._judge(ask, failed, len(distinct), group, model.tolerate)
            answers.update(group.get([prompt for lot in lots for prompt in lot if prompt not in failed]))
            answers.update(failed)
        if len(answers) < len(distinct):
            raise EngineError(
                f"{ask.purpose}: {len(distinct) - len(answers)} of {len(distinct)} prompts got no answer."
            )
        return [answers[prompt] for prompt in prompts]

    def close(self) -> None:
        """Frees the memory of the loaded model, if any."""
        if self._engine is not None:
            self._engine[1].close()
            self._engine = None

    def __enter__(self) -> "Door":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _model(self, name: str) -> OpenModel:
        if name not in self._known:
            self._known[name] = self._models(name)
        return self._known[name]

    def _group(self, model: OpenModel, sampling: Sampling) -> Group:
        key = (model.fingerprint, sampling)
        if key not in self._groups:
            self._groups[key] = Group(self.folder, model.fingerprint, sampling, self._say)
        return self._groups[key]

    def _open(self, model: OpenModel) -> Engine:
        if self._engine is None or self._engine[0] != model.fingerprint:
            self.close()
            self._engine = (model.fingerprint, model.load())
        return self._engine[1]

    def _generate(self, ask: Ask, lots: Sequence[Lot], model: OpenModel, group: Group) -> dict[Ids, Completion]:
        """Generates the lots and stores each as a shard; returns the completions that failed for good."""
        engine = self._open(model)
        failed: dict[Ids, Completion] = {}
        ended = Ended(ask.sampling.heal)
        with progress(ask.purpose, sum(map(len, lots)), "prompts") as bar:
            try:
                for together in [lots] if engine.streams else [[lot] for lot in lots]:
                    lot = "" if engine.streams else f"/{short_name(together)}"
                    keeping, made_in = Keeping(together, group), f"{model.made_in}{lot}" if model.made_in else ""
                    waiting = time.perf_counter()
                    try:
                        for index, answered in engine.complete(keeping.prompts, ask.sampling):
                            # What the engine took since the last answer: the sum over all is its time, whatever
                            # it works on at once.
                            took = time.perf_counter() - waiting
                            completion = replace(answered, seconds=took, made_in=made_in)
                            if completion.finish == "failed":
                                failed[keeping.prompts[index]] = completion
                            ended.count(completion)
                            bar.advance(1, tokens=len(completion.ids), remark=str(ended))
                            keeping.take(index, completion)
                            waiting = time.perf_counter()
                    finally:  # an interrupt loses nothing that is finished
                        keeping.rest()
            finally:
                if failed:
                    group.record(failed)
        return failed

    def _judge(self, ask: Ask, failed: Mapping[Ids, Completion], asked: int, group: Group, own: float | None) -> None:
        """Reports the prompts that failed for good, and raises an EngineError if they are too many.

        A model with a share of its `own` is a judge or a guard, whose settings are found elsewhere in the recipe:
        below `evaluation`, or where its name says, as in `benchmarks.mt-bench.judge`.
        """
        if not failed:
            return
        tolerate, field = self._tolerate, "generation.tolerate"
        if own is not None:
            named = ask.model if "." in ask.model else f"evaluation.{ask.model}"
            tolerate, field = own, f"{named}.generation.tolerate"
        counts = Counter(completion.why or "no reason given" for completion in failed.values())
        reasons = sorted(counts.items(), key=lambda reason: (-reason[1], reason[0]))
        common = "; ".join(f"{count:,} × {why}" for why, count in reasons[:REASONS])
        more = f"; and {len(reasons) - REASONS:,} other reasons" if len(reasons) > REASONS else ""
        what = f"{ask.purpose}: {len(failed):,} of {asked:,} prompts failed for good: {common}{more}."
        what += f" They are recorded in {group.address}/failures-….jsonl."
        if len(failed) > tolerate * asked:
            raise EngineError(
                f"{what} All other answers are kept: running again asks only for these. To go on without them, set "
                f"{field} to the share that may fail, such as "
                f"{math.ceil(1000 * len(failed) / asked) / 1000:g}."
            )
        self._say(f"{what} {field} allows that ({tolerate:g}).")


def loops(ids: Ids) -> bool:
    """Whether the last four tokens occur at least five times in all."""
    return len(ids) >= 8 and sum(ids[start : start + 4] == ids[-4:] for start in range(len(ids) - 3)) >= 5


def drive(generator: Asking[T], door: Door) -> T:
    """Runs a method or a suite to its end, answering what it asks, and returns its result."""
    return drive_all({"": generator}, door)[""]


def drive_all(generators: Mapping[K, Asking[T]], door: Door) -> dict[K, T]:
    """Runs several to their ends in parallel; asks for the same model and sampling share their batches."""
    results: dict[K, T] = {}
    pending: dict[K, Ask] = {}

    def resume(name: K, answers: list[Completion] | None) -> None:
        generator = generators[name]
        try:
            pending[name] = next(generator) if answers is None else generator.send(answers)
        except StopIteration as end:
            results[name] = end.value

    for name in generators:
        resume(name, None)
    model = ""
    while pending:
        together = Counter((ask.model, ask.sampling) for ask in pending.values())
        chosen = max(together, key=lambda key: (key[0] == model, together[key]))  # loading a model takes long
        model = chosen[0]
        names = [name for name, ask in pending.items() if (ask.model, ask.sampling) == chosen]
        asks = [pending.pop(name) for name in names]
        prompts = [prompt for ask in asks for prompt in ask.prompts]
        purpose = ", ".join(dict.fromkeys(ask.purpose for ask in asks))
        answers = door.answer(replace(asks[0], prompts=prompts, purpose=purpose))
        for name, ask in zip(names, asks, strict=True):
            resume(name, answers[: len(ask.prompts)])
            answers = answers[len(ask.prompts) :]
    return {name: results[name] for name in generators}
