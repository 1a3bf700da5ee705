"""Programs in answers: extracts the code from what a model said, and runs it in the sandbox on cases or a test."""

import re
import textwrap
import threading
import warnings
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from dragoman.sandbox.sandbox import Work, outcome

SECONDS, CPU = 5, 2  # for the cases of a small function: on the clock, and on a processor
TEST_SECONDS, TEST_CPU = 8, 4  # for unit tests, some of which compute a while
_STARTS, _CUTS = 20, 100  # how often a program is looked for in prose
_WARNINGS = threading.Lock()  # the filter of warnings is one for all threads
_FENCE = re.compile(
    r"^([ \t]*)(?:[^\s`][^\n`]*[ \t])?(`{3,})[^\n`]*\n(.*?)(?:^(?:\1| {0,3})\2|(?<=\S)\2[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


def code_of(answer: str, function: str) -> str:
    """The Python code in an answer that defines `function`; empty if there is none.

    The answer itself if it compiles; otherwise, without its thoughts, the last fenced block that does, or the lines
    from a first definition on, as far as they compile. If none compiles, the nearest candidate.
    """
    answer = _said(answer)
    blocks = [code for code in reversed(_fences(answer)) if _defines(code, function)]
    whole = [answer] if _defines(answer, function) else []
    for code in chain(whole, blocks, _unfenced(answer) if whole else ()):
        if _defines(code, function) and not _fault(code):
            return code
    return next(chain(blocks, whole), "")


def completed(answer: str, prompt: str, function: str) -> str:
    """The whole program, if an answer completes `prompt`, which ends within `function`; empty if there is no code.

    If the answer compiles as it stands after the prompt, that is the program. Otherwise it is cut where it turns into
    prose, or code is taken out of it: the function again, with the prompt's imports and helpers before it, or a
    fenced block with the body.
    """
    if not answer.strip():
        return ""
    if not _fault(prompt + answer):
        return prompt + answer
    answer, head = _said(answer), f"{prompt.rstrip()}\n"
    kept = _cut(head + answer)
    if _defines(kept[len(head) :], function) or re.search(r"^[ \t]+\S", kept[len(head) :], re.MULTILINE):
        return kept
    if code := code_of(answer, function):
        return _future_first(f"{head}    pass\n\n{code}")
    blocks = [block for block in _fences(answer) if block.strip()]
    bodies = [head + body for block in blocks for body in (textwrap.indent(block, "    "), f"    {block.lstrip()}")]
    if not bodies and re.match(r"\s*^[ \t]+\S", answer, re.MULTILINE):
        bodies = [head + answer]
    return next((program for program in bodies if not _fault(program)), next(iter(bodies), ""))


def _said(answer: str) -> str:
    """An answer without the thoughts before it, with plain line ends and one kind of fence.

    (A line of tildes before a word would compile.)
    """
    plain = re.sub(r"\r\n?", "\n", answer).rpartition("</think>")[2]
    return re.sub(r"^([ \t]*)~{3,}", r"\1```", plain, flags=re.MULTILINE)


def _defines(code: str, function: str) -> bool:
    name = re.escape(function)
    return bool(re.search(rf"^((async[ \t]+)?def[ \t]+{name}[ \t]*\(|{name}[ \t]*=[^=])", code, re.MULTILINE))


def _fences(answer: str) -> list[str]:
    """The contents of an answer's fenced blocks, which may be indented; the last may be unclosed."""
    return [textwrap.dedent(found[3]) for found in _FENCE.finditer(answer)]


def _unfenced(answer: str) -> Iterator[str]:
    """For each line that might begin a program: what compiles from there on."""
    lines = answer.split("\n")
    starts = (at for at, line in enumerate(lines) if re.match(r"(def|async|class|import|from)\b|@|\w+[ \t]*=", line))
    for at in islice(starts, _STARTS):
        yield _cut("\n".join(lines[at:]))


def _cut(code: str) -> str:
    """The longest beginning of some code that compiles, up to a line in column 0; empty if none does."""
    lines = code.split("\n")
    for _ in range(_CUTS):
        fault = _fault("\n".join(lines))
        if not fault:
            return "\n".join(lines)
        heads = [at for at, line in enumerate(lines[:fault]) if line and not line[0].isspace()]
        lines = lines[: heads[-1]] if heads else []
    return ""


def _fault(code: str) -> int:
    """The line at which code does not compile; 0 if it does."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a model wrote
        try:
            compile(code, "answer", "exec", dont_inherit=True)
        except SyntaxError as error:
            return error.lineno or 1
        except (ValueError, MemoryError, RecursionError):  # no text, or nested too deep
            return 1
    return 0


def _future_first(program: str) -> str:
    """Moves imports from `__future__` to the top, where they must be."""
    future = re.compile(r"^from __future__ import .*\n?", re.MULTILINE)
    return "".join([*future.findall(program), future.sub("", program)])


def runs(code: str, function: str, cases: Sequence[Sequence[object]]) -> bool:
    """Whether `function` of `code` returns, for each case `[arguments, value]`, a value equal to it and of its type.

    `EngineError` if foreign programs can't be run safely.
    """
    return outcome(Work(code, function, SECONDS, CPU, cases=cases)).passed


def work_of(code: str, function: str, test: str, prompt: str = "") -> Work:
    """The work of having `function` of `code` pass a test: Python code that defines `check`, which takes the function.

    The test sees what `prompt`, the beginning of the program, defines besides the function.
    """
    return Work(code, function, TEST_SECONDS, TEST_CPU, test=test, prompt=prompt)


def passes(code: str, function: str, test: str, prompt: str = "") -> bool:
    """Whether `function` of `code` passes a test (see `work_of`); `EngineError` if it can't be run safely."""
    return outcome(work_of(code, function, test, prompt)).passed
