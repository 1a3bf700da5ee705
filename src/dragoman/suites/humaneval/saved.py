"""Saved programs for HumanEval's problems."""

from dragoman.corpora.formats.outputs import matched, read_outputs
from dragoman.errors import DataError
from dragoman.suites._saved import OfGraded, Result, Saved, SavedTask, Tell, told_notes
from dragoman.suites.humaneval.pass_at_k import judged_programs
from dragoman.suites.humaneval.problems import humaneval


def _score(saved: Saved, tell: Tell) -> list[Result]:
    assert saved.data is not None
    questions = humaneval(saved.data)
    ids = [question.id for question in questions]
    if not all(ids):
        ids = [str(number) for number in range(1, len(questions) + 1)]
    found: list[Result] = []
    for system, path in saved.files.items():
        read = read_outputs(path, ("id", "task_id"), ("output", "completion"))
        outputs = matched(path, read, ids, str(saved.data), several=True)
        if (most := max(saved.ks)) > (fewest := min(map(len, outputs))):
            short = next(name for name, texts in zip(ids, outputs, strict=True) if len(texts) == fewest)
            raise DataError(
                f"{path}: pass@{most} needs {most} outputs of each question, and {short} has {fewest}: a smaller --k?"
            )
        tell(f"{system}: running {sum(map(len, outputs)):,} programs")
        judged = judged_programs(questions, outputs, saved.ks)
        told_notes(judged[0], system, tell)
        found += [OfGraded(graded, system, f"pass@{graded.facts['k']}") for graded in judged]
    return found


TASK = SavedTask("humaneval", _score)
