"""The engine that distributes shards over the machines of a Ray cluster.

One Ray Data pipeline lives as long as the engine: a queue feeds shards to a pool of actors, each with an engine of
its own, and results come back as they finish. So a model is loaded once per actor, not once per ask. Ray restarts an
actor that died and gives it its shard again; whatever else was finished is not touched.
"""

import os
import pickle
import socket
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from dragoman.errors import DragomanError, EngineEnded, EngineError
from dragoman.generation.ask import Completion, Engine, Ids, Sampling
from dragoman.generation.ray.cluster import Cluster, debugging, library, sentence
from dragoman.generation.ray.transport import Done, Runs, Work
from dragoman.recipe import engines

if TYPE_CHECKING:
    from pyarrow import Table
    from ray.util.queue import Queue

RETRIES = 3  # of a shard whose actor died


class RayEngine:
    """Completes prompts with actors on a Ray cluster, `shard` prompts at a time.

    `make` is called in each actor and returns the engine that it holds; it is pickled. The completions of a shard
    arrive together, shards in the order in which they finish. An EngineError of an actor's engine is raised as it is;
    after any error nothing is left running, and the next call starts afresh.
    """

    streams = True

    def __init__(self, make: Callable[[], Engine], settings: engines.Ray, *, shard: int):
        self._make = make
        self._settings = settings
        self._shard = shard
        self._cluster: Cluster | None = None
        self._pool: _Pool | None = None
        library()

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        """Yields (index of the prompt, completion), a shard at a time.

        Raises an EngineError if an actor's engine does, if the cluster cannot hold the actors, or if a shard's actor
        died more than `RETRIES` times.
        """
        if not prompts:
            return
        if self._cluster is None:
            self._cluster = Cluster(self._settings)
        if self._pool is None:
            self._pool = _Pool(self._make, self._settings, self._cluster.gpus)
        pool = self._pool
        every = range(0, len(prompts), self._shard)
        starts = iter(every)

        def put(start: int) -> None:
            pool.put(Work(start, Runs.of(prompts[start : start + self._shard]), sampling))

        ahead = 3 * self._settings.actors[1] + 2  # enough that no actor waits, few enough to fit in memory
        left, failures = set(every), Counter[int]()
        try:
            for start in islice(starts, ahead):
                put(start)
            while left:
                done = pool.take()
                if done.start not in left:
                    continue
                if isinstance(done, Failure):
                    failures[done.start] += 1
                    if failures[done.start] > RETRIES:
                        raise EngineError(f"A shard failed {RETRIES + 1} times on the Ray cluster. {done.why}")
                    put(done.start)
                    continue
                for start in islice(starts, 1):
                    put(start)
                left.remove(done.start)
                yield from enumerate(done.completions(), done.start)
        except BaseException:  # an ask that was given up would go on in the actors
            self._pool = None
            pool.end()
            raise

    def close(self) -> None:
        """Ends the actors, and the cluster if it was started here."""
        if self._pool is not None:
            self._pool.end()
        if self._cluster is not None:
            self._cluster.leave()
        self._pool = self._cluster = None


class _Pool:
    """The pipeline: from the queue, through the actors, and back."""

    def __init__(self, make: Callable[[], Engine], settings: engines.Ray, gpus: float):
        from ray.data import ActorPoolStrategy, DataContext, from_items
        from ray.util.annotations import RayDeprecationWarning
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray = library()
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._queue = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        context = DataContext.get_current().copy()
        context.target_max_block_size = 1  # each shard is a block of its own, passed on at once
        context.execution_no_progress_timeout_s = -1  # there is no progress between two asks
        context.enable_progress_bars = context.print_on_execution_start = debugging()
        with DataContext.current(context), warnings.catch_warnings():
            warnings.simplefilter("ignore", RayDeprecationWarning)  # these options have no other place yet
            fed = from_items([0]).map_batches(
                _feed, fn_args=(self._queue,), batch_size=None, num_cpus=0, max_retries=0, scheduling_strategy=here
            )
            answered = fed.map_batches(
                Worker,
                fn_constructor_args=(make, settings.cpus),
                batch_size=None,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(
                    min_size=settings.actors[0], max_size=settings.actors[1], max_tasks_in_flight_per_actor=2
                ),
                num_cpus=settings.cpus,
                num_gpus=gpus,
                max_restarts=-1,
                max_task_retries=RETRIES,
            )
            batches = answered.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
        self._batches: Iterator[Table] = iter(batches)

    def put(self, work: Work) -> None:
        """Queues a shard."""
        self._queue.put(pickle.dumps(work))

    def take(self) -> "Done | Failure":
        """Waits for the next finished shard. EngineError if something went wrong in an actor or in Ray."""
        from ray.exceptions import RayActorError, RayError

        try:  # the edge to the cluster
            row = next(self._batches)
        except RayActorError as error:
            raise EngineError(
                f"An actor of the Ray cluster died {RETRIES + 1} times over one shard; often its memory does not "
                "suffice (fewer actors a machine, a smaller batch), or a machine is broken. What is finished is kept."
                f"\n  {sentence(error)}"
            ) from error
        except (RayError, StopIteration) as error:
            raise EngineError(f"The Ray cluster gave up: {sentence(error)}\n  What is finished is kept.") from error
        done = pickle.loads(row["shard"][0].as_py())
        if isinstance(done, DragomanError):
            raise done
        assert isinstance(done, Done | Failure)
        return done

    def end(self) -> None:
        """Ends the pipeline and its actors, even in the middle of work."""
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()
        self._queue.shutdown(force=True)


class Worker:
    """An actor: shards in, completions out, with an engine that is made for the first shard.

    Not earlier: an actor that dies while loading a model then dies over a shard, and the number of retries is
    bounded.
    """

    def __init__(self, make: Callable[[], Engine], cpus: float):
        threads = max(1, int(cpus))
        os.environ["OMP_NUM_THREADS"] = str(threads)
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # else each actor takes the same cores
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(threads)
        self._make = make
        self._engine: Engine | None = None
        self._broken = False

    def __call__(self, block: "Table") -> "Table":
        """Answers one shard. An engine's error is returned like an answer: it is for the person, not for Ray."""
        if self._broken:  # this process may be unusable; Ray starts another
            os._exit(1)
        work = pickle.loads(block["shard"][0].as_py())
        result: Done | Failure
        try:
            if self._engine is None:
                self._engine = self._make()
            found = dict(self._engine.complete(work.prompts.tuples(), work.sampling))
            result = Done.of(work, [found[index] for index in range(len(found))])
        except Exception as error:  # the edge of the process; a device that gave up, an engine's own process that died
            if isinstance(error, DragomanError) and not isinstance(error, EngineEnded):
                return _row(pickle.dumps(type(error)(str(error))))
            trace = f"\n{traceback.format_exc()}" if debugging() else ""
            result = Failure(
                work.start, f"The last time, on {socket.gethostname()}: {type(error).__name__}: {error}{trace}"
            )
            self._broken = True
            if self._engine is not None:
                with suppress(Exception):
                    self._engine.close()
        return _row(pickle.dumps(result))


@dataclass(frozen=True, slots=True)
class Failure:
    """A shard on which an actor met an unexpected error; it is retried elsewhere."""

    start: int
    why: str


def _feed(block: "Table", queue: "Queue") -> Iterator["Table"]:
    """Passes on what is put into the queue, until `None`."""
    while (work := queue.get()) is not None:
        yield _row(work)


def _row(data: bytes) -> "Table":
    import pyarrow as pa

    return pa.table({"shard": pa.array([data], pa.large_binary())})
