"""Running lm-evaluation-harness as it is: its own tasks, prompts, filters, metrics and backends.

Only where a model and its data come from is decided here. A task is run once for a model; its result is cached.
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

import yaml

from dragoman.disk import read_json, unbroken
from dragoman.errors import DataError
from dragoman.json_values import as_number
from dragoman.models.loading import fingerprint as contents
from dragoman.progress import note
from dragoman.recipe.engines import Generation
from dragoman.recipe.judging import Chat, Harness
from dragoman.store import Digests, fingerprint, sha256, write_atomic
from dragoman.suites._graded import Graded
from dragoman.suites.harness.backend import Backend, backend, with_template
from dragoman.suites.harness.data import Local, local
from dragoman.suites.harness.messages import Found, Job, TaskJob
from dragoman.suites.harness.results import graded
from dragoman.suites.harness.run import OFFLINE, run
from dragoman.suites.harness.tasks import Config, TaskSet, chain, find, installed, suite_name

FORMAT = 2
CONSENT = "HF_ALLOW_CODE_EVAL"
LONGEST = 256
"""The tokens of an answer, if a task does not say."""
_VOICE = ("tokenizer*", "chat_template*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt")
_MORE = ("*.model", "*.tiktoken", "generation_config.json")


def verify(tasks: Sequence[str], settings: Harness) -> None:
    """Checks everything that can be known before a model is opened; imports nothing of the harness.

    Raises DataError if the harness is not installed, a task does not exist (with similar names) or would run programs
    without permission, or local files are missing or lack what a task needs.
    """
    installed()
    suites = [find(task) for task in tasks]
    for suite in suites:
        if suite.unsafe and os.environ.get(CONSENT) != "1":
            raise DataError(
                f"{suite_name(suite.name)} runs programs that a model wrote, and lm-evaluation-harness runs them "
                f"without a sandbox. Take our own `humaneval`, which has one; or set {CONSENT}=1 in the environment "
                "where nothing can be harmed."
            )
        local(suite, settings.data, settings.shots)
    for key in settings.data:
        find(key)  # files for what is not evaluated do no harm, and misspelt names do


def judged(
    tasks: Sequence[str],
    model: Path,
    settings: Harness,
    *,
    chat: Chat = "own",
    system: str | None = None,
    trust_remote_code: bool = False,
    bin_weights: bool = False,
    generation: Generation,
    cache: Path,
    say: Callable[[str], None] = note,
) -> list[Graded]:
    """A model, judged by tasks of lm-evaluation-harness: one benchmark for each name, in order.

    A task's result for these weights, settings and data is cached below `cache`; the harness is started once, for the
    rest. Raises DataError as `verify` does, and EngineError if the harness fails: finished results are kept.
    """
    verify(tasks, settings)
    suites = [find(task) for task in tasks]
    opened = backend(
        model,
        settings,
        chat=chat,
        system=system,
        trust_remote_code=trust_remote_code,
        generation=generation,
        say=say,
    )
    files = {suite.name: local(suite, settings.data, settings.shots) for suite in suites}
    limits = {suite.name: _limits(suite, opened.context) for suite in suites}
    folder = cache / "harness"
    memo = Digests(folder / "digests.json")
    named = _model(model, opened, memo)
    outs = {
        suite.name: folder / f"{suite.name}-{_key(suite, named, opened, settings, system, files, limits, memo)}.json"
        for suite in suites
    }
    memo.save()
    missing = [suite for suite in suites if _read(outs[suite.name]) is None]
    if missing:
        if opened.name in ("hf", "vllm"):
            _check(model, trust_remote_code, bin_weights)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="dragoman-harness-") as at:
            _start(missing, Path(at), model, opened, settings, system, trust_remote_code, files, limits, outs, say)
    found = []
    for suite in suites:
        told = _read(outs[suite.name])
        if told is None:
            raise DataError(f"lm-evaluation-harness left no results of {suite.name}; run again.")
        found.append(graded(told))
    return found


def _check(model: Path, trust_remote_code: bool, bin_weights: bool) -> None:
    """Checks that a model's files are whole: the harness loads the model itself, without such a check."""
    from dragoman.models.outline import UnknownKind, outline

    with suppress(UnknownKind):
        outline(model, trust_remote_code=trust_remote_code, bin_weights=bin_weights)


def texts(tasks: Sequence[str], settings: Harness, *, say: Callable[[str], None] = note) -> dict[str, list[str]]:
    """What the tasks ask, by the names of their suites: the benchmark's texts in each document's prompt.

    Raises DataError as `verify` does, and if the documents could not be had.
    """
    verify(tasks, settings)
    suites = [find(task) for task in tasks]
    say(f"reading what lm-evaluation-harness asks: {', '.join(tasks)}")
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        files = {suite.name: local(suite, settings.data, settings.shots) for suite in suites}
        found: list[TaskJob] = []
        for number, suite in enumerate(suites):
            _write_tasks(suite, at / "tasks", files[suite.name], {}, at / "datasets")
            found.append(_task(suite, at / f"{number}.json"))
        job: Job = {"backend": None, "yaml": str(at / "tasks"), "limit": settings.limit, "tasks": found}
        run(job, _offline(suites, files), say)
        return {task["suite"]: json.loads(Path(task["out"]).read_text(encoding="utf-8")) for task in found}


def _start(
    suites: Sequence[TaskSet],
    at: Path,
    model: Path,
    opened: Backend,
    settings: Harness,
    system: str | None,
    trust_remote_code: bool,
    files: Mapping[str, Mapping[str, Local]],
    limits: Mapping[str, Mapping[str, int]],
    outs: Mapping[str, Path],
    say: Callable[[str], None],
) -> None:
    """Writes the job for the harness, and runs it."""
    arguments = dict(opened.arguments)
    if opened.template is not None:
        arguments["tokenizer"] = str(with_template(model, opened.template, trust_remote_code, at / "tokenizer"))
    tasks: list[TaskJob] = []
    for suite in suites:
        _write_tasks(suite, at / "tasks", files[suite.name], limits[suite.name], at / "datasets")
        how = _how(opened, settings, limits[suite.name], bool(files[suite.name]))
        tasks.append({**_task(suite, outs[suite.name]), "how": how})
        for name, longest in limits[suite.name].items():
            say(f"{name}: answers of at most {longest:,} tokens, as the model sees {opened.context:,} in all")
    job: Job = {
        "backend": opened.name,
        "arguments": arguments,
        "batch_size": opened.batch_size,
        "device": opened.device,
        "yaml": str(at / "tasks"),
        "shots": settings.shots,
        "limit": settings.limit,
        "system": system,
        "chat_template": settings.chat_template,
        "tasks": tasks,
    }
    run(job, {**opened.environment, **_offline(suites, files)}, say, opened.key)


def _task(suite: TaskSet, out: Path) -> TaskJob:
    return {
        "name": suite.name,
        "suite": suite_name(suite.name),
        "specs": suite.specs,
        "unsafe": suite.unsafe,
        "out": str(out),
    }


def _offline(suites: Sequence[TaskSet], files: Mapping[str, Mapping[str, Local]]) -> Mapping[str, str]:
    """Environment that keeps the harness off the hub if nothing is needed from there."""
    here = all(set(files[suite.name]) == {leaf.name for leaf in suite.leaves} and not suite.unsafe for suite in suites)
    return OFFLINE if here else {}


def _write_tasks(
    suite: TaskSet, folder: Path, files: Mapping[str, Local], limits: Mapping[str, int], datasets: Path
) -> None:
    """Writes the harness's own tasks, each included whole in a file that changes only what must be changed here."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in suite.groups.items():
        write_atomic(folder / f"{name}.group.yaml", yaml.safe_dump({"include": str(path)}))
    for leaf in suite.leaves:
        if leaf.file is None:
            continue
        said: dict[str, object] = {"include": str(leaf.file)}
        if leaf.name in files:
            override = files[leaf.name].override()
            said |= override
            said["dataset_kwargs"] = {**override["dataset_kwargs"], "cache_dir": str(datasets)}
        if leaf.name in limits:
            said["generation_kwargs"] = _generation(leaf.config) | {"max_gen_toks": limits[leaf.name]}
        write_atomic(folder / f"{leaf.name}.yaml", yaml.safe_dump(said, allow_unicode=True))


def _generation(config: Config) -> dict[str, object]:
    """How a task has answers generated, with the harness's defaults."""
    until = [config.get("fewshot_delimiter", "\n\n")]
    given = config.get("generation_kwargs")
    return dict(given) if given else {"until": until, "do_sample": False, "temperature": 0.0}


def _limits(suite: TaskSet, context: int | None) -> dict[str, int]:
    """Shorter answers for tasks that ask for more than half of the model's context.

    If a task asks for all of it, the harness refuses to begin.
    """
    limits = {}
    for leaf in suite.leaves:
        if context is None or leaf.file is None or leaf.config.get("output_type", "generate_until") != "generate_until":
            continue
        if as_number(_generation(leaf.config).get("max_gen_toks", LONGEST)) > context // 2:
            limits[leaf.name] = context // 2
    return limits


def _how(opened: Backend, settings: Harness, limits: Mapping[str, int], here: bool) -> dict[str, str]:
    """What a signature says besides the task: whatever could change its numbers."""
    how = dict(opened.how)
    if settings.limit is not None:
        how["limit"] = str(settings.limit)
    if limits:
        how["tokens"] = str(min(limits.values()))
    if here:
        how["data"] = "local"
    return how


def _model(model: Path, opened: Backend, memo: Digests) -> str:
    """A model's contents: weights, tokenizer, and its own generation settings. For a server, its name."""
    voice = {path for pattern in (*_VOICE, *_MORE) for path in model.glob(pattern) if path.is_file()}
    told = [[path.name, memo.of(path)] for path in sorted(voice)]
    return fingerprint([opened.served or contents(model, digest_of=memo.of), told])


def _key(
    suite: TaskSet,
    named: str,
    opened: Backend,
    settings: Harness,
    system: str | None,
    files: Mapping[str, Mapping[str, Local]],
    limits: Mapping[str, Mapping[str, int]],
    memo: Digests,
) -> str:
    """A short hash of everything that determines a task's result."""
    data = {
        name: [
            one.reader,
            one.within,
            {split: [memo.of(path) for path in paths] for split, paths in one.splits.items()},
        ]
        for name, one in files[suite.name].items()
    }
    return fingerprint(
        {
            "format": FORMAT,
            "model": named,
            "how": dict(opened.how),
            "context": opened.context,
            "system": system,
            "lm_eval": installed(),
            "task": [suite.specs, _files(suite)],
            "shots": settings.shots,
            "limit": settings.limit,
            "limits": dict(limits[suite.name]),
            "data": data,
        }
    )


def _files(suite: TaskSet) -> list[str]:
    """The contents of all files that describe a suite."""
    found = {path for leaf in suite.leaves if leaf.file for path in chain(leaf.file)} | set(suite.groups.values())
    return sorted(sha256(path) for path in found)


def _read(path: Path) -> Found | None:
    """A task's cached result; None if there is none, or it is damaged."""
    found = read_json(path)
    return cast(Found, found) if isinstance(found, dict) and unbroken(found) else None
