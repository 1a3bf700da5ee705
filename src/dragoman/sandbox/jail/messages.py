"""What goes between the sandbox and the process that runs a program for it, as JSON."""

from collections.abc import Sequence
from typing import TypedDict

from dragoman.sandbox.jail.values import Plain


class Request(TypedDict, total=False):
    """A program, and what is asked of it: one call, some cases, or a test."""

    code: str
    function: str
    call: list[object]
    """Arguments, for the value of the call."""
    cases: list[Sequence[object]]
    """Pairs of arguments and the value that is expected."""
    test: str
    prompt: str


class Verdict(TypedDict, total=False):
    """Whether a program passed, and why it did not; the value of a call; and which layers held it."""

    passed: bool
    why: str
    value: Plain
    layers: list[str]
