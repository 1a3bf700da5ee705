"""The process that imports the heavy libraries, and those that it forks."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing import forkserver
from typing import Any

import pytest

from dragoman.errors import DataError, EngineError
from dragoman.pipeline import process


@dataclass(frozen=True)
class Sum:
    """A job that any process can do."""

    numbers: tuple[int, ...]

    def run(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True)
class Fail:
    """A job that raises what it is given."""

    fault: BaseException

    def run(self) -> None:
        raise self.fault


@dataclass(frozen=True)
class Die:
    """A job whose process is killed."""

    def run(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Waits:
    """A job that is never done."""

    def run(self) -> None:
        while True:
            time.sleep(1)


@dataclass(frozen=True)
class Libraries:
    """Which modules a process of its own has, before anything is done in it."""

    def run(self) -> frozenset[str]:
        return frozenset(sys.modules)


WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in WAITING} | more


def test_openmp_waits_briefly_where_models_are_held() -> None:
    """OpenMP itself says how its threads wait, when the server of the pipeline loads it."""
    code = "from dragoman.pipeline.process import begin; begin(); input()"
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(OMP_DISPLAY_ENV="verbose"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    found = next((line.strip() for line in server.stderr if "GOMP_SPINCOUNT" in line), "nothing was said")
    server.communicate("\n")
    assert found.endswith("GOMP_SPINCOUNT = '3000'")


@pytest.mark.parametrize(("name", "value"), [("OMP_WAIT_POLICY", "ACTIVE"), ("GOMP_SPINCOUNT", "7")])
def test_what_a_user_says_about_waiting_stays(name: str, value: str) -> None:
    code = f"import os, dragoman; print(*(os.environ.get(name) for name in {WAITING}))"
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment(**{name: value}), capture_output=True, text=True
    )
    assert said.stdout.split() == [value if known == name else "None" for known in WAITING]


def test_a_process_that_is_interrupted_alone_interrupts_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a terminal tells all processes may reach the child first."""

    class Dead:
        exitcode = -signal.SIGINT

        def __init__(self, **_: object):
            pass

        def start(self) -> None:
            pass

        def join(self, _: float = 0) -> None:
            pass

    context = multiprocessing.get_context("forkserver")
    monkeypatch.setattr(process, "begin", lambda: None)
    monkeypatch.setattr(type(context), "Process", Dead)
    with pytest.raises(KeyboardInterrupt):
        process.in_own_process(Sum((1, 2)), "train-radis")
    monkeypatch.setattr(Dead, "exitcode", -signal.SIGKILL)
    with pytest.raises(EngineError, match="exit code -9: it was killed, most likely because memory ran out"):
        process.in_own_process(Sum((1, 2)), "train-radis")


def test_the_server_begins_once_and_leaves_ctrl_c_alone() -> None:
    server: Any = forkserver._forkserver
    process.begin()
    first = server._forkserver_pid
    process.begin()
    assert first is not None
    assert server._forkserver_pid == first
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def test_a_job_runs_in_another_process_and_its_result_comes_back() -> None:
    ran = process.in_own_process(Sum((1, 2, 39)), "the sum")
    assert ran.result == 42
    assert ran.peak_memory > 1_000_000


def test_errors_that_are_meant_for_the_user_come_through_as_they_are() -> None:
    with pytest.raises(DataError, match=r"^nothing is left to learn from$"):
        process.in_own_process(Fail(DataError("nothing is left to learn from")), "examples-radis")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        process.in_own_process(Fail(FileNotFoundError("nowhere")), "examples-radis")


def test_other_errors_come_with_where_they_happened() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)^examples-radis failed in its own process:.*in run.*KeyError: 'pair'"):
        process.in_own_process(Fail(KeyError("pair")), "examples-radis")


def test_a_job_that_is_killed_is_told_by_its_name() -> None:
    with pytest.raises(EngineError, match=r"^the process for train-radis stopped with exit code -9: it was killed"):
        process.in_own_process(Die(), "train-radis")


def test_a_process_begins_with_the_heavy_libraries() -> None:
    """Those that jobs import when they run: to import them takes seconds, and each stage would take them anew."""
    there = process.in_own_process(Libraries(), "a look").result
    assert {"torch", "transformers", "peft", "dragoman.training.trainer", "dragoman.training.merge"} <= there
    assert {"dragoman.methods.radis", "dragoman.suites.bbh.suite"} <= there


TOLD_TWICE = """
import os, signal, sys
from dragoman.pipeline.process import _stop_once

def told_again(moment):
    _stop_once()
    signal.alarm(10)
    seen = 0

    def trace(frame, event, argument):
        nonlocal seen
        frame.f_trace_opcodes = True
        seen += 1
        if seen == moment:
            sys.settrace(None)
            os.kill(os.getpid(), signal.SIGTERM)
        return trace

    sys.settrace(trace)
    stopped = 0
    try:
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(1000))
    except KeyboardInterrupt:
        sys.settrace(None)
        stopped += 1
    try:
        sum(range(1000))
    except KeyboardInterrupt:
        stopped += 1
    os._exit(100 + stopped if seen >= moment else stopped)

ends = []
while not ends or ends[-1] >= 100:
    child = os.fork() or told_again(len(ends) + 1)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(len(ends) > 20, set(ends[:-1]), ends[-1])
"""


def test_a_process_that_is_told_twice_at_one_moment_stops_once() -> None:
    """By a terminal and by its parent, with the second signal at every moment that the first is being handled."""
    said = subprocess.run([sys.executable, "-c", TOLD_TWICE], capture_output=True, text=True, timeout=120)
    assert (said.stdout, said.stderr) == ("True {101} 1\n", "")


def test_ctrl_c_that_reaches_another_thread_is_not_left_waiting() -> None:
    """The kernel may hand a signal to any thread, and Python's handler runs when the main thread wakes up."""
    code = (
        "import signal, threading\n"
        "from dragoman.pipeline.process import in_own_process\n"
        "from tests.pipeline.test_process import Waits\n"
        "tell = lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT)\n"
        "threading.Timer(10, tell).start()\n"
        "try: in_own_process(Waits(), 'waiting')\n"
        "except KeyboardInterrupt: print('stopped')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert said.stdout == "stopped\n", said.stderr
