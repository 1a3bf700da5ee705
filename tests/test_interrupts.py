"""Ctrl-C while a command begins: the sentence, and nothing beside it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.interrupts import STOPPED

IMPORT = "import time:"  # how Python, asked to, begins a line about each module that it has imported
SMALL = ("data.train.limit=4", "data.test.limit=4", "evaluation.questions=4")


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("chat lab", "typer.core"),  # the command itself
        ("chat lab", "torch.fx"),  # what holds a model in this process
        ("demo", "torch.fx"),  # the process that imports for those that hold one
        ("demo", "peft.utils"),
    ],
)
def test_ctrl_c_amid_imports_says_one_sentence(command: str, module: str, tmp_path: Path) -> None:
    words = [*command.split(), *([f"runs={tmp_path}", *SMALL] if command == "demo" else [])]
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "dragoman", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(IMPORT) and line.rpartition("|")[2].strip() == module:
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that the command has started
    said += process.stderr.read().splitlines(keepends=True)
    assert process.wait(60) == 130, said
    told = [line for line in said if not line.startswith(IMPORT)]
    assert told[-1] == f"{STOPPED}\n"
    assert [line for line in told[:-1] if not line.startswith(("… data", "✓ data", "… evaluate"))] == []


def test_ctrl_c_in_a_finalizer_is_not_lost() -> None:
    code = (
        "import os, signal, sys; from dragoman import interrupts; interrupts.watch()\n"
        "class Last:\n"
        "    def __del__(self): os.kill(os.getpid(), signal.SIGINT); sum(range(1000))\n"
        "with interrupts.interruptible():\n"
        "    last = Last(); del last\n"
        "print('went on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", f"{STOPPED}\n")


def test_ctrl_c_that_is_ignored_stays_so() -> None:
    """As for what a shell runs in the background."""
    code = (
        "import os, signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from dragoman import interrupts; interrupts.watch()\n"
        "with interrupts.interruptible(): os.kill(os.getpid(), signal.SIGINT)\n"
        "print('went on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "went on\n")
