"""The process that imports the heavy libraries, and those that it forks."""

import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing import forkserver
from typing import Any

import pytest

from dragoman.errors import EngineError
from dragoman.pipeline import process

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
        process.in_own_process("train")
    monkeypatch.setattr(Dead, "exitcode", -signal.SIGKILL)
    with pytest.raises(EngineError, match="exit code -9: it was killed, most likely because memory ran out"):
        process.in_own_process("train")


def test_the_server_begins_once_and_leaves_ctrl_c_alone() -> None:
    server: Any = forkserver._forkserver
    process.begin()
    first = server._forkserver_pid
    process.begin()
    assert first is not None
    assert server._forkserver_pid == first
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())
