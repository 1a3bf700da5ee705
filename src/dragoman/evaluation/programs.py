"""Takes the program out of what a model said, and has it run in the sandbox: on cases, or by a test of its own."""

import re
from collections.abc import Sequence
from typing import Any

from dragoman.evaluation.sandbox import Work, outcome

SECONDS, CPU = 5, 2  # for the cases of a small function: on the clock, and on a processor
TEST_SECONDS, TEST_CPU = 8, 4  # for unit tests, some of which compute a while


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
    """Whether `function` of `code` returns, for each case `[arguments, value]`, a value equal to it and of its type.

    `EngineError` where foreign programs can't be run safely.
    """
    return outcome(Work(code, function, SECONDS, CPU, cases=cases)).passed


def work_of(code: str, function: str, test: str, prompt: str = "") -> Work:
    """The work of having `function` of `code` pass a test: Python code that defines `check`, which takes it.

    The test sees what `prompt`, the beginning of the program, defines beside the function.
    """
    return Work(code, function, TEST_SECONDS, TEST_CPU, test=test, prompt=prompt)


def passes(code: str, function: str, test: str, prompt: str = "") -> bool:
    """Whether `function` of `code` passes a test, as `work_of` has it; `EngineError` where it can't be run safely."""
    return outcome(work_of(code, function, test, prompt)).passed
