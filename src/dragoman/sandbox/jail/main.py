"""The sandboxed run: a program in one process, its test in another, and a third that waits for both.

The program receives arguments and returns values over two pipes. The test, and what it expects, are never in the
program's memory: they are read after the program's process has been forked off, and the verdict goes out on a pipe
that it does not hold. So its only way to pass is to return the right values.

Called as `main()` in an interpreter of its own: the limits are on the command line as JSON, the work on standard
input, and the verdict goes to standard output.
"""

import builtins
import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import NoReturn, cast

from dragoman.sandbox.jail import layers, values
from dragoman.sandbox.jail.messages import Request, Verdict

LARGEST = 8 * layers.MEBIBYTE  # of what goes from the program to its test at once
_TESTER_MEMORY = 512 * layers.MEBIBYTE
_GRACE = 0.5  # seconds for the test to say itself that the program took too long
_HEAD = 10  # digits that say how long what follows is


class Over(BaseException):
    """The program ended before it answered; says why."""


class Limits:
    """The limits of a run, as given on the command line."""

    def __init__(
        self, folder: str, readable: layers.Readable, seconds: float, cpu: int, memory: int, without: list[str]
    ):
        self.folder = folder
        self.readable = readable
        self.seconds = seconds
        self.cpu = cpu
        self.memory = memory
        self.without = without
        """Layers to leave out, as if the kernel did not have them."""


def main() -> None:
    """Forks the tester, which forks the program, and waits; whatever is left then is killed."""
    limits = Limits(**json.loads(sys.argv[1]))
    layers.dies_with_parent()
    layers.adopts()
    told = [] if "namespaces" in limits.without else layers.apart(limits.folder)
    tester = os.fork()
    if not tester:
        _tester(limits, told)
    for descriptor in (0, 1):
        os.close(descriptor)
    # A test that is in the middle of one long step would not see that the time is over.
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + _GRACE)
    os.waitpid(tester, 0)
    os.killpg(0, signal.SIGKILL)  # with namespaces no other process is left


def _tester(limits: Limits, told: list[str]) -> NoReturn:
    layers.dies_with_parent()
    layers.unreadable()
    asked, asks = os.pipe()
    answered, answers = os.pipe()
    program = os.fork()
    if not program:
        _program(limits, asked, answers, writable="scratch" in told)
    os.close(asked)
    os.close(answers)
    out = os.dup(1)
    with open(0, "rb", closefd=False) as file:
        work: Request = json.load(file)
    _quiet()
    told += layers.lock(
        limits.folder, limits.readable, _TESTER_MEMORY, 2 * limits.cpu, writable=False, without=limits.without
    )
    candidate = Candidate(program, answered, asks, limits)
    try:
        verdict: Verdict = {"why": "", **_judged(work, candidate)}
    except Over as over:
        verdict = {"passed": False, "why": str(over)}
    os.write(out, json.dumps({**verdict, "layers": told}).encode())
    os._exit(0)


def _judged(work: Request, candidate: "Candidate") -> Verdict:
    """The verdict on the program: whether it passed and why not, or the value of one call."""
    candidate.start(work["code"], work["function"])
    try:
        if "call" in work:
            return {"passed": True, "value": values.told(candidate(*work["call"]))}
        for case in work.get("cases", ()):
            arguments, value = cast(tuple[list[object], object], case)
            got = candidate(*arguments)
            try:
                got = json.loads(json.dumps(got))
            except (TypeError, ValueError):
                return {"passed": False, "why": "wrong"}
            if type(got) is not type(value) or got != value:
                return {"passed": False, "why": "wrong"}
        if work.get("test"):
            space = _helpers(work.get("prompt", ""))
            space[work["function"]] = candidate
            exec(compile(work["test"], "test", "exec"), space)
            cast(Callable[[Candidate], object], space["check"])(candidate)
    except AssertionError:
        return {"passed": False, "why": "wrong"}
    except Exception as error:
        own = f"raised {candidate.raised[1]}" if error is candidate.raised[0] else ""
        return {"passed": False, "why": own or f"its test raised {type(error).__name__}"}
    return {"passed": True}


def _helpers(prompt: str) -> dict[str, object]:
    """What the prompt defines besides the function that it begins: tests use it."""
    space: dict[str, object] = {"__name__": "test"}
    if prompt:
        with contextlib.suppress(SyntaxError, Exception):  # a prompt that ends elsewhere has none
            exec(compile(f"{prompt.rstrip()}\n    pass\n", "prompt", "exec"), space)
    return space


class Candidate:
    """The program's function as its test sees it; calls go over the pipes. Raises `Over` if the program has ended."""

    def __init__(self, process: int, receive: int, send: int, limits: Limits):
        self._process, self._receive, self._send = process, receive, send
        self._limits = limits
        self._until = time.monotonic() + limits.seconds
        self.raised: tuple[Exception | None, str] = (None, "")
        """The last exception from the program, and the name of the built-in exception that it was there."""

    def start(self, code: str, function: str) -> None:
        """Runs the program's top level; `Over` if it fails, or does not define the function."""
        reply = self._ask({"code": code, "function": function})
        if "raised" in reply:
            raise Over(f"raised {_builtin(reply['raised']).__name__}")

    def __call__(self, *arguments: object, **named: object) -> object:
        given = values.told(arguments), values.told(named)
        reply = self._ask({"arguments": given[0], "named": given[1]})
        if "raised" in reply:
            kind = _builtin(reply["raised"])
            error = kind() if issubclass(kind, Exception) else RuntimeError()
            self.raised = error, kind.__name__
            raise error
        try:
            if "arguments" in reply:  # changed in place
                _update(arguments, values.read(reply["arguments"]))
            return values.read(reply["value"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise Over("gave something that can't be read") from error

    def _ask(self, request: Mapping[str, object]) -> dict[str, object]:
        try:
            _write(self._send, request)
            length = int(self._read(_HEAD))
            if not 0 <= length <= LARGEST:
                raise Over("gave more than can be read")
            reply = json.loads(self._read(length))
        except BrokenPipeError:
            self._ended()
        except (ValueError, RecursionError) as error:
            raise Over("gave something that can't be read") from error
        if not isinstance(reply, dict):
            raise Over("gave something that can't be read")
        return reply

    def _read(self, length: int) -> bytes:
        parts = []
        while length:
            rest = self._until - time.monotonic()
            if rest <= 0 or not select.select([self._receive], [], [], rest)[0]:
                raise Over("took too long")
            part = os.read(self._receive, min(length, 1 << 16))
            if not part:
                self._ended()
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _ended(self) -> NoReturn:
        code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if code == -signal.SIGKILL and used.ru_utime + used.ru_stime > self._limits.cpu - 0.5:
            raise Over("took too long")
        raise Over("ended before it answered" if code >= 0 else f"was ended by {signal.Signals(-code).name}")


def _builtin(name: object) -> type[BaseException]:
    """Python's own exception of this name. The name comes from the program, which may use any for its classes."""
    kind = getattr(builtins, name, None) if isinstance(name, str) else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseException) else Exception


def _update(arguments: tuple[object, ...], changed: object) -> None:
    """Applies the program's changes to lists, sets and dicts among the arguments."""
    if not isinstance(changed, Iterable):
        raise TypeError("no arguments")
    for before, after in zip(arguments, changed, strict=False):
        if isinstance(before, list) and isinstance(after, list):
            before[:] = after
        elif (isinstance(before, set) and isinstance(after, set)) or (
            isinstance(before, dict) and isinstance(after, dict)
        ):
            before.clear()
            before.update(after)


def _program(limits: Limits, receive: int, send: int, writable: bool) -> NoReturn:
    """The program's process: locks itself in before it sees the program, then makes the requested calls until the end.

    It may write only if its folder is in memory, where the size is limited; on a disk nothing would limit it.
    """
    layers.dies_with_parent()
    os.chdir(limits.folder)
    _quiet()
    _keep(receive, send)
    os.environ.clear()
    sys.argv[:] = [""]
    layers.lock(limits.folder, limits.readable, limits.memory, limits.cpu, writable, limits.without)
    function: object = None
    while True:
        request = json.loads(_exactly(receive, int(_exactly(receive, _HEAD))))
        try:
            if "code" in request:
                module = sys.modules["answer"] = ModuleType("answer")  # where dataclasses look for it
                exec(compile(request["code"], "answer", "exec"), module.__dict__)
                function = module.__dict__[request["function"]]
                reply: dict[str, object] = {}
            else:
                arguments = cast(tuple[object, ...], values.read(request["arguments"]))
                named = cast(dict[str, object], values.read(request["named"]))
                reply = {"value": values.told(cast(Callable[..., object], function)(*arguments, **named))}
                if (after := values.told(arguments)) != request["arguments"]:
                    reply["arguments"] = after
        except BaseException as error:
            reply = {"raised": next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")}
        _write(send, reply)


def _write(to: int, data: Mapping[str, object]) -> None:
    text = json.dumps(data).encode()
    text = b"%0*d" % (_HEAD, len(text)) + text
    while text:
        text = text[os.write(to, text) :]


def _exactly(source: int, length: int) -> bytes:
    parts = b""
    while len(parts) < length:
        part = os.read(source, length - len(parts))
        if not part:
            os._exit(0)
        parts += part
    return parts


def _quiet() -> None:
    """Standard input is empty, and output is discarded."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _keep(*descriptors: int) -> None:
    """Closes all open files except the standard three and these."""
    low = 3
    for descriptor in sorted(descriptors):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1024)
