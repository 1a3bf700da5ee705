"""Bounds for foreign code that may run away: tries a function in a process with limited time and memory."""

import gc
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

Fault = Literal["time", "memory", "crash"]
SECONDS = 2  # of a processor
MEMORY = 256 << 20  # bytes beyond what this process has
PATIENCE = 120  # seconds on the clock, after which nobody can tell whether it is the code or the machine
_FINE, _NO_MEMORY = 0, 3


def fault_of(run: Callable[[], object]) -> Fault | None:
    """What is wrong with calling a function: it runs for too long, takes too much memory, or ends its process.

    It is called in a fork of this process, so it must not touch threads or files. Exceptions that it raises are not
    faults, except MemoryError.
    """
    child = os.fork()
    if not child:
        _run_within_limits(run)
    ended = False
    try:
        deadline, pause = time.monotonic() + PATIENCE, 0.001
        while time.monotonic() < deadline:
            found, status = os.waitpid(child, os.WNOHANG)
            if ended := bool(found):
                return _read(os.waitstatus_to_exitcode(status))
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
        return None
    except ChildProcessError:  # if SIGCHLD is ignored, the system does not keep the exit codes of children
        ended = True
        return None
    finally:
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _read(code: int) -> Fault | None:
    """The fault that an exit code stands for. If the machine runs out of memory, a process is killed with SIGKILL."""
    faults: dict[int, Fault] = {-signal.SIGXCPU: "time", -signal.SIGKILL: "memory", _NO_MEMORY: "memory"}
    return None if code == _FINE else faults.get(code, "crash")


def _run_within_limits(run: Callable[[], object]) -> None:
    code = _FINE
    try:
        gc.disable()  # collecting would copy all memory that the fork shares with us
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_CPU, SECONDS)
        if (used := _addresses()) is not None:
            _limit(resource.RLIMIT_AS, used + MEMORY)
        run()
    except MemoryError:
        code = _NO_MEMORY
    except BaseException:
        code = _FINE
    finally:
        os._exit(code)


def _limit(what: int, most: int) -> None:
    """Lowers a soft limit, unless it is lower already."""
    soft, hard = resource.getrlimit(what)
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(what, (most, hard))


def _addresses() -> int | None:
    """The address space that this process uses, if the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize()
