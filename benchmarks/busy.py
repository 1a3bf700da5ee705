"""What other work on the machine costs: a training and a generation of the lab, alone and beside a busy loop a core.

Twice: as this package has OpenMP's idle threads wait (spinning briefly), and as OpenMP has it by itself (for
milliseconds); with `--spin`, other counts of spins as well. Each has a process of its own, stays loaded, and takes
turns with the others, so that a machine that changes does so for all; the middle of the rounds counts.
`python benchmarks/busy.py [--steps 12] [--prompts 192] [--rounds 5] [--spin 1000 10000] [--out FILE]`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import command

LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1_000_000): pass"
BATCH = 64
NEW_TOKENS = 48
KINDS = ("training", "generation")
SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
WAYS: dict[str, dict[str, str]] = {"briefly": {}, "spinning": {"GOMP_SPINCOUNT": "300000"}}  # libgomp's own number


def measure(steps: int = 12, prompts: int = 192, rounds: int = 5, spins: Sequence[int] = ()) -> dict[str, Any]:
    """Seconds of a training step and of a generation, alone and busy, and the ratios."""
    ways = WAYS | {f"{count:,} spins": {"GOMP_SPINCOUNT": str(count)} for count in spins}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_worker(setting, steps, prompts)) for name, setting in ways.items()}
        for worker in workers.values():
            _ask(worker, "training"), _ask(worker, "generation")  # the first calls pay for what is set up once
        for _ in range(rounds):
            for load in (0, cores):
                with _loops(load):
                    for kind in KINDS:
                        for name, worker in workers.items():
                            taken = _ask(worker, kind)
                            seconds.setdefault(f"{kind} {name} {'busy' if load else 'alone'}", []).append(taken)
    middle = {name: median(each) for name, each in seconds.items()}
    return {
        "cores": cores,
        "steps": steps,
        "batch": BATCH,
        "prompts": prompts,
        "new_tokens": NEW_TOKENS,
        "rounds": rounds,
        "seconds": {name: round(value, 3) for name, value in middle.items()},
        "slower_when_busy": {
            name: {kind: round(middle[f"{kind} {name} busy"] / middle[f"{kind} {name} alone"], 2) for kind in KINDS}
            for name in ways
        },
        "alone_to_spinning": {
            name: {kind: round(middle[f"{kind} {name} alone"] / middle[f"{kind} spinning alone"], 3) for kind in KINDS}
            for name in ways
            if name != "spinning"
        },
    }


@contextmanager
def _loops(count: int) -> Iterator[None]:
    """So many processes that compute without end, or until this one is killed."""
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextmanager
def _worker(setting: dict[str, str], steps: int, prompts: int) -> Iterator["subprocess.Popen[str]"]:
    """A process with the model loaded, which trains or generates when it is told to."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, __file__, "--worker", "--steps", str(steps), "--prompts", str(prompts)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=kept | setting
    ) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def _ask(worker: "subprocess.Popen[str]", kind: str) -> float:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{kind}\n")
    worker.stdin.flush()
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError("a worker ended; run it alone to see why: python benchmarks/busy.py --worker")
    return float(answer)


def _work(steps: int, prompts: int) -> None:
    """Answers each line of the standard input with the seconds that it took."""
    from dragoman.generation.ask import Sampling
    from dragoman.generation.hf.engine import HfEngine
    from dragoman.lab import BACKBONE, world
    from dragoman.prompts.examples import ExampleTable, write_examples
    from dragoman.prompts.render import Renderer
    from dragoman.prompts.speak import Speaker
    from dragoman.recipe.training import Training
    from dragoman.training.steps import MetricsLog
    from dragoman.training.trainer import fit

    speak = Speaker(Renderer.load(BACKBONE))
    directions = ("de-en", "it-en", "en-de", "en-it")
    count = max(prompts, BATCH * (steps + 1))
    pairs = world.pairs("train", directions, -(-count // len(directions)), 0)
    engine = HfEngine(BACKBONE, decode=lambda ids: "")
    sampling = Sampling(max_tokens=NEW_TOKENS, stop=speak.stop)
    asked = [speak.prefix(pair).ids for pair in pairs[:prompts]]
    clock: list[float] = []
    write = MetricsLog.write

    def write_and_note(self: MetricsLog, line: dict[str, float]) -> None:
        write(self, line)
        clock.append(time.perf_counter())

    MetricsLog.write = write_and_note  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        write_examples(
            Path(folder) / "table", 0, [speak.example(speak.prefix(pair)) for pair in pairs[: BATCH * (steps + 1)]]
        )
        table = ExampleTable(Path(folder) / "table")
        for line in sys.stdin:
            if line.strip() == "training":
                clock.clear()
                with tempfile.TemporaryDirectory(dir=folder) as out:
                    fit(BACKBONE, table, Training(epochs=1, batch_size=BATCH, learning_rate=1e-3), Path(out))
                print((clock[-1] - clock[0]) / (len(clock) - 1), flush=True)
            else:
                start = time.perf_counter()
                for _ in engine.complete(asked, sampling):
                    pass
                print(time.perf_counter() - start, flush=True)


def main() -> None:
    options = command.parser(__doc__)
    options.add_argument("--steps", type=int, default=12)
    options.add_argument("--prompts", type=int, default=192)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--spin", type=int, nargs="*", default=[], metavar="COUNT")
    options.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.worker:
        _work(chosen.steps, chosen.prompts)
        return
    command.tell(measure(chosen.steps, chosen.prompts, chosen.rounds, chosen.spin), chosen.out)


if __name__ == "__main__":
    main()
