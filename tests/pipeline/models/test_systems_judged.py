"""Published translation systems, judged by the command line: models without a chat template, in their own formats."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from dragoman.errors import TemplateError
from dragoman.pipeline.models.cast import find_cast
from dragoman.pipeline.models.speakers import check_voices, speaker
from dragoman.prompts.formats import FORMATS
from dragoman.prompts.systems import SYSTEMS
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from tests.described import described
from tests.look_alikes import look_alike
from tests.pipeline.running import dragoman
from tests.tiny_models import llama

SMALL = ("data.test.limit=2", "evaluation.translation_tokens=4", "evaluation.bootstrap=20", "generation.precision=fp32")
NO_NOISE = ("evaluation.noise_seeds=0", "evaluation.max_tokens=4", "evaluation.questions=1")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocabulary as LLaMA's, without a chat template as ALMA and BigTrans have it, before random weights."""
    folder = look_alike("llama-like", tmp_path_factory.mktemp("systems") / "ALMA-7B")
    size = len(AutoTokenizer.from_pretrained(folder))
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    special = {"bos_token_id": 1, "eos_token_id": 2}
    llama(size, max_position_embeddings=1024, initializer_range=0.02, **sizes, **special).save_pretrained(folder)
    return folder


def results(runs: Path, row: str = "backbone") -> dict[str, Any]:
    (path,) = runs.glob(f"*/results/{row}.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_translation_is_asked_for_without_a_chat_template(model: Path, tmp_path: Path) -> None:
    command = ("evaluate", model, "--test", "lab", "--direction", "de-en", *SMALL, *NO_NOISE, f"runs={tmp_path}")
    dragoman(*command, "--suite", "translation", "--prompt", "alma")
    assert len(results(tmp_path)["translation"]["items"]) == 2


def told(recipe: dict[str, Any], tmp_path: Path) -> str:
    """What is said before work begins; nothing where all is well."""
    found = Recipe.model_validate({"name": "x", "data": {"test": {"corpus": "lab"}}, **recipe})
    cast = find_cast(found, Digests(tmp_path / "digests.json"))
    try:
        check_voices(found, cast, speaker(found, cast.backbone, cast.others))
    except TemplateError as error:
        return str(error)
    return ""


def test_what_speaks_in_chat_needs_a_chat_format_and_says_so(model: Path, tmp_path: Path) -> None:
    alone = {"backbone": str(model)}
    assert told({**alone, "prompt": "alma"}, tmp_path) == ""
    assert told({**alone, "evaluate": ["gsm8k"], "evaluation": {"harness": {"chat_template": False}}}, tmp_path) == ""
    assert told({**alone, "evaluate": ["translation", "lab"], "prompt": "bayling", "chat": "bayling"}, tmp_path) == ""
    said = told({**alone, "evaluate": ["translation", "lab", "gsm8k"], "prompt": "bayling"}, tmp_path)
    assert said == (
        f"the backbone {model} has no chat template, and lab, gsm8k speak to it in one. Write `chat: bayling` in the "
        "recipe (`chat=bayling` on the command line): its own format. Or put a chat_template.jinja in its folder, or "
        "leave these suites out."
    )
    said = told(alone, tmp_path)
    assert "and translation speaks to it in one. Write `chat: alpaca` in the recipe" in said
    assert said.endswith("A translation system can be asked in its own words (`prompt: alma`).")
    learning = {"methods": [{"vanilla": {}}], "data": {"train": {"corpus": "lab"}, "test": {"corpus": "lab"}}}
    assert "no chat template, and what is taught is a conversation. Take the instruct" in told(
        alone | learning, tmp_path
    )
    texts = {"data": {"texts": [{"corpus": "lab-texts", "language": "de"}]}, "methods": [{"pretrain": {}}]}
    spoken = {"evaluate": ["gsm8k"], "evaluation": {"harness": {"chat_template": False}}}
    assert told(alone | texts | spoken, tmp_path) == ""
    assert "no chat template, and lab speaks to it in one" in told(alone | texts | {"evaluate": ["lab"]}, tmp_path)


def test_every_row_and_judge_without_a_template_is_named_at_once(model: Path, tmp_path: Path) -> None:
    said = told(
        {
            "backbone": "lab",
            "evaluate": ["translation", "mt-bench"],
            "evaluation": {"judge": {"model": str(model)}},
            "compare": [
                {"model": str(model), "label": "one", "prompt": "alma"},
                {"model": str(model), "label": "two", "prompt": "parrot-hint"},
                {"model": str(model), "label": "three", "prompt": "alma", "chat": "alpaca"},
            ],
        },
        tmp_path,
    )
    one, two, judge = said.split("\n")
    assert one.startswith(
        f"compare.one: {model} has no chat template, and mt-bench speaks to it in one. Write `chat: alp"
    )
    assert "Write `chat: alpaca` in that entry: Alpaca's prompt; `alma` is a format for translations alone" in one
    assert "Write `chat: parrot` in that entry: its own format" in two
    assert judge.startswith(f"evaluation.judge: {model} has no chat template, in which a judge is asked")


def test_a_suite_s_own_judge_without_a_template_is_named(model: Path, tmp_path: Path) -> None:
    asked = {"kind": "mt-bench", "judge": {"model": str(model)}}
    said = told({"backbone": "lab", "evaluate": ["strict"], "benchmarks": described({"strict": asked})}, tmp_path)
    assert said.startswith(f"benchmarks.strict.judge: {model} has no chat template, in which a judge is asked")


def test_systems_are_asked_in_their_own_formats(model: Path, tmp_path: Path) -> None:
    """For translations and for all else; rows of one recipe."""
    recipe = tmp_path / "recipe.yaml"
    rows = {name: SYSTEMS[name].chat or "alpaca" for name in ("alma", "parrot-hint", "bigtrans", "bayling")}
    entries = [f"{{model: {model}, label: {name}, prompt: {name}, chat: {chat}}}" for name, chat in rows.items()]
    recipe.write_text(
        f"name: systems\nbackbone: lab\ncompare: [{', '.join(entries)}]\nevaluate: [translation, lab]\n"
        "data: {test: {corpus: lab, directions: [de-en]}}\n"
    )
    dragoman("run", recipe, f"runs={tmp_path / 'runs'}", *SMALL, *NO_NOISE)
    answers = set()
    for name in rows:
        found = results(tmp_path / "runs", name)
        assert len(found["translation"]["items"]) == 2
        answers.add(tuple(one["answer"] for one in found["abilities"]["items"]))
    assert len(answers) == len(rows)  # each format gets other answers
    assert set(rows.values()) == set(FORMATS) - {"tower"}
