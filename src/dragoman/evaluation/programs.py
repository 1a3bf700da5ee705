"""Runs a small program that a model wrote, in a process of its own with little memory and little time.

This keeps accidents away (endless loops, floods of output, files written by mistake). It is no wall
against a program that means harm: run models that you do not trust inside a container.
"""

import json
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

SECONDS = 5

# The nonce is printed only after every case gave its value, so that a program which merely exits, or prints
# something of its own, does not pass.
_RUNNER = """
import json, resource, sys
for limit, value in ((resource.RLIMIT_CPU, 2), (resource.RLIMIT_AS, 1 << 29), (resource.RLIMIT_FSIZE, 0),
                     (resource.RLIMIT_NOFILE, 16), (resource.RLIMIT_CORE, 0)):
    resource.setrlimit(limit, (value, value))
def run():
    work = json.load(sys.stdin)
    space = {"__name__": "answer"}
    exec(compile(work["code"], "answer", "exec"), space)
    function = space[work["function"]]
    for arguments, value in work["cases"]:
        got = json.loads(json.dumps(function(*arguments)))
        if type(got) is not type(value) or got != value:
            return
    sys.__stdout__.write(work["nonce"])
run()
"""


def code_of(answer: str, function: str) -> str:
    """The Python code in an answer: a fenced block, or the lines from the first definition on. Empty: none found."""
    fences = re.findall(r"```(?:python|py)?[ \t]*\n(.*?)(?:```|\Z)", answer, flags=re.DOTALL)
    code = next((block for block in fences if f"def {function}(" in block), None)
    if code is None:
        lines = answer.splitlines()
        starts = [at for at, line in enumerate(lines) if re.match(r"(def|import|from|@)\b|@", line)]
        kept = lines[starts[0] :] if starts else []
        end = next(
            (at for at, line in enumerate(kept) if line and not re.match(r"\s|def |import |from |@|#", line)), None
        )
        code = "\n".join(kept[:end])
    return code if f"def {function}(" in code else ""


def runs(code: str, function: str, cases: Sequence[Sequence[Any]]) -> bool:
    """Whether `function` of `code` returns, for each case `[arguments, value]`, a value equal to it and of its type."""
    nonce = secrets.token_hex(16)
    work = json.dumps({"code": code, "function": function, "cases": list(cases), "nonce": nonce})
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
            output, _ = process.communicate(work, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return False
    return process.returncode == 0 and output.endswith(nonce)
