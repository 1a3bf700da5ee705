"""The sandbox: runs programs that a model wrote where they can do no harm.

Each runs in a process and a session of its own, beside its test, and is killed with everything that it started: see
`jail/main.py` for how they communicate, and `jail/layers.py` for what they may not do. Whether this machine's kernel
has what that needs is tested, once: `protections` says what held. If something did not, `require` refuses, unless the
environment has DRAGOMAN_UNSAFE_CODE=1.
"""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dragoman.errors import EngineError
from dragoman.sandbox.jail import values
from dragoman.sandbox.jail.layers import Readable
from dragoman.sandbox.jail.messages import Request, Verdict

UNSAFE = "DRAGOMAN_UNSAFE_CODE"
MEMORY = 512 << 20  # bytes of addresses; its test has as many
NOTHING = "the sandbox does not start, or Python does not run in it"
_PACKAGES = ("site-packages", "dist-packages")  # in the folder of the standard library, and no part of it
_GRACE = 5  # seconds after which not even the one who watches the time is waited for
_START = "import sys; sys.path.insert(0, {!r}); from dragoman.sandbox.jail.main import main; del sys.path[0]; main()"


@dataclass(frozen=True, slots=True)
class Work:
    """A program to run and what is asked of it: the first of these that is given.

    `call`: one call with these arguments, for its value. `cases`: pairs of arguments and the expected value, compared
    as JSON. `test`: Python code that defines `check`, which takes the function; it sees what `prompt`, the beginning
    of the program, defines.
    """

    code: str
    function: str
    seconds: float
    """Wall-clock time."""
    cpu: float = 0.0
    """Processor time; half the wall-clock time when 0."""
    call: Sequence[object] | None = None
    cases: Sequence[Sequence[object]] = ()
    test: str = ""
    prompt: str = ""
    memory: int = MEMORY


class Outcome(NamedTuple):
    """The result of running a program."""

    passed: bool
    why: str = ""
    """`wrong`, `took too long`, `raised NAME`, `ended before it answered`, …; empty if it passed. NAME is one of
    Python's own exceptions: the one raised, or its nearest ancestor among them.
    """
    value: object = None
    """The value of a `call`."""


@dataclass(frozen=True, slots=True)
class Protection:
    """Something that programs must not be able to do, and whether they were kept from it here."""

    against: str
    held: bool
    by: tuple[str, ...] = field(default=())
    """The layers that this machine has."""


def outcomes(works: Sequence[Work]) -> list[Outcome]:
    """Runs programs, as many at once as there are processors. `EngineError` if that is not safe: see `require`."""
    require()
    with ThreadPoolExecutor(_processors()) as threads:
        return list(threads.map(lambda work: _outcome(_verdict(work)), works))


def outcome(work: Work) -> Outcome:
    """Runs one program. `EngineError` if that is not safe: see `require`."""
    require()
    return _outcome(_verdict(work))


def require() -> None:
    """Raises `EngineError`, saying what is missing, if foreign programs can't be run safely."""
    if missing := [one.against for one in protections() if not one.held]:
        if missing == [NOTHING]:
            raise EngineError(f"Programs that a model wrote can't be run on this machine: {NOTHING}.")
        if os.environ.get(UNSAFE, "") not in ("", "0"):
            return
        raise EngineError(
            f"Programs that a model wrote are not run on this machine, which does not keep them from "
            f"{', '.join(missing[:-1]) + ' and ' if missing[1:] else ''}{missing[-1]}. Linux 5.13 or newer with "
            f"Landlock and seccomp does. In a container or a machine of its own that may be lost, set {UNSAFE}=1 to "
            "run them all the same."
        )


@cache
def protections(without: tuple[str, ...] = ()) -> tuple[Protection, ...]:
    """What a sandboxed program is kept from on this machine, each tested (once per process).

    `without` names layers to leave out, as on a kernel that lacks them: `namespaces`, `Landlock`, `seccomp`.
    """
    with _folder() as folder:
        kept, made = Path(folder, "kept"), Path(folder, "made")
        kept.write_text("kept")
        work = Work(_PROBE, "probe", seconds=10, call=[os.getpid(), str(kept), str(made), __file__])
        verdict = _verdict(work, without)
        outside = kept.is_file() and kept.read_text() == "kept" and not made.exists()
    found = _outcome(verdict).value
    if not isinstance(found, dict):
        return (Protection(NOTHING, False),)
    found["writing and deleting files"] = found["writing and deleting files"] and outside
    return tuple(Protection(against, bool(held), tuple(verdict["layers"])) for against, held in found.items())


# Says of each thing whether it was refused. It runs as foreign programs do.
_PROBE = """
def probe(parent, kept, made, source):
    import os, resource, socket

    def refused(what, *arguments):
        try:
            what(*arguments)
        except OSError:
            return True
        return False

    def fork():
        if not os.fork():
            os._exit(0)

    def read(path):
        with open(path, "rb") as file:
            if not file.read():
                raise OSError("empty")

    def write(path):
        with open(path, "w") as file:
            file.write("made")

    def more():
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        try:
            resource.setrlimit(resource.RLIMIT_AS, (hard * 2, hard * 2))
        except ValueError:
            raise OSError("refused") from None

    def limited():
        kinds = resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE
        return all(resource.getrlimit(kind)[1] != resource.RLIM_INFINITY for kind in kinds) and refused(more)

    return {
        "opening network connections": refused(socket.socket) and refused(socket.socket, socket.AF_UNIX),
        "starting processes": refused(fork) and refused(os.execv, "/bin/true", ["true"]),
        "ending other processes": refused(os.kill, os.getppid(), 0) and refused(os.kill, parent, 0),
        "writing and deleting files": (
            refused(write, made) and refused(os.unlink, kept) and refused(os.chmod, kept, 0o600)
        ),
        "reading files": refused(read, kept) and refused(read, source),
        "reading the environment of other processes": refused(read, f"/proc/{parent}/environ"),
        "taking all memory, time and disk": limited(),
    }
"""


def _verdict(work: Work, without: Sequence[str] = ()) -> Verdict:
    """The sandbox's verdict on a program; empty if it gives none that can be read."""
    with _folder() as folder:
        limits = {
            "folder": os.path.realpath(folder),
            "readable": _readable(),
            "seconds": work.seconds,
            "cpu": max(1, math.ceil(work.cpu or work.seconds / 2)),
            "memory": work.memory,
            "without": list(without),
        }
        # Hashes without a seed of their own: a verdict does not depend on the order of a set.
        process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-S", "-c", _START.format(_source()), json.dumps(limits)],
            cwd=folder,
            env={"PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(json.dumps(_told(work)).encode(), timeout=work.seconds + _GRACE)
            verdict: Verdict = json.loads(output)
            return verdict
        except (subprocess.TimeoutExpired, ValueError):  # not even the process that watches the time answered
            return {}
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


@contextmanager
def _folder() -> Iterator[str]:
    """A temporary folder that is removed whatever a program that could write there has made of it."""
    folder = tempfile.mkdtemp(prefix="dragoman-")
    try:
        yield folder
    finally:
        try:
            shutil.rmtree(folder)
        except (OSError, RecursionError):  # folders nested too deep
            subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)


def _told(work: Work) -> Request:
    if work.call is not None:
        return {"code": work.code, "function": work.function, "call": list(work.call)}
    return {
        "code": work.code,
        "function": work.function,
        "cases": list(work.cases),
        "test": work.test,
        "prompt": work.prompt,
    }


def _outcome(verdict: Verdict) -> Outcome:
    if not verdict:
        return Outcome(False, "took too long, or too much room")
    return Outcome(verdict["passed"], verdict["why"], values.read(verdict.get("value")))


@cache
def _readable() -> Readable:
    """The standard library, and the shared libraries that it loads: no package, no data, nobody's project."""
    standard = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    parts = [part for folder in standard for part in folder.iterdir() if part.name not in _PACKAGES]
    system = [Path("/etc/ld.so.cache"), Path("/etc/localtime"), Path("/usr/share/zoneinfo")]
    read = {os.path.realpath(path) for path in [*parts, *_libraries(), *system]}
    return {"read": sorted(read), "list": sorted(map(str, standard))}


def _libraries() -> Iterator[Path]:
    """Debian's folders, which hold only shared libraries; otherwise the libraries in folders that hold other things
    too.
    """
    own = Path(sys.base_exec_prefix, "lib")
    for above in (Path("/lib"), Path("/usr/lib")):
        folder = above / (sysconfig.get_config_var("MULTIARCH") or "")
        yield from [folder] if folder not in (above, own) and folder.is_dir() else above.glob("*.so*")
    for other in (own, Path("/lib64"), Path("/usr/lib64"), Path("/usr/local/lib")):
        yield from other.glob("*.so*")


def _source() -> str:
    """The folder that `dragoman` is imported from."""
    return str(Path(__file__).resolve().parents[2])


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
