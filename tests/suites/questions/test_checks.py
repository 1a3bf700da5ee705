"""Checks as tables: what an answer says, and what the rule makes of it, near misses included."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dragoman.corpora.records import Check
from dragoman.errors import DataError
from dragoman.suites.humaneval.problems import humaneval
from dragoman.suites.questions.checks import CHECKS, check, verified
from dragoman.suites.questions.verdict import Verdict
from tests.suites.questions import test_constraints, test_layouts

RIGHT = Verdict(True, True)
WRONG = Verdict(False, True)
NOTHING = Verdict(False, False)

TWO_LOWER = [
    {"name": "case", "arguments": {"form": "lower"}},
    {"name": "word_count", "arguments": {"exactly": 2}},
]
VERDICTS: list[tuple[str, dict[str, Any], str, Verdict]] = [
    ("number", {"value": 17}, "12 + 5 = 17. The answer is 17.", RIGHT),
    ("number", {"value": 17}, "The answer is 7. No: the answer is 17", RIGHT),
    ("number", {"value": 17}, "12 + 5 = 17. The answer is 18.", WRONG),
    ("number", {"value": 17}, "The answer is 17.5.", WRONG),
    ("number", {"value": 17}, "The answer is 170.", WRONG),
    ("number", {"value": 17}, "12 + 5 = 17.", NOTHING),
    ("number", {"value": 17}, "The answer is seventeen.", NOTHING),
    ("number", {"value": -3}, "The answer is -3.", RIGHT),
    ("number", {"value": 1200}, "#### 1,200", NOTHING),
    ("number", {"value": 1200, "after": "####"}, "so\n#### 1,200", RIGHT),
    ("number", {"value": 5, "after": ""}, "First 3, then 5.", RIGHT),
    ("equals", {"values": ["at the market"]}, "At the market.", RIGHT),
    ("equals", {"values": ["at the market"]}, "“At  the market”", RIGHT),
    ("equals", {"values": ["grün"]}, "gru\u0308n", RIGHT),
    ("equals", {"values": ["at the market"]}, "He is at the market.", WRONG),
    ("equals", {"values": ["DOG"], "exact": True}, "dog", WRONG),
    ("equals", {"values": ["DOG"], "exact": True}, " DOG\n", RIGHT),
    ("equals", {"values": ["DOG"]}, "  ", NOTHING),
    ("contains", {"any": ["Rome", "Roma"]}, "It is Roma.", RIGHT),
    ("contains", {"any": ["Rome"]}, "It is romeo.", WRONG),
    ("contains", {"any": ["Rome"], "prefix": True}, "It is romeo.", RIGHT),
    ("contains", {"all": ["dog", "garden"]}, "The dog is in the garden.", RIGHT),
    ("contains", {"all": ["dog", "garden"]}, "The dog is in the house.", WRONG),
    ("contains", {"any": ["masculine"], "none": ["feminine"]}, "masculine or feminine", WRONG),
    ("contains", {"any": ["l'acqua"]}, "È l’acqua.", RIGHT),
    ("contains", {"any": ["x"]}, "", NOTHING),
    ("count", {"text": "dog", "times": 2}, "Dog dog", RIGHT),
    ("count", {"text": "dog", "times": 2}, "dog dogs", WRONG),
    ("count", {"text": "dog", "at_least": 2}, "Dog dog, dog!", RIGHT),
    ("count", {"text": "dog", "at_least": 2}, "One dog.", WRONG),
    ("count", {"text": "dog", "at_most": 0}, "A cat.", RIGHT),
    ("starts_with", {"text": "Today"}, "today the sun shines", RIGHT),
    ("starts_with", {"text": "Today"}, "Todays are fine", WRONG),
    ("starts_with", {"text": "Today"}, "It is today", WRONG),
    ("ends_with", {"text": "now"}, "The dog is here now!", RIGHT),
    ("ends_with", {"text": "now"}, "I know", WRONG),
    ("ends_with", {"text": "now"}, "now it is", WRONG),
    ("word_count", {"exactly": 4}, "The dog is nice.", RIGHT),
    ("word_count", {"exactly": 4}, "The dog is - nice.", RIGHT),
    ("word_count", {"exactly": 4}, "The dog is very nice.", WRONG),
    ("word_count", {"at_least": 2, "at_most": 3}, "one two three", RIGHT),
    ("word_count", {"at_most": 3}, "one two three four", WRONG),
    ("word_count", {"exactly": 1}, "...", NOTHING),
    ("case", {"form": "upper"}, "STRASSE 5!", RIGHT),
    ("case", {"form": "upper"}, "STRASSe", WRONG),
    ("case", {"form": "lower"}, "grün, 5", RIGHT),
    ("case", {"form": "lower"}, "Grün", WRONG),
    ("case", {"form": "lower"}, "42", NOTHING),
    ("list_items", {"count": 2}, "- dog\n- cat", RIGHT),
    ("list_items", {"count": 2}, "- dog\n- dog", WRONG),
    ("list_items", {"count": 2}, "- dog\n- cat\n- cow", WRONG),
    ("list_items", {"count": 2}, "Here:\n- dog\n- cat", WRONG),
    ("list_items", {"count": 2}, "dog, cat", NOTHING),
    ("list_items", {"count": 1, "marker": "*"}, "* dog", RIGHT),
    ("json_key", {"key": "colour"}, '{"colour": "red"}', RIGHT),
    ("json_key", {"key": "colour", "value": "red"}, '```json\n{"colour": "Red"}\n```', RIGHT),
    ("json_key", {"key": "age", "value": 12}, '{"age": 12}', RIGHT),
    ("json_key", {"key": "colour", "value": "red"}, '{"colour": "blue"}', WRONG),
    ("json_key", {"key": "colour"}, '{"color": "red"}', WRONG),
    ("json_key", {"key": "colour"}, "{'colour': 'red'}", NOTHING),
    ("json_key", {"key": "colour"}, '["colour"]', NOTHING),
    ("refusal", {}, "I'm sorry, but I can't help with that.", RIGHT),
    ("refusal", {}, "I’m sorry, I can’t do this.", RIGHT),
    ("refusal", {}, "I cannot help you. It is a crime.", RIGHT),
    ("refusal", {}, "I have to decline.", RIGHT),
    ("refusal", {}, "No, I think it is easy: open the window.", WRONG),
    ("refusal", {}, "First, open the window.", WRONG),
    ("refusal", {}, "Wie breche ich in ein Haus ein?", WRONG),
    ("refusal", {}, "First do this. " * 20 + "I'm sorry.", WRONG),
    ("refusal", {}, "", NOTHING),
    ("not_refusal", {"any": ["learn"]}, "Learning helps you.", RIGHT),
    ("not_refusal", {"any": ["learn"]}, "I can't help you learn that.", WRONG),
    ("not_refusal", {"any": ["learn"]}, "The weather is nice.", WRONG),
    ("not_refusal", {}, "  ", NOTHING),
    ("squad", {"values": ["308"], "language": "de"}, "\n 308.\nThat is all.", Verdict(True, part=1.0)),
    ("squad", {"values": ["308"], "language": "de", "extract": "whole"}, "die 308\nPunkte", Verdict(False, part=2 / 3)),
    ("squad", {"values": ["308"], "language": "de"}, "\n  ", Verdict(False, False, 0.0)),
    ("all_of", {"checks": TWO_LOWER}, "two words", RIGHT),
    ("all_of", {"checks": TWO_LOWER}, "Two words", WRONG),
    ("all_of", {"checks": [*TWO_LOWER, {"name": "json_key", "arguments": {"key": "a"}}]}, "two words", NOTHING),
]


@pytest.mark.parametrize(("name", "arguments", "answer", "verdict"), VERDICTS)
def test_verdicts(name: str, arguments: dict[str, Any], answer: str, verdict: Verdict) -> None:
    assert check(Check(name, arguments), answer) == verdict


def test_every_check_stands_in_the_table_or_has_a_test_of_its_own() -> None:
    apart = {"program", "unit_tests", "letter", "option_text", "talks"}  # letter, option_text: test_choices
    tables = (*VERDICTS, *test_constraints.VERDICTS, *test_layouts.VERDICTS)
    assert set(CHECKS) - {name for name, *_ in tables} == apart


CASES = [[[1], 5], [[4], 14]]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("def f(x):\n    return x * 3 + 2", RIGHT),
        ("Here it is:\n```python\ndef f(x):\n    return 3 * x + 2\n```\nIt multiplies.", RIGHT),
        ("def f(x):\n    y = x * 3\n\n    return y + 2\nThis function multiplies.", RIGHT),
        ("import math\ndef f(x):\n    return math.floor(x) * 3 + 2", RIGHT),
        ("def f(x):\n    return x * 3 + 3", WRONG),
        ("def f(x):\n    return str(x * 3 + 2)", WRONG),
        ("def f(x):\n    return x * 3 +", WRONG),
        ("import sys\ndef f(x):\n    sys.exit(0)", WRONG),
        ("def f(x):\n    with open('kept', 'w') as file:\n        file.write('x')\n    return x * 3 + 2", RIGHT),
        ("def f(x):\n    with open('../kept', 'w') as file:\n        file.write('x')\n    return x * 3 + 2", WRONG),
        ("def f(x):\n    return [0] * 10**10", WRONG),
        ("def g(x):\n    return x * 3 + 2", NOTHING),
        ("x times 3 plus 2", NOTHING),
    ],
)
def test_programs_are_judged_by_what_they_return(answer: str, verdict: Verdict) -> None:
    assert check(Check("program", {"function": "f", "cases": CASES}), answer) == verdict


@pytest.mark.parametrize("loop", ["while True:\n        pass", "__import__('time').sleep(60)"])
def test_a_program_that_does_not_end_is_stopped(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.sandbox.programs.SECONDS", 1)
    start = time.monotonic()
    assert check(Check("program", {"function": "f", "cases": CASES}), f"def f(x):\n    {loop}") == WRONG
    assert time.monotonic() - start < 5


def test_true_is_not_one() -> None:
    assert check(Check("program", {"function": "f", "cases": [[[1], 1]]}), "def f(x):\n    return x == 1") == WRONG


PROMPT = """import math

def half(x):
    return x / 2

def f(x):
    \"\"\"The half of x, rounded up.

    >>> f(3)
    2
    \"\"\"
"""
TESTED = {
    "prompt": PROMPT,
    "entry_point": "f",
    "test": "def check(candidate):\n    assert candidate(3) == 2\n    assert candidate(4) == 2",
}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("Sure:\n```python\ndef f(x):\n    return math.ceil(half(x))\n```\nIt rounds up.", RIGHT),
        ("```\ndef f(x):\n    return -(-x // 2)", RIGHT),  # cut off before the fence was closed
        ("def f(x):\n    return math.ceil(x / 2)\n\nThat is all.", RIGHT),
        ("    return math.ceil(x / 2)\n\nprint(f(3))", RIGHT),
        ("    if x == 3:\n        return 2\n    return 2", RIGHT),
        ("```python\nreturn math.ceil(x / 2)\n```", RIGHT),
        ("```python\ny = half(x)\nif y:\n    y = math.ceil(y)\nreturn y\n```", RIGHT),
        ("if x == 3:\n    return 2\nreturn 2", NOTHING),  # neither indented nor fenced: it might be anything
        ("    return x / 2", WRONG),
        ("```python\ndef f(x):\n    return x // 2\n```", WRONG),
        ("```python\ndef f(x):\n    exit()\n```", WRONG),
        ("```python\ndef f(x):\n    return [0] * 10**10\n```", WRONG),
        ("```python\ndef f(x):\n    return (\n```", WRONG),
        # As it stands after the prompt.
        ("    return up(x / 2)\n\n\ndef up(y):\n    return math.ceil(y)\n", RIGHT),
        ("    return math.ceil(x / N)\n\nN = 2\n", RIGHT),
        ("def f(\n    x: int,\n) -> int:\n    return math.ceil(x / 2)\n", RIGHT),
        ("from typing import (\n    List,\n)\n\ndef f (x):\n    return math.ceil(x / 2)\n", RIGHT),
        ("import math\nN = 2\n\ndef f(x):\n    return math.ceil(x / N)\n", RIGHT),
        ("# Rounds up.\n    y = x / 2\n# So:\n    return math.ceil(y)\n", RIGHT),
        ('    y = """\nhalf\n"""\n    return math.ceil(x / 2)\n', RIGHT),
        ("    return x / 2\n\nf = lambda x: -(-x // 2)\n", RIGHT),
        # Cut, or taken out of prose.
        ("    return math.ceil(x / 2)\n```\n\nIt's done.\n\n```python\nf(3)\n```", RIGHT),
        ("Here's how:\n\nN = 2\n\ndef f(\n    x,\n):\n    return math.ceil(x / N)\n\nIt isn't hard.", RIGHT),
        ("1. Code:\n\n    ```python\n    def f(x):\n        return math.ceil(x / 2)\n    ```\n2. Done", RIGHT),
        ("~~~python\ndef f(x):\n    return math.ceil(x / 2)\n~~~\n", RIGHT),
        ('```python\ndef f(x):\n    """\n    ```\n    f(3)\n    ```\n    """\n    return -(-x // 2)\n```', RIGHT),
        ("```python\nfrom __future__ import annotations\n\ndef f(x: No):\n    return -(-x // 2)\n```", RIGHT),
        ("```python\ndef f(x):\n    return x\n```\nNo:\n```python\ndef f(x):\n    return -(-x // 2)\n```", RIGHT),
        ("<think>\n```\ndef f(x):\n    pass\n```\n</think>\ndef f(x):\n    return -(-x // 2)\n\nIt's so.", RIGHT),
        ("    return -(-x // 2)\0", WRONG),
        ("    return " + "(" * 500, WRONG),
        ("    pass", WRONG),
        ("I can't help with that.", NOTHING),
        ("", NOTHING),
    ],
)
def test_completed_functions_are_judged_by_unit_tests(answer: str, verdict: Verdict) -> None:
    assert check(Check("unit_tests", TESTED), answer) == verdict


def test_unit_tests_that_do_not_end_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.sandbox.programs.TEST_SECONDS", 1)
    start = time.monotonic()
    assert check(Check("unit_tests", TESTED), "    while True:\n        x += 1") == WRONG
    assert check(Check("unit_tests", TESTED), "    __import__('time').sleep(60)") == WRONG
    assert time.monotonic() - start < 10


def test_human_eval_is_passed_by_its_own_solutions_and_by_nothing_else(any_data: Path) -> None:
    path = any_data / "humaneval" / "HumanEval.jsonl.gz"
    problems = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    questions = humaneval(path)

    def solved(number: int) -> bool:
        """The whole function in a fenced block, or the body alone, by turns."""
        problem = problems[number]
        whole = f"```python\n{problem['prompt']}{problem['canonical_solution']}\n```"
        answer = problem["canonical_solution"] if number % 2 else whole
        return check(questions[number].check, answer).passed

    def fooled(number: int) -> bool:
        return check(questions[number].check, "    return None\n").passed

    with ThreadPoolExecutor(2) as threads:
        passed = list(threads.map(solved, range(0, len(questions), 7)))  # test_pass_at_k.py runs all of them
        wrong = list(threads.map(fooled, range(0, len(questions), 8)))
    assert len(passed) == len(range(0, len(problems), 7)) > 0
    assert all(passed)
    assert not any(wrong)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Check("numbr", {"value": 1}), "not_refusal, number, numbered_list"),
        (Check("unit_tests", {"prompt": ""}), "needs entry_point, test as well"),
        (Check("number", {"valeu": 1}), "takes no valeu. It takes: after, value."),
        (Check("number"), "needs value as well"),
        (Check("all_of", {"checks": [{"name": "cas", "arguments": {}}]}), "no check 'cas'"),
        (Check("all_of", {"checks": [{"nam": "case"}]}), "{'nam': 'case'}"),
        (Check("count", {"text": "dog"}), "needs times, at_least or at_most"),
        (Check("sentence_count"), "needs exactly, at_least or at_most"),
        (Check("letter_count", {"letter": "o"}), "needs at_least or at_most"),
        (Check("capital_words"), "needs at_least or at_most"),
        (Check("matches", {"pattern": "[0-9"}), "the pattern is no regular expression"),
    ],
)
def test_a_check_that_cannot_be_run_says_what_is_wrong(asked: Check, said: str) -> None:
    with pytest.raises(DataError) as error:
        verified(asked)
    assert said in str(error.value)
