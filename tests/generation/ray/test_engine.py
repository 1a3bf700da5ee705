"""Shards over a real Ray cluster on this machine: two actors, one of which dies."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import EngineError
from dragoman.generation.ask import Completion, Ids, Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.generation.ray.cluster import Cluster, library, reach
from dragoman.generation.ray.engine import RETRIES, RayEngine
from dragoman.generation.ray.transport import Done, Runs, Work
from dragoman.lab import BACKBONE, world
from dragoman.prompts.render import Renderer
from dragoman.prompts.speak import Speaker
from dragoman.recipe.engines import Ray

pytest.importorskip("ray.data", reason="needs the extra [ray]")

TWO = Ray(actors=(2, 2))
PLAIN, OUT_OF_MEMORY, BROKEN = (Sampling(max_tokens=4, stop=(1,), seed=seed) for seed in range(3))


class Scribe:
    """An engine that answers with the prompt turned round, and notes in a file which process did what."""

    streams = False

    def __init__(self, folder: Path):
        self.folder = folder

    def complete(self, prompts: Sequence[Ids], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        with (self.folder / "log").open("a") as log:
            log.write(f"{os.getpid()} {prompts[0][0]}\n")
        if sampling == OUT_OF_MEMORY:
            raise EngineError("Out of memory with a single prompt.")
        if sampling == BROKEN and not (self.folder / "mended").exists():
            raise OSError("the device is gone")
        time.sleep(0.1)
        for index, prompt in reversed(list(enumerate(prompts))):
            if prompt[0] == 21 and not (self.folder / "died").exists():
                (self.folder / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield index, Completion(prompt[::-1], f"{prompt}", "length", None, 0.25)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Six logical cores, which the engines find and do not end."""
    ray = library()
    from ray import cloudpickle as pickling

    pickling.register_pickle_by_value(sys.modules[__name__])  # the actors cannot import tests
    logs = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # sockets' names must be short
    ray.init(address="local", num_cpus=6, include_dashboard=False, log_to_driver=False, _temp_dir=logs)
    yield
    ray.shutdown()
    shutil.rmtree(logs, ignore_errors=True)


def lab_engine() -> HfEngine:
    return HfEngine(BACKBONE, decode=Renderer.load(BACKBONE, False, None).decode, precision="fp32", device="cpu")


def noted(folder: Path) -> list[tuple[str, int]]:
    return [(who, int(what)) for who, what in map(str.split, (folder / "log").read_text().splitlines())]


def test_the_same_completions_as_without(cluster: None) -> None:
    speak = Speaker(Renderer.load(BACKBONE, False, None))
    prompts = [speak.translate(pair) for pair in world.pairs("test", ("de-en", "en-it"), 20, seed=0)]
    sampling = Sampling(max_tokens=16, stop=speak.renderer.stop, logprobs=2)
    here = lab_engine()
    expected = {
        start + index: completion
        for start in range(0, len(prompts), 9)
        for index, completion in here.complete(prompts[start : start + 9], sampling)
    }
    spread = RayEngine(lab_engine, TWO, shard=9)
    found = list(spread.complete(prompts, sampling))
    spread.close()
    assert len(found) == len(prompts) == 40
    assert dict(found) == expected
    assert all(completion.seconds > 0 for _, completion in found)
    assert len({completion.ids for _, completion in found}) > 30


@pytest.mark.slow
def test_what_a_death_costs_and_what_an_error_says(cluster: None, tmp_path: Path) -> None:
    prompts = [(number, 7, 9) for number in range(50)]  # twelve shards of four and one of two
    engine = RayEngine(partial(Scribe, tmp_path), TWO, shard=4)
    found = list(engine.complete(prompts, PLAIN))
    order = [index for index, _ in found]
    assert sorted(order) == list(range(50))
    shards = [order[at : at + (4 if first < 48 else 2)] for at, first in enumerate(order) if first % 4 == 0]
    assert sorted(shards) == [list(range(start, min(start + 4, 50))) for start in range(0, 50, 4)]  # each in one piece
    assert all(completion == Completion((9, 7, index), f"({index}, 7, 9)", "length") for index, completion in found)
    assert {completion.seconds for _, completion in found} == {0.25}
    done = noted(tmp_path)
    assert Counter(what for _, what in done) == Counter({**dict.fromkeys(range(0, 50, 4), 1), 20: 2})
    assert len({who for who, _ in done}) == 3  # two actors, and the one that came in a dead one's place

    assert sorted(dict(engine.complete(prompts[:8], PLAIN))) == list(range(8))
    assert len({who for who, _ in noted(tmp_path)}) == 3  # the same actors, with the models that they hold

    with pytest.raises(EngineError, match=r"^Out of memory with a single prompt\.$"):
        list(engine.complete(prompts, OUT_OF_MEMORY))

    with pytest.raises(EngineError, match=r"A shard failed 4 times .*OSError: the device is gone"):
        list(engine.complete([(number, 7, 9) for number in range(100, 104)], BROKEN))
    tried = [who for who, what in noted(tmp_path) if what == 100]  # others may still be at the shards from before
    assert len(tried) == RETRIES + 1
    assert len(set(tried)) > 1  # not again and again in the process that is broken

    given_up = engine.complete(prompts, PLAIN)
    next(given_up)
    given_up.close()  # type: ignore[attr-defined]
    assert dict(engine.complete(prompts[:3], PLAIN))[2].ids == (9, 7, 2)
    engine.close()


def test_clusters_that_cannot_do_it(cluster: None, tmp_path: Path) -> None:
    def ask(settings: Ray) -> None:
        list(RayEngine(partial(Scribe, tmp_path), settings, shard=4).complete([(1, 2)], PLAIN))

    with pytest.raises(
        EngineError, match=r"never hold the 4 actors .*: with 2 CPU each it has room for 3.*6 CPU, 0 GPU"
    ):
        ask(Ray(actors=(4, 4), cpus=2))
    with pytest.raises(EngineError, match=r"the 1 actors .* with 1 CPU and 1 GPU each it has room for 0"):
        ask(Ray(gpus=1))
    with pytest.raises(EngineError, match=r"No Ray cluster at 127\.0\.0\.1:1: .*refused"):
        reach("127.0.0.1:1")
    assert not (tmp_path / "log").exists()


def test_a_busy_machine_is_given_another_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray waits for thirty seconds for its own processes, then raises a plain Exception."""
    ray = library()
    left: list[Exception] = [Exception("The current node timed out during startup."), RuntimeError("no port")]
    folders: list[str] = []

    def init(*, _temp_dir: str, **_: Any) -> None:
        folders.append(_temp_dir)
        if left:
            raise left.pop()

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 8}}])
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": 8})
    cluster = Cluster(Ray())
    assert [Path(folder).exists() for folder in folders] == [False, False, True]
    cluster.leave()
    left = [Exception("first\nThe current node timed out during startup.")] * 3
    with pytest.raises(EngineError, match=r"did not start on this machine, in 3 attempts: The current node timed out"):
        Cluster(Ray())
    assert not any(Path(folder).exists() for folder in folders)


@pytest.mark.slow
def test_silent_and_gone_with_us(tmp_path: Path) -> None:
    """A cluster of our own says nothing, and neither an end nor a SIGKILL leaves a process of it behind."""
    script = tmp_path / "spread.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from functools import partial
            from pathlib import Path

            from dragoman.generation.ask import Completion, Sampling
            from dragoman.generation.ray.engine import RayEngine
            from dragoman.recipe.engines import Ray

            notes, way = Path(sys.argv[1]), sys.argv[2]

            class Sleeper:
                def complete(self, prompts, sampling):
                    (notes / str(os.getpid())).touch()
                    time.sleep(sampling.max_tokens)
                    print("a line of the model's", file=sys.stderr)
                    return ((index, Completion(prompt, "", "length")) for index, prompt in enumerate(prompts))

            engine = RayEngine(Sleeper, Ray(), shard=1)
            print(len(list(engine.complete([(1,), (2,)], Sampling(1, (1,))))), flush=True)
            if way == "close":
                engine.close()
            else:
                list(engine.complete([(1,), (2,)], Sampling(600, (1,))))
            """
        )
    )
    ways = {way: tmp_path / way for way in ("close", "kill")}
    for notes in ways.values():
        notes.mkdir()

    def start(way: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, script, ways[way], way],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MARK": str(ways[way])},
        )

    assert start("close").communicate(timeout=240) == ("2\n", "")
    killed = start("kill")
    assert killed.stdout is not None
    assert killed.stdout.readline() == "2\n"
    until(lambda: any(ways["kill"].iterdir()) and len(marked(ways["kill"])) >= 3)
    killed.kill()
    assert killed.communicate(timeout=120) == ("", "")
    for notes in ways.values():
        until(partial(gone, notes))


def gone(notes: Path) -> bool:
    (actor,) = notes.iterdir()
    return not Path("/proc", actor.name).exists() and not marked(notes)


def marked(notes: Path) -> list[Path]:
    """Processes that descend from the one that was told of this folder, without Ray's two small agents.

    Those find out a minute later that their cluster is gone.
    """
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
            if f"MARK={notes}\0".encode() in environment and b"Agent" not in name:
                found.append(folder)
    return found


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_parcels_lose_nothing() -> None:
    likely = (((3, -0.5), (4, -1.25)), ((9, -0.25),))
    completions = [
        Completion((3, 9), "three", "length", likely, 0.5),
        Completion((), "", "failed", None, 0.0, "the server said no"),
        Completion((9,), "", "stop", likely[1:], 2.0),
    ]
    work = Work(8, Runs.of([(1, 2), (3,), (4, 5, 6)]), Sampling(max_tokens=2, stop=(9,), logprobs=2))
    assert work.prompts.tuples() == [(1, 2), (3,), (4, 5, 6)]
    done = Done.of(work, completions)
    assert done.start == 8
    assert list(done.completions()) == completions
    assert [completion.seconds for completion in done.completions()] == [0.5, 0.0, 2.0]
