"""lm-evaluation-harness as it is, on the lab's backbone and real files; and what is said where something is missing."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from dragoman.corpora.records import Turn
from dragoman.errors import DataError, EngineError
from dragoman.lab import BACKBONE
from dragoman.pipeline.data.make_data import data_inputs, make_data
from dragoman.prompts.render import Renderer
from dragoman.recipe.engines import Generation
from dragoman.recipe.judging import Harness
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites import Graded
from dragoman.suites.harness import evaluate as harness
from dragoman.suites.harness import run as harness_run
from dragoman.suites.harness import tasks as harness_tasks
from dragoman.suites.harness.backend import with_template
from dragoman.suites.harness.child import FAULT, TASK
from dragoman.suites.harness.data import fields, splits
from dragoman.suites.harness.tasks import find

BOOLEAN = "bbh_cot_fewshot_boolean_expressions"

try:
    version("lm_eval")
except PackageNotFoundError:
    pytest.skip("needs the extra harness", allow_module_level=True)


@pytest.fixture(scope="module")
def settings(some_data: Path) -> Harness:
    data = {"gsm8k": str(some_data / "gsm8k"), "bbh": str(some_data / "bbh" / "bbh")}
    return Harness(backend="hf", limit=4, shots=1, batch_size=4, data=data)


def run(tasks: list[str], settings: Harness, cache: Path, **more: Any) -> list[Graded]:
    return harness.judged(tasks, BACKBONE, settings, generation=Generation(precision="fp32"), cache=cache, **more)


@pytest.fixture(scope="module")
def once(settings: Harness, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Graded]]:
    """One run, which the tests share: it takes most of their time."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, run(["gsm8k", BOOLEAN], settings, cache)


def test_real_tasks_of_local_files(once: tuple[Path, list[Graded]], some_data: Path) -> None:
    gsm8k, boolean = once[1]
    questions = [json.loads(line) for line in (some_data / "gsm8k" / "test.jsonl").read_text().splitlines()[:4]]
    assert [item.told["target"] for item in gsm8k.items] == [question["answer"] for question in questions]
    assert gsm8k.score == gsm8k.facts["score"]
    assert isinstance(gsm8k.facts["standard error"], float)
    assert (gsm8k.name, gsm8k.facts["versions"], gsm8k.facts["shots"]) == ("gsm8k", {"gsm8k": 3.0}, {"gsm8k": 1})
    assert "exact_match,flexible-extract" in gsm8k.facts["other metrics"]
    for said in ("task-version:3.0", "backend:hf", "dtype:float32", "chat:", "limit:4", "data:local", "lm_eval:0."):
        assert said in gsm8k.signature
    first = json.loads((some_data / "bbh" / "bbh" / "boolean_expressions.json").read_text())["examples"][:4]
    assert [item.told["target"] for item in boolean.items] == [example["target"] for example in first]
    assert (boolean.name, boolean.facts["filter"]) == (f"harness:{BOOLEAN}", "get-answer")
    assert "tokens:512" in boolean.signature  # it asks for 1,024, which is all that the backbone sees


def test_a_model_that_is_not_whole_is_not_given_to_the_harness(settings: Harness, tmp_path: Path) -> None:
    shutil.copytree(BACKBONE, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EngineError, match=r"not there: model\.norm\.weight"):
        harness.judged([BOOLEAN], tmp_path / "model", settings, generation=Generation(), cache=tmp_path / "cache")


def test_what_was_evaluated_is_not_evaluated_again(
    once: tuple[Path, list[Graded]], settings: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    def start(job: dict[str, Any], *_: Any) -> None:
        started.append([task["name"] for task in job["tasks"]])

    monkeypatch.setattr(harness, "run", start)
    cache, before = once
    assert run(["gsm8k", BOOLEAN], settings, cache) == before
    assert started == []
    with pytest.raises(DataError, match="left no results"):  # one more task runs alone
        run(["gsm8k", "bbh_cot_fewshot_navigate"], settings, cache)
    with pytest.raises(DataError, match="left no results"):  # other settings are another evaluation
        run(["gsm8k"], settings.model_copy(update={"limit": 3}), cache)
    assert started == [["bbh_cot_fewshot_navigate"], ["gsm8k"]]


def test_a_result_that_is_not_what_was_written_is_made_again(
    once: tuple[Path, list[Graded]], settings: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(harness, "run", lambda job, *_: started.append([task["name"] for task in job["tasks"]]))
    shutil.copytree(once[0], tmp_path / "cache")
    (result,) = (tmp_path / "cache").rglob("gsm8k-*.json")
    told = json.loads(result.read_text())
    result.write_text(json.dumps({**told, "results": {}}))
    with pytest.raises(DataError, match="left no results of gsm8k"):
        run(["gsm8k", BOOLEAN], settings, tmp_path / "cache")
    assert started == [["gsm8k"]]
    del told["checksum"]  # as earlier versions left it
    result.write_text(json.dumps(told))
    assert run(["gsm8k", BOOLEAN], settings, tmp_path / "cache") == once[1]


def test_prompts_of_the_harness_are_ours() -> None:
    """The text that the harness renders and encodes has the ids of our renderer, for the lab's vocabulary."""
    from lm_eval.models.huggingface import HFLM

    model = HFLM(str(BACKBONE), device="cpu", dtype="float32")
    turns = [Turn("user", "Question: 1 + 1?\nAnswer:"), Turn("assistant", "#### 2"), Turn("user", "Question: 2 + 3?")]
    text = model.apply_chat_template([{"role": turn.role, "content": turn.text} for turn in turns])
    ours = Renderer.load(BACKBONE).prompt(turns)
    assert tuple(model.tok_encode(text)) == ours
    assert tuple(model.tok_batch_encode([text])[0][0].tolist()) == ours


def test_alpaca_prompts_go_by_a_tokenizer_of_their_own(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    renderer = Renderer.load(BACKBONE, chat="alpaca")
    folder = with_template(BACKBONE, renderer.tokenizer.chat_template, False, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    turn = Turn("user", "Name a colour.")
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": turn.text}], tokenize=False, add_generation_prompt=True
    )
    assert "### Instruction:\nName a colour." in text
    assert tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) == renderer.prompt([turn])


@pytest.mark.parametrize(
    ("task", "near"), [("gsm9k", "gsm8k"), ("mmlu_pro_bio", "mmlu_pro_biology"), ("truthful", "truthfulqa_mc2")]
)
def test_a_task_that_there_is_not(task: str, near: str) -> None:
    with pytest.raises(DataError, match=rf"no task '{task}'; did you mean one of: .*{near}"):
        harness.verify([task], Harness())


@pytest.mark.parametrize(
    ("task", "leaves", "first"),
    [
        ("mmlu", 57, "mmlu_abstract_algebra"),
        ("bbh", 27, BOOLEAN),
        ("xquad", 12, "xquad_ar"),  # a tag, which stands in a file that they include
        ("mgsm", 11, "mgsm_native_cot_bn"),
        ("global_mmlu", 90, "global_mmlu_ar_business"),
        ("truthfulqa", 1, "truthfulqa_mc2"),
    ],
)
def test_groups_and_tags_have_their_tasks(task: str, leaves: int, first: str) -> None:
    found = sorted(leaf.name for leaf in find(task).leaves)
    assert (len(found), found[0]) == (leaves, first)


def test_what_a_task_reads_of_its_data() -> None:
    assert fields(find("gsm8k").leaves[0].config) == {"question", "answer"}
    assert splits(find("gsm8k").leaves[0].config) == ("test", ["train"])
    assert fields(find("mmlu_anatomy").leaves[0].config) == {"question", "choices", "answer"}
    assert splits(find("mmlu_anatomy").leaves[0].config) == ("test", ["dev"])


def files(key: str, place: Path, shots: int | None = None) -> Harness:
    return Harness(data={key: str(place)}, shots=shots)


def test_local_files_that_are_not_what_a_task_needs(any_data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.gsm8k: there is no file or folder"):
        harness.verify(["gsm8k"], files("gsm8k", tmp_path / "none"))
    with pytest.raises(DataError, match=r"gsm8k shows 5 examples of the split 'train', and .*test.jsonl has none"):
        harness.verify(["gsm8k"], files("gsm8k", any_data / "gsm8k" / "test.jsonl"))
    harness.verify(["gsm8k"], files("gsm8k", any_data / "gsm8k" / "test.jsonl", shots=0))
    with pytest.raises(DataError, match=r"gsm8k needs the fields answer, question, and .* have: canonical_solution"):
        harness.verify(["gsm8k"], files("gsm8k", any_data / "humaneval" / "HumanEval.jsonl.gz", shots=0))
    with pytest.raises(DataError, match=r"boolean_expressions needs its split 'test', .* none of test.jsonl"):
        harness.verify(["bbh"], files("bbh", tmp_path))
    (tmp_path / "test.jsonl").write_text("no json\n")
    with pytest.raises(DataError, match=r"test.jsonl cannot be read as json"):
        harness.verify(["gsm8k"], files("gsm8k", tmp_path / "test.jsonl", shots=0))
    with pytest.raises(DataError, match="no task 'gsm9k'"):
        harness.verify(["gsm8k"], files("gsm9k", tmp_path))


def test_programs_run_with_leave_alone(any_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = files("humaneval", any_data / "humaneval" / "HumanEval.jsonl.gz")
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    with pytest.raises(DataError, match=r"harness:humaneval runs programs .* without a sandbox.*HF_ALLOW_CODE_EVAL=1"):
        harness.verify(["humaneval"], settings)
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    harness.verify(["humaneval"], settings)


def test_without_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(harness_tasks, "version", missing)
    with pytest.raises(DataError, match=r"not installed\. Install it: pip install 'dragoman\[harness\]'"):
        harness.verify(["gsm8k"], Harness())


CHILD = "import os, signal, sys; print({first!r}, flush=True); {then}"


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Runs another program in the place of the harness, and returns what is said about its end."""

    def told(first: str, then: str, key: str = "") -> str:
        code = CHILD.format(first=first, then=then)
        start = subprocess.Popen

        def popen(command: list[str], **more: Any) -> Any:
            return start([command[0], "-c", code], **more)

        monkeypatch.setattr(subprocess, "Popen", popen)
        with pytest.raises((EngineError, DataError)) as caught:
            harness_run.run({"tasks": []}, {}, lambda _: None, key)
        return str(caught.value)

    return told


def test_a_killed_process_says_what_to_do(ends: Callable[[str, str], str]) -> None:
    said = ends(f"{TASK}gsm8k", f"os.kill(os.getpid(), {int(signal.SIGKILL)})")
    assert said.startswith("lm-evaluation-harness was killed at gsm8k, most likely because memory ran out.")
    assert "What was finished is kept" in said
    assert "evaluation.harness.batch_size" in said


def test_a_task_whose_data_is_not_here(ends: Callable[[str, str], str]) -> None:
    fault = FAULT + json.dumps(["arc_easy", "ConnectionError", "Couldn't reach 'allenai/ai2_arc' on the Hub"])
    said = ends(fault, "sys.exit(1)")
    assert said.startswith("arc_easy: its data could not be had from the hub: Couldn't reach")
    assert "evaluation.harness.data" in said


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, "set evaluation.harness.shots lower"),
        (422, "set evaluation.harness.shots lower"),
        (500, "\nLook at the server, whose log may say why, and run again. What was finished is kept."),
    ],
)
def test_a_server_that_answers_with_an_error(ends: Callable[[str, str], str], status: int, advice: str) -> None:
    text = f"{status}, message='No', url='http://localhost:8000/v1/chat/completions'"
    said = ends(FAULT + json.dumps(["gsm8k", "ClientResponseError", text]), "sys.exit(1)")
    assert text in said
    assert advice in said
    assert ("shots" in said) == (status != 500)


def test_what_it_said_before_it_failed(ends: Callable[[str, str], str]) -> None:
    said = ends("the last words", "sys.exit(3)")
    assert "stopped before its first task with exit code 3" in said
    assert said.endswith("it said:\n  the last words")


ATTEMPTS = "".join(f"ReadTimeout('') thrown while requesting HEAD x\nRetrying in {n}s [Retry {n}/5].\n" for n in (1, 2))


def test_attempts_to_reach_the_hub_are_not_repeated(ends: Callable[[str, str], str]) -> None:
    assert ends(f"the first\n{ATTEMPTS}the last", "sys.exit(3)").endswith("it said:\n  the first\n  the last")


def test_a_hub_that_does_not_answer(ends: Callable[[str, str], str]) -> None:
    fault = FAULT + json.dumps(["gsm8k", "ReadTimeout", "timed out"])
    said = ends(f"{ATTEMPTS}{fault}", "sys.exit(1)")
    assert said.startswith("gsm8k: its data could not be had from the hub: timed out\nGive files of your own")


@pytest.mark.parametrize("spelling", ["sk-very-secret", r"\u0073k-very-secret"])
@pytest.mark.parametrize("fault", [False, True])
def test_a_key_that_a_server_repeats_is_not_shown(ends: Callable[..., str], fault: bool, spelling: str) -> None:
    text = f"you sent {spelling}"
    if fault:
        text = FAULT + json.dumps(["gsm8k", "ClientResponseError", text])
    said = ends(text, "sys.exit(1)", "sk-very-secret")
    assert "you sent (the key)" in said
    assert "very" not in said


def test_what_it_asks_is_compared_with_what_is_learnt(any_data: Path, tmp_path: Path) -> None:
    problems = [json.loads(line) for line in (any_data / "gsm8k" / "test.jsonl").read_text().splitlines()[:12]]
    taught = [{"instruction": f"Solve it. {one['question']}", "output": one["answer"]} for one in problems]
    (tmp_path / "taught.jsonl").write_text("".join(json.dumps(one) + "\n" for one in taught), encoding="utf-8")
    boolean = any_data / "bbh" / "bbh" / "boolean_expressions.json"
    places = {"gsm8k": str(any_data / "gsm8k"), BOOLEAN: str(boolean)}
    settings = {
        "name": "x",
        "backbone": "lab",
        "data": {"lessons": [{"file": str(tmp_path / "taught.jsonl")}]},
        "methods": [{"vanilla": {}}],
        "evaluate": ["gsm8k", f"harness:{BOOLEAN}"],
        "evaluation": {"harness": {"limit": 20, "data": places}},
    }
    recipe = Recipe.model_validate(settings)
    with pytest.raises(
        DataError, match=r"\n  gsm8k: 12 of 20 \(60%\), in 12 records of taught\.jsonl\nThe first:"
    ) as error:
        make_data(recipe, tmp_path)
    assert BOOLEAN not in str(error.value)
    judged_alone = recipe.model_copy(update={"methods": ()})
    digests = Digests(tmp_path / "digests.json")
    assert "benchmark gsm8k" in data_inputs(recipe, digests)
    assert "benchmark gsm8k" not in data_inputs(judged_alone, digests)  # it compares nothing, and need not start


def test_texts_are_what_stands_in_a_prompt(any_data: Path) -> None:
    """Of a document its question, and neither the answer nor the words that the task puts around."""
    path = any_data / "bbh" / "bbh" / "boolean_expressions.json"
    found = harness.texts([BOOLEAN], Harness(limit=2, data={BOOLEAN: str(path)}))
    examples = json.loads(path.read_text())["examples"]
    assert found == {f"harness:{BOOLEAN}": [example["input"] for example in examples[:2]]}


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("DRAGOMAN_CODE_EVAL"), reason="set DRAGOMAN_CODE_EVAL to a copy of code_eval")
def test_humaneval_of_the_harness(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness takes its metric from the hub, or from a folder `code_eval` where it runs."""
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    monkeypatch.chdir(Path(os.environ["DRAGOMAN_CODE_EVAL"]).parent)
    settings = Harness(
        backend="hf", limit=2, batch_size=2, data={"humaneval": str(real_data / "humaneval" / "HumanEval.jsonl.gz")}
    )
    (found,) = run(["humaneval"], settings, tmp_path)
    assert (found.name, found.side, found.kept, len(found.items)) == ("harness:humaneval", "skill", False, 2)
