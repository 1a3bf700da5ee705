"""Checks of answers that programs read, as tables, near misses included."""

from typing import Any

import pytest

from dragoman.corpora.records import Check
from dragoman.suites.questions.checks import check
from dragoman.suites.questions.verdict import Verdict

RIGHT = Verdict(True, True)
WRONG = Verdict(False, True)
NOTHING = Verdict(False, False)

TABLE = "| animal | legs |\n|:---|---:|\n| dog | 4 |\n| bird | 2 |"
VERDICTS: list[tuple[str, dict[str, Any], str, Verdict]] = [
    ("json_value", {"kind": "object", "keys": ["a", "b"]}, '{"b": 1, "a": 2}', RIGHT),
    ("json_value", {"kind": "object", "keys": ["a", "b"]}, '```json\n{"b": 1, "a": 2}\n```', RIGHT),
    ("json_value", {"kind": "object", "keys": ["a"]}, '{"b": 1, "a": 2}', WRONG),
    ("json_value", {"kind": "object", "keys": ["a", "b"]}, '["a", "b"]', WRONG),
    ("json_value", {"kind": "object", "keys": ["a"]}, "{a: 1}", NOTHING),
    ("json_value", {"kind": "list", "count": 2}, "[1, 2]", RIGHT),
    ("json_value", {"kind": "list", "count": 2}, "[1, 2, 3]", WRONG),
    ("json_value", {"kind": "list", "count": 2}, "Here: [1, 2]", NOTHING),
    ("json_value", {"kind": "list"}, "[" * 5000, NOTHING),
    ("csv_rows", {"columns": 3}, '1,"a, b",c', RIGHT),
    ("csv_rows", {"columns": 3}, "1,a,b,c", WRONG),
    ("csv_rows", {"columns": 3}, "1,a,", WRONG),
    ("csv_rows", {"columns": 2, "rows": 2}, "```csv\nname,age\nAnn, 30\n```", RIGHT),
    ("csv_rows", {"columns": 2, "rows": 2}, "Ann,30", WRONG),
    ("csv_rows", {"columns": 2}, "", NOTHING),
    ("numbered_list", {"count": 2}, "1. dog\n2) cat", RIGHT),
    ("numbered_list", {"count": 2}, "Here:\n1. dog\n2. cat", WRONG),
    ("numbered_list", {"count": 2}, "1. dog\n1. cat", WRONG),
    ("numbered_list", {"count": 2}, "1. dog\n2. Dog.", WRONG),
    ("numbered_list", {"count": 2}, "dog, cat", NOTHING),
    ("markdown_table", {"columns": 2, "rows": 2}, TABLE, RIGHT),
    ("markdown_table", {"columns": 2}, f"Here it is:\n\n{TABLE}\n\nFine?", RIGHT),
    ("markdown_table", {"columns": 2}, "animal | legs\n--- | ---\ndog | 4", RIGHT),
    ("markdown_table", {"columns": 2, "rows": 3}, TABLE, WRONG),
    ("markdown_table", {"columns": 3}, TABLE, WRONG),
    ("markdown_table", {"columns": 2}, "| dog | 4 |\n| bird | 2 |", WRONG),
    ("markdown_table", {"columns": 2}, "dog 4", NOTHING),
    ("code_block", {"language": "python"}, "Here:\n```python\nprint(1)\n```\nDone.", RIGHT),
    ("code_block", {"alone": True}, "```\nprint(1)\n```", RIGHT),
    ("code_block", {"alone": True}, "Here:\n```\nprint(1)\n```", WRONG),
    ("code_block", {"language": "python"}, "```bash\nls\n```", WRONG),
    ("code_block", {}, "```\na\n```\n```\nb\n```", WRONG),
    ("code_block", {}, "```\n```", WRONG),
    ("code_block", {}, "print(1)", WRONG),
    ("matches", {"pattern": r"\d\d:\d\d"}, "**09:30**", RIGHT),
    ("matches", {"pattern": r"\d\d:\d\d"}, "09:30.", WRONG),
    ("matches", {"pattern": "a.+\nb.+"}, "```\na 1\nb 2\n```", RIGHT),
    ("matches", {"pattern": "a"}, "``", WRONG),
    ("matches", {"pattern": "a"}, " ", NOTHING),
]


@pytest.mark.parametrize(("name", "arguments", "answer", "verdict"), VERDICTS)
def test_verdicts(name: str, arguments: dict[str, Any], answer: str, verdict: Verdict) -> None:
    assert check(Check(name, arguments), answer) == verdict
