"""Runs a small program that a model wrote, in a process of its own with little memory and little time.

This keeps accidents away (endless loops, floods of output, files written by mistake). It is no wall
against a program that means harm: run models that you do not trust inside a container.
"""

import json
import math
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

SECONDS = 5  # for the cases of a small function
TEST_SECONDS = 15  # for unit tests, some of which compute a while; on the clock, of which half on the processor

# The nonce is printed only after every case gave its value and every test passed, so that a program which merely
# exits, or prints something of its own, does not pass.
_RUNNER = """
import json, resource, sys
work = json.load(sys.stdin)
for limit, value in ((resource.RLIMIT_CPU, work["cpu"]), (resource.RLIMIT_AS, 1 << 29), (resource.RLIMIT_FSIZE, 0),
                     (resource.RLIMIT_NOFILE, 16), (resource.RLIMIT_CORE, 0)):
    resource.setrlimit(limit, (value, value))
def run():
    space = {"__name__": "answer"}
    exec(compile(work["code"], "answer", "exec"), space)
    function = space[work["function"]]
    if work["test"]:
        exec(compile(work["test"], "test", "exec"), space)
        space["check"](function)
    for arguments, value in work["cases"]:
        got = json.loads(json.dumps(function(*arguments)))
        if type(got) is not type(value) or got != value:
            return
    sys.__stdout__.write(work["nonce"])
run()
"""


def code_of(answer: str, function: str) -> str:
    """The Python code in an answer: a fenced block, or the lines from the first definition on. Empty: none found."""
    code = next((block for block in _fences(answer) if f"def {function}(" in block), None)
    if code is None:
        lines = answer.splitlines()
        starts = [at for at, line in enumerate(lines) if re.match(r"(def|import|from|@)\b|@", line)]
        kept = lines[starts[0] :] if starts else []
        end = next(
            (at for at, line in enumerate(kept) if line and not re.match(r"\s|def |import |from |@|#", line)), None
        )
        code = "\n".join(kept[:end])
    return code if f"def {function}(" in code else ""


def completed(answer: str, prompt: str, function: str) -> str:
    """The whole program where an answer completes `prompt`, which ends within `function`. Empty: no code found.

    The answer may give the function again, in a fenced block or as it is; imports and helpers of the prompt are
    there all the same. Or it goes on where the prompt ends: with the body, indented or in a fenced block.
    """
    if code := code_of(answer, function):
        return f"{prompt.rstrip()}\n    pass\n\n{code}"
    body = next(iter(_fences(answer)), answer)
    lines = [line for line in body.split("\n") if line.strip()]
    if not lines or (body is answer and not lines[0][0].isspace()):
        return ""
    if not lines[0][0].isspace():
        rest_stands = len(lines) > 1 and not [line for line in lines[1:] if not line.startswith("    ")]
        body = "    " + (body.lstrip() if rest_stands else body.strip("\n").replace("\n", "\n    "))
    kept = body.strip("\n").split("\n")
    end = next((at for at, line in enumerate(kept) if re.match(r"\S", line)), None)
    return f"{prompt.rstrip()}\n" + "\n".join(kept[:end])


def _fences(answer: str) -> list[str]:
    """What stands in the fenced blocks of an answer; the last may be open."""
    return re.findall(r"```(?:[Pp]ython3?|py)?[ \t]*\n(.*?)(?:```|\Z)", answer, flags=re.DOTALL)


def runs(code: str, function: str, cases: Sequence[Sequence[Any]]) -> bool:
    """Whether `function` of `code` returns, for each case `[arguments, value]`, a value equal to it and of its type."""
    return _passes({"code": code, "function": function, "cases": list(cases), "test": "", "cpu": 2}, SECONDS)


def passes(code: str, function: str, test: str) -> bool:
    """Whether `function` of `code` passes a test: Python code that defines `check`, which takes the function."""
    work = {"code": code, "function": function, "cases": [], "test": test, "cpu": math.ceil(TEST_SECONDS / 2)}
    return _passes(work, TEST_SECONDS)


def _passes(work: Mapping[str, Any], seconds: float) -> bool:
    """Runs a program in its own process. What does not end in time has not passed."""
    nonce = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _RUNNER],
            cwd=folder,
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
        try:  # a program that does not end is a wrong answer, not a fault of ours
            output, _ = process.communicate(json.dumps({**work, "nonce": nonce}), timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return False
    return process.returncode == 0 and output.endswith(nonce)
