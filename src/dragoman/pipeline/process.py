"""Processes for jobs: every stage that holds a model gets its own, so that its memory is freed.

A server process imports the heavy libraries once and forks a child for each stage; nothing in it ever touches an
accelerator. A child ends when its parent dies, however that happens.
"""

import multiprocessing as mp
import os
import resource
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Generic, Protocol, TypeVar

from dragoman.errors import DragomanError, EngineError
from dragoman.interrupts import AWAKE, CODE, interrupt

PRELOADED = ["dragoman.pipeline.preloaded"]
GRACE = 20  # seconds in which a child that is told to stop may save what it has
# Python's tracker of shared memory cleans up behind vLLM, and would say so on the user's screen.
QUIET = "ignore:resource_tracker:UserWarning"

Result_co = TypeVar("Result_co", covariant=True)


class Job(Protocol[Result_co]):
    """Work for a process of its own. Both the job and its result are pickled, so they hold plain data."""

    def run(self) -> Result_co:
        """Does the work. Heavy libraries are imported here, where the process already has them."""


@dataclass(frozen=True, slots=True)
class Ran(Generic[Result_co]):
    """What a job returned, and its process's peak memory, in bytes."""

    result: Result_co
    peak_memory: int


def begin() -> None:
    """Starts the server unless it is running. It imports its libraries while this process goes on."""
    if QUIET not in sys.warnoptions:
        sys.warnoptions.append(QUIET)
    mp.get_context("forkserver").set_forkserver_preload(PRELOADED)
    resource_tracker.ensure_running()  # which would let signals through again
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a new process has the mask of its parent
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def in_own_process(job: Job[Result_co], name: str) -> Ran[Result_co]:
    """Runs a job in a process of its own. Errors meant for the user are raised here; they use the job's `name`.

    Raises EngineError if the process was killed, as happens when memory runs out.
    """
    begin()
    context = mp.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, job))
    try:
        child.start()
    except EOFError:
        raise EngineError(
            f"the process for {name} could not start: the one that loads the libraries for it ended unexpectedly, most "
            "likely because memory ran out. Run again to go on."
        ) from None
    theirs.close()
    try:
        while not ours.poll(AWAKE):
            pass
        outcome, value = ours.recv()
    except EOFError:
        child.join()
        if child.exitcode in (-signal.SIGINT, CODE):  # it was told before this process was
            raise KeyboardInterrupt from None
        why = "it was killed, most likely because memory ran out" if child.exitcode == -9 else "it ended unexpectedly"
        raise EngineError(
            f"the process for {name} stopped with exit code {child.exitcode}: {why}. What was finished is "
            "kept; lower generation.batch_tokens or training.batch_tokens and run again."
        ) from None
    except BaseException:
        child.terminate()
        child.join(GRACE)
        child.kill()
        raise
    finally:
        child.join(30)
    if outcome == "error":
        raise value
    if outcome == "traceback":
        raise RuntimeError(f"{name} failed in its own process:\n{value}")
    ran: Ran[Result_co] = value
    return ran


def _child(answer: Connection, job: Job[object]) -> None:
    told = _stop_once()
    parent = mp.parent_process()
    assert parent is not None
    threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()
    try:
        result = job.run()
        answer.send(("ran", Ran(result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)))
    except BaseException as fault:
        if told.once or isinstance(fault, KeyboardInterrupt):  # whatever a library made of it
            os._exit(CODE)
        known = isinstance(fault, DragomanError | OSError)
        answer.send(("error", fault) if known else ("traceback", traceback.format_exc()))


class _Told:
    """Whether this process was told to stop.

    No `threading.Event`: its lock is held for a moment in `set`. A second signal in that moment runs the handler within
    itself, which would wait for that lock forever.
    """

    once = False


def _stop_once() -> _Told:
    """On the first signal to stop, saves what is finished and exits; terminal and parent may both send one."""
    told = _Told()

    def stop(_: int, frame: FrameType | None) -> None:
        if told.once:
            return
        told.once = True
        interrupt(frame, lambda: os._exit(CODE))

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return told


def _die_with(parent: int) -> None:
    wait([parent])
    os._exit(1)
