"""A process of its own for every stage that holds a model, so that the memory is given back.

A server process imports the heavy libraries once and forks one child a stage; nothing in it ever
touches an accelerator. A child ends when its parent dies, whatever way that happens.
"""

import importlib
import multiprocessing as mp
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from dragoman.errors import DragomanError, EngineError

PRELOADED = ["dragoman.pipeline.work"]
# Python's tracker of shared memory cleans up behind vLLM, and would say so on the user's screen.
GRACE = 20  # seconds in which a child that is told to stop may save what it has
QUIET = "ignore:resource_tracker:UserWarning"
Facts = dict[str, Any]


def in_own_process(task: str, *arguments: Any) -> Facts:
    """The facts that a function of `work` returns, and its peak memory. Errors meant for the user come through.

    The function goes by its name, so that this process need not import what it needs; one of another
    module of this folder by both, as in `analyses.gradients`.

    Raises EngineError where the process was killed, as it is when memory runs out.
    """
    if QUIET not in sys.warnoptions:
        sys.warnoptions.append(QUIET)
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, task, arguments))
    child.start()
    theirs.close()
    try:
        outcome, value = ours.recv()
    except EOFError:
        child.join()
        why = "it was killed, most likely because memory ran out" if child.exitcode == -9 else "it ended unexpectedly"
        raise EngineError(
            f"the process for {task} stopped with exit code {child.exitcode}: {why}. What was finished is "
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
        raise RuntimeError(f"{task} failed in its own process:\n{value}")
    facts: Facts = value
    return facts


def function_of(task: str) -> Callable[..., Facts]:
    """The function that a task's name stands for."""
    module, _, name = task.rpartition(".")
    found: Callable[..., Facts] = vars(importlib.import_module(f"dragoman.pipeline.{module or 'work'}"))[name]
    return found


def _child(answer: Connection, task: str, arguments: tuple[Any, ...]) -> None:
    function = function_of(task)
    parent = mp.parent_process()
    assert parent is not None
    threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()
    _stop_once()
    try:
        facts = function(*arguments)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        answer.send(("facts", {**facts, "peak_memory": peak}))
    except KeyboardInterrupt:
        os._exit(130)
    except (DragomanError, OSError) as fault:
        answer.send(("error", fault))
    except BaseException:
        answer.send(("traceback", traceback.format_exc()))


def _stop_once() -> None:
    """Told to stop, this process saves what is finished on its way out; a terminal and its parent may both tell it."""
    told = threading.Event()

    def stop(*_: Any) -> None:
        if not told.is_set():
            told.set()
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _die_with(parent: int) -> None:
    wait([parent])
    os._exit(1)
