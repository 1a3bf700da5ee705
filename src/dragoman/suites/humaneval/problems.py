"""HumanEval's problems, read as questions."""

from pathlib import Path

from dragoman.corpora.formats.outputs import read_records
from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError
from dragoman.json_values import as_text

_HUMANEVAL = (
    "Complete the following Python function. Answer with the whole function in one code block.\n\n```python\n{}\n```"
)
_FIELDS = ("prompt", "test", "entry_point")


def humaneval(path: Path) -> list[Question]:
    """The functions in HumanEval's file (.jsonl, or .jsonl.gz), each as a request to complete it.

    The check runs the file's tests. `DataError` if a line is not a HumanEval problem.
    """
    questions = []
    for number, problem in read_records(path):
        missing = [field for field in _FIELDS if not isinstance(problem.get(field), str)]
        if missing:
            raise DataError(f"{path}, line {number}: {', '.join(map(repr, missing))} must be text, as in HumanEval")
        prompt = as_text(problem["prompt"])
        request = Turn("user", _HUMANEVAL.format(prompt.strip("\n")))
        arguments = {field: problem[field] for field in _FIELDS}
        check = Check("unit_tests", arguments)
        name = str(problem.get("task_id", ""))
        questions.append(Question("humaneval", (request,), check, texts=(prompt,), id=name))
    return questions
