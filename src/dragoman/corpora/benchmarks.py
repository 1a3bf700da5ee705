"""Published benchmarks become questions."""

import gzip
import json
from pathlib import Path

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError

_HUMANEVAL = (
    "Complete the following Python function. Answer with the whole function in one code block.\n\n```python\n{}\n```"
)
_FIELDS = ("prompt", "test", "entry_point")


def humaneval(path: Path) -> list[Question]:
    """The functions of HumanEval's file (.jsonl, or .jsonl.gz), each as a request to complete it.

    The check runs the tests of the file. `DataError` where a line is no problem of HumanEval.
    """
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode().split("\n")
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        problem = json.loads(line)
        missing = [field for field in _FIELDS if not isinstance(problem.get(field), str)]
        if missing:
            raise DataError(f"{path}, line {number}: {', '.join(map(repr, missing))} must be text, as in HumanEval")
        request = Turn("user", _HUMANEVAL.format(problem["prompt"].strip("\n")))
        arguments = {field: problem[field] for field in _FIELDS}
        check = Check("unit_tests", arguments)
        name = str(problem.get("task_id", ""))
        questions.append(Question("humaneval", (request,), check, texts=(problem["prompt"],), id=name))
    return questions
