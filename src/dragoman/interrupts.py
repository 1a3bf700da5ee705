"""Ctrl-C: one sentence and exit code 130, at whatever moment it comes.

Python raises KeyboardInterrupt in the middle of whatever runs. While libraries are imported that ends badly: some
catch it and go on, some turn it into errors of their own, and all of them print. So a command ends at once while it
has not begun work or is importing something; otherwise it is interrupted, and what was finished is saved on the way
out.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOPPED = "stopped; what was finished is kept; run again to go on"
CODE = 130
AWAKE = 0.5
"""Seconds that the main thread may wait for anything at a time. The kernel may hand Ctrl-C to another thread; Python's
handler then runs when the main thread comes back to Python, however long it waits."""


def watch() -> None:
    """From here on Ctrl-C ends this process with the sentence, except within `interruptible`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell's background job has it ignored
        signal.signal(signal.SIGINT, _leave)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block, Ctrl-C raises KeyboardInterrupt, so that finished work is saved; the caller then prints the
    sentence.
    """
    if signal.getsignal(signal.SIGINT) is not _leave:  # not the command line's own process
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    afterwards: Callable[..., NoReturn] | signal.Handlers = _leave
    try:
        yield
    except KeyboardInterrupt:
        afterwards = signal.SIG_IGN  # what is left to do is to say so
        raise
    finally:
        signal.signal(signal.SIGINT, afterwards)


def interrupt(frame: FrameType | None, end: Callable[[], None]) -> NoReturn:
    """Raises KeyboardInterrupt in the running code; where that would get lost, `end` ends the process instead."""

    def unraisable(fault: "sys.UnraisableHookArgs") -> None:  # for instance in a finalizer
        if issubclass(fault.exc_type, KeyboardInterrupt):
            end()

    sys.unraisablehook = unraisable
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            end()
        frame = frame.f_back
    raise KeyboardInterrupt


def _leave(*_: object) -> NoReturn:
    text = f"\x1b[?25h\x1b[33m{STOPPED}\x1b[0m\n" if os.isatty(2) else f"{STOPPED}\n"  # with the cursor shown again
    os.write(2, text.encode())
    os._exit(CODE)


def _interrupt(_: int, frame: FrameType | None) -> None:
    interrupt(frame, _leave)
