"""What goes to lm-evaluation-harness' process, and what it writes down of each task, as JSON."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from dragoman.json_values import Json


class TaskJob(TypedDict):
    """One suite that the process is to run: its tasks, and the file for what they came to."""

    name: str
    suite: str
    """As `evaluate` calls it."""
    specs: Sequence[str]
    """Names that the harness is given."""
    unsafe: bool
    """Whether it runs programs that a model wrote."""
    out: str
    how: NotRequired[Mapping[str, str]]
    """What a signature says beside the task."""


class Job(TypedDict, total=False):
    """What the process is to do; without a backend it writes down only what the tasks ask, and needs no more."""

    backend: str | None
    yaml: str
    """The folder of the tasks' files."""
    limit: int | None
    tasks: Sequence[TaskJob]
    arguments: Mapping[str, object]
    batch_size: int | str
    device: str | None
    shots: int | None
    system: str | None
    chat_template: bool


class Sample(TypedDict):
    """One document under one filter: what was asked and answered, and its metrics."""

    doc: int
    hash: str
    question: str
    filter: str
    answer: Json
    target: Json
    metrics: Mapping[str, Json]


class Found(TypedDict):
    """What one suite came to. Keys of the mappings are the names of tasks and groups."""

    asked: TaskJob
    lm_eval: str
    results: dict[str, dict[str, Json]]
    """By metric and filter, as in `exact_match,strict-match`."""
    groups: Sequence[str]
    subtasks: Mapping[str, Sequence[str]]
    versions: Mapping[str, Json]
    shots: Mapping[str, Json]
    better: Mapping[str, Mapping[str, bool]]
    """By metric, whether more is better."""
    metrics: Mapping[str, Sequence[str]]
    cut: Mapping[str, int]
    shortened: Mapping[str, int]
    context: int | None
    settings: Mapping[str, Json]
    seconds: float
    samples: Mapping[str, Sequence[Sample]]
