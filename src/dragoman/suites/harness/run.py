"""Running lm-evaluation-harness in a process of its own: progress, and failures in words."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import IO

from dragoman.errors import DataError, DragomanError, EngineError
from dragoman.generation.openai.http import masked
from dragoman.progress import Bar, progress
from dragoman.suites.harness.child import FAULT, TASK
from dragoman.suites.harness.messages import Job

MODULE = "dragoman.suites.harness.child"
LINES = 60  # of what it printed, kept to be shown when it fails
SHOWN = 12
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
_BAR = re.compile(r"^(?P<what>Running|Requesting|Processed)[^:|]*:.*?(?P<done>\d+)/(?P<total>\d+) \[")
_TOO_LONG = ("400", "413", "422")  # what servers answer to a prompt that their context has no room for, among others
_NETWORK = (
    "ConnectionError",
    "OfflineModeIsEnabled",
    "DatasetNotFoundError",
    "LocalEntryNotFoundError",
    "ConnectError",
    "ConnectTimeout",
    "ReadTimeout",
    "ProxyError",
    "HfHubHTTPError",
)
# What the hub's libraries print before they give up, once for each attempt: the error at the end says it.
_ATTEMPT = re.compile(
    r"Retrying in [0-9.]+ ?s|thrown while requesting|(Got disconnected from|connect to) remote data host"
)


def run(job: Job, environment: Mapping[str, str], say: Callable[[str], None], key: str = "") -> None:
    """Runs a job to its end. Finished results stay, whatever becomes of the rest. A server's `key` is not shown.

    Raises EngineError if the process was killed or failed, DataError if a task's data could not be had.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(job, file)
        file.flush()
        child = subprocess.Popen(
            [sys.executable, "-m", MODULE, file.name],
            stdin=subprocess.PIPE,  # it ends when this closes
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_quiet(), **environment},
            start_new_session=True,
        )
        assert child.stdout is not None
        seen = Seen(key)
        try:
            with ExitStack() as stack:
                for line in _lines(child.stdout):
                    seen.take(line, stack)
            status = child.wait()
        finally:  # also when this process is interrupted: with it, whatever it has started
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if status:
        raise _failed(status, seen, [task["suite"] for task in job["tasks"]])


class Seen:
    """What a run has printed: its progress, and the last lines, without the key that a server may have repeated."""

    def __init__(self, key: str = "") -> None:
        self._key = key
        self.task = ""
        self.fault: tuple[str, str, str] | None = None
        self.last: deque[str] = deque(maxlen=LINES)
        self._bar: Bar | None = None

    def take(self, line: str, stack: ExitStack) -> None:
        if line.startswith(TASK):
            self.task = line.removeprefix(TASK)
        elif line.startswith(FAULT):
            task, kind, text = json.loads(line.removeprefix(FAULT))
            self.fault = task, kind, masked(text, self._key)
        elif found := _BAR.match(line):
            self._show(int(found["done"]), int(found["total"]), stack)
        elif line.strip() and not _ATTEMPT.search(line):
            self.last.append(masked(line, self._key))

    def _show(self, done: int, total: int, stack: ExitStack) -> None:
        label = f"{self.task} (lm-evaluation-harness)"
        if self._bar is None or (self._bar.label, self._bar.total) != (label, total) or done < self._bar.done:
            stack.close()
            self._bar = stack.enter_context(progress(label, total, "requests"))
        self._bar.advance(done - self._bar.done)


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Lines as they come, including those that are redrawn in place."""
    rest = b""
    while block := os.read(stream.fileno(), 65536):
        *whole, rest = re.split(rb"[\r\n]", rest + block)
        yield from (line.decode(errors="replace") for line in whole)
    yield rest.decode(errors="replace")


def _quiet() -> dict[str, str]:
    return {
        "LMEVAL_LOG_LEVEL": os.environ.get("LMEVAL_LOG_LEVEL", "WARNING"),
        "TOKENIZERS_PARALLELISM": os.environ.get("TOKENIZERS_PARALLELISM", "false"),
        "VLLM_NO_USAGE_STATS": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _failed(status: int, seen: Seen, suites: list[str]) -> DragomanError:
    at = f"at {seen.task}" if seen.task else "before its first task"
    kept = "What was finished is kept; "
    if status == -signal.SIGKILL:
        return EngineError(
            f"lm-evaluation-harness was killed {at}, most likely because memory ran out. {kept}lower "
            "evaluation.harness.batch_size (vllm: generation.vllm.memory or .max_length) and run again."
        )
    if status < 0:
        name = signal.Signals(-status).name
        return EngineError(f"lm-evaluation-harness was ended by {name} {at}. {kept}run again to go on.")
    shown = "\n  ".join(list(seen.last)[-SHOWN:])
    if seen.fault is None:
        return EngineError(f"lm-evaluation-harness stopped {at} with exit code {status}. {kept}it said:\n  {shown}")
    task, kind, text = seen.fault
    if kind in _NETWORK or "offline" in text.lower():
        return DataError(
            f"{task}: its data could not be had from the hub: {text.splitlines()[0] if text else kind}\nGive files of "
            f"your own (`evaluation.harness.data`), run once with a network (HF_HUB_OFFLINE keeps it off), or take "
            f"{task} out of `evaluate`. {kept.rstrip('; ')}."
        )
    if kind == "ClientResponseError" and not text.startswith(_TOO_LONG):
        return EngineError(
            f"{task}: the server answered with an error: {text}\nLook at the server, whose log may say why, and run "
            f"again. {kept.rstrip('; ')}."
        )
    if kind == "ClientResponseError":
        return EngineError(
            f"{task}: the server refused a request: {text}\nA server of conversations gets each prompt whole, and "
            "refuses what its context has no room for: set evaluation.harness.shots lower, or generation.openai.api to "
            f"completions. {kept.rstrip('; ')}."
        )
    if kind in ("ModuleNotFoundError", "ImportError", "LookupError"):
        return DataError(f"{task} of lm-evaluation-harness needs something that is not here: {text.strip()}")
    return EngineError(f"lm-evaluation-harness failed {at}: {kind}: {text}\n{kept}it said:\n  {shown}")
