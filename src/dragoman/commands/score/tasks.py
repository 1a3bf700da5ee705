"""`dragoman score --task`: scores answers to a benchmark's questions, and published judgements, as its suite does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dragoman.commands.score.corpus import named
from dragoman.errors import DataError, from_here
from dragoman.recipe.faults import suggestion
from dragoman.scoring.saved_outputs import SystemScore, graded_score, mean_score, pooled_score, signature
from dragoman.suites import Mean, OfGraded, Saved, Share, saved_tasks


def task_scores(
    task: str, saved: Saved, given: Mapping[str, Sequence[Path]], tell: Callable[[str], None]
) -> list[SystemScore]:
    """Every metric of a task for every system; `given` are the files by the options that name them.

    DataError if there is no such task, or what it needs was not named.
    """
    known = saved_tasks()
    if task not in known:
        raise DataError(f"there is no task {task!r} to score: {suggestion(task, list(known))}")
    option = known[task].option
    files = given[option]
    if option != "--predictions":
        if not files:
            raise DataError(f"--task {task} needs {option} FILE, as it was published")
        saved = replace(saved, files={str(path): path for path in files})
    else:
        missing = [name for name, there in (("--data", saved.data), ("--predictions", files)) if not there]
        if missing:
            answered = [name for name, one in known.items() if one.option == option]
            raise DataError(f"--task {task} needs {' and '.join(missing)} as well (one of {', '.join(answered)})")
        if saved.data and not saved.data.exists():
            raise DataError(f"there is no file or folder {saved.data}{from_here(saved.data)}")
        saved = replace(saved, files=named(files))
    return [_scored(one) for one in known[task].score(saved, tell)]


def _scored(result: Mean | Share | OfGraded) -> SystemScore:
    match result:
        case Mean():
            return mean_score(result.metric, result.system, result.values, signature(result.metric, **result.told))
        case Share():
            return pooled_score(result.metric, result.system, result.verdicts, signature(result.metric, **result.told))
        case _:
            return graded_score(result.graded, result.system, result.metric, result.chosen)
