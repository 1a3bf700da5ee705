"""Checks of answers in a form that programs read: JSON, CSV, numbered lists, tables, code, or what a pattern says."""

import csv
import json
import re
from collections.abc import Sequence
from typing import Literal

from dragoman.suites.questions.verdict import NOTHING, Verdict, normalised, unfenced


def json_value(answer: str, kind: Literal["object", "list"], keys: Sequence[str] = (), count: int = -1) -> Verdict:
    """The answer is a JSON object with exactly these keys, or a list of so many items; perhaps in a code fence."""
    try:  # what a model wrote is input from outside
        found = json.loads(unfenced(answer))
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        return NOTHING
    if not isinstance(found, dict if kind == "object" else list):
        return Verdict(False)
    right = not keys or (isinstance(found, dict) and set(found) == set(keys))
    return Verdict(right and (count < 0 or len(found) == count))


def csv_rows(answer: str, columns: int, rows: int = 1) -> Verdict:
    """So many lines of comma-separated values and no others, each with so many fields that aren't empty."""
    found = list(csv.reader(unfenced(answer).splitlines(), skipinitialspace=True))
    if not found:
        return NOTHING
    return Verdict(len(found) == rows and all(len(row) == columns and all(map(str.strip, row)) for row in found))


def numbered_list(answer: str, count: int) -> Verdict:
    """The answer is a list of exactly so many different items, numbered from 1 (`1.` or `1)`), and no other line."""
    lines = [line.strip() for line in unfenced(answer).splitlines() if line.strip()]
    found = [re.fullmatch(r"(\d{1,6})[.)]\s+(.+)", line) for line in lines]
    items = [one for one in found if one]
    if not items:
        return NOTHING
    numbers = [int(one[1]) for one in items]
    different = len({normalised(one[2]) for one in items})
    return Verdict(len(lines) == different == count and numbers == list(range(1, count + 1)))


def markdown_table(answer: str, columns: int, rows: int = -1) -> Verdict:
    """There is one Markdown table, with so many columns and, if given, so many rows below its heading."""
    lines = [line.strip() for line in answer.splitlines() if "|" in line]
    if not lines:
        return NOTHING
    cells = [line.removeprefix("|").removesuffix("|").split("|") for line in lines]
    ruled = len(cells) > 2 and all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in cells[1])
    return Verdict(ruled and {len(row) for row in cells} == {columns} and (rows < 0 or len(cells) - 2 == rows))


def code_block(answer: str, language: str = "", alone: bool = False) -> Verdict:
    """There is exactly one block of code between ``` fences, marked with the language; if `alone`, nothing else."""
    if not answer.strip():
        return NOTHING
    found = re.findall(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", answer.strip() + "\n", re.MULTILINE | re.DOTALL)
    if len(found) != 1 or not found[0][1].strip():
        return Verdict(False)
    rest = answer.strip()
    whole = rest.startswith("```") and rest.endswith("```")
    return Verdict((not language or found[0][0].strip().casefold() == language.casefold()) and (whole or not alone))


def matches(answer: str, pattern: str) -> Verdict:
    """The whole answer, without blanks, a code fence or bold type around it, matches a regular expression of Python."""
    text = unfenced(answer).strip("*").strip()
    return Verdict(re.fullmatch(pattern, text) is not None) if text else NOTHING
