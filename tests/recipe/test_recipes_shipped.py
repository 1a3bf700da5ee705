"""Every recipe that ships loads, and is planned and reckoned without weights, corpora or network."""

import json
from pathlib import Path

import pytest

from dragoman import suites
from dragoman.commands.recipes import DEMO, recipe
from dragoman.pipeline.forecast.cost import Reckoning
from dragoman.pipeline.plan import plan
from dragoman.pipeline.rows import rows, training_of
from dragoman.recipe.schema import Recipe
from tests import ROOT

RECIPES = ROOT / "recipes"
SHIPPED = sorted(str(path.relative_to(RECIPES)) for path in RECIPES.rglob("*.yaml"))
BACKBONES = ["llama-2-7b-chat", "mistral-7b-instruct-v0.2", "qwen2.5-7b-instruct"]


def radis(name: str) -> Recipe:
    return recipe(RECIPES / "radis" / f"{name}.yaml")


@pytest.mark.parametrize("name", SHIPPED)
def test_recipe_loads(name: str) -> None:
    assert recipe(RECIPES / name).methods


def write_stand_in(path: Path) -> None:
    """A few records in place of a file, or a folder of them, that a recipe needs and no catalogue has."""
    path = path if path.suffix else path / "some.jsonl"
    turns = [{"from": "human", "value": "Say something."}, {"from": "gpt", "value": "Something."}]
    record = {"text": "Some words of a document.", "conversations": turns}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record | {"number": n}) + "\n" for n in range(1000)), encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_recipe_is_planned_and_reckoned(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    data = recipe(RECIPES / name).data
    if files := [one.file for one in data.texts if one.file] + [one.file for one in data.lessons if one.file]:
        monkeypatch.chdir(tmp_path)
        for file in files:
            write_stand_in(Path(file))
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    for variable in ("DRAGOMAN_CACHE", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    loaded = recipe(RECIPES / name, [f"runs={tmp_path}/runs"])
    writers = [(options.get("rationale") or {}).get("model") for _, options in rows(loaded).values()]
    for model in [loaded.backbone, *filter(None, writers)]:
        if model.startswith("recipes/") and not Path(model).is_dir():
            pytest.skip(f"{model} is not made yet")
    found = plan(loaded)
    reckoning = Reckoning(found)
    costs = {step.stage.title: reckoning.cost(step.stage) for step in found.steps}
    assert {"data", "evaluate-backbone", "report"} < set(costs)
    assert not any(step.artifact for step in found.steps)
    assert not (tmp_path / "nothing").exists()
    if loaded.hardware:
        elsewhere = any(described.path for described in loaded.benchmarks.values())  # nobody counted what is in there
        judged = costs["evaluate-backbone"].estimate
        assert elsewhere or (judged and judged.seconds)
        fitted = [cost.estimate for title, cost in costs.items() if title.startswith("train-")]
        assert len(fitted) >= len(rows(loaded))
        assert all(estimate and estimate.memory for estimate in fitted)
        assert not [cost.estimate.advice for cost in costs.values() if cost.estimate and cost.estimate.advice]


COUNTED = {  # rows of the recipe that learns Arabic, all of whose corpora are counted: examples, steps of one epoch
    "en-alpaca": (52_002, 407),
    "ar-alpaca": (52_002, 407),
    "ar-cross": (72_002, 563),
}


def test_each_row_of_crossalpaca_counts_what_it_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRAGOMAN_MIRROR", raising=False)
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path / "nothing"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "nothing"))
    found = plan(recipe(RECIPES / "crossalpaca" / "llama-7b-ar.yaml", [f"runs={tmp_path}/runs"]))
    reckoning = Reckoning(found)
    costs = {step.stage.title: reckoning.cost(step.stage).work for step in found.steps}
    for row, (examples, steps) in COUNTED.items():
        assert costs[f"examples-{row}"].startswith(f"{examples:,} examples, ")
        assert costs[f"examples-{row}"].endswith(", nothing to generate")
        assert costs[f"train-{row}"].startswith(f"{steps:,} steps of 128 examples, ")
    asked = 1_190 + 5_335 + 14_042 + 6_511 + 1_190 + 11_590 + 14_042 + 6_511  # four benchmarks in both languages
    assert costs["evaluate-ar-cross"].startswith(f"{asked:,} answers")


def test_the_demo_is_the_lab_s_recipe() -> None:
    assert DEMO.read_text(encoding="utf-8") == (RECIPES / "lab" / "demo.yaml").read_text(encoding="utf-8")
    demo = recipe(DEMO)
    assert demo.backbone == demo.data.train.corpus == demo.data.test.corpus == "lab"
    assert [next(iter(method)) for method in demo.methods] == ["vanilla", "radis", "keep"]


@pytest.mark.parametrize("name", BACKBONES)
def test_the_paper_s_settings(name: str) -> None:
    paper = radis(name)
    training = paper.training
    assert (training.epochs, training.batch_size, training.learning_rate, training.schedule) == (3, 128, 1e-4, "cosine")
    assert (training.lora.rank, training.lora.targets, training.warmup) == (16, "all-linear", 0)
    tested = "wmt23" if name.startswith("qwen") else "wmt22"
    left = set(paper.data.train.directions) - set(paper.data.test.directions)
    assert left == ({"cs-en"} if tested == "wmt23" else set())  # which WMT23 has not
    assert len(paper.data.train.directions) == 8
    assert (paper.data.train.corpus, paper.data.test.corpus) == ("alma-human", tested)
    assert [source.corpus for source in paper.data.instructions] == ["alpaca", "dolly"]
    methods = [method for method, _ in rows(paper).values()]
    assert methods == ["vanilla", "seq_kd", "sdft_rewrite", "sdft_rewrite", "multitask", "radis"]
    assert [rows(paper)[row][1]["template"] for row in ("sdft_rewrite", "sdft_rewrite-chat")] == ["paper", "chat"]
    assert {row: training_of(paper, row).batch_size for row in rows(paper)}["seq_kd"] == 256
    assert training_of(paper, "radis").batch_size == 128
    assert (paper.hardware.gpu, paper.hardware.count) == ("a100-80gb", 4)
    for _, options in rows(paper).values():
        sampling = options.get("rationale") or options
        assert sampling.get("temperature", 0) == 0


def test_backbones_have_their_names_on_the_hub() -> None:
    assert [radis(name).backbone for name in BACKBONES] == [
        "meta-llama/Llama-2-7b-chat-hf",
        "mistralai/Mistral-7B-Instruct-v0.2",
        "Qwen/Qwen2.5-7B-Instruct",
    ]


PINNED = {
    "mistralai/Mistral-7B-Instruct-v0.2": "63a8b081895390a26e140280378bc85ec8bce07a",
    "meta-llama/Llama-2-7b-chat-hf": "f5db02db724555f92da89c216ac04704f23d4590",
    "Qwen/Qwen2.5-7B-Instruct": "a09a35458c702b33eeacc393d103063234e8bc28",
}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_backbone_with_a_chat_template_has_its_own_revision(name: str) -> None:
    """Templates change. A recipe that extends one of another backbone must not take its commit along."""
    loaded = recipe(RECIPES / name)
    assert loaded.revision == PINNED.get(loaded.backbone)


def test_who_judges_is_who_judges_in_the_paper() -> None:
    for name in ("judged", "table3", "wmt23-judged", "qwen2.5-7b-judged"):
        paper = radis(name)
        by = {suite.name: suite.who[1] for suite in suites.of(paper) if suite.who}
        models = {
            part: (judge.generation and judge.generation.openai.model) for part, judge in suites.judges(paper).items()
        }
        assert (models[by["mt-bench"]], models[by["alpaca-eval"]], models[by["alpaca-eval-2"]]) == (
            "gpt-4",
            "gpt-4-1106-preview",
            "gpt-4-1106-preview",
        )
        assert paper.benchmarks["alpaca-eval"].model_dump()["annotator"] == "weighted_alpaca_eval_gpt4_turbo"
        assert suites.judges(paper)[by["safety"]].model == "meta-llama/Llama-Guard-3-8B"
        assert [comet.checkpoint for comet in paper.evaluation.comet] == ["Unbabel/wmt22-comet-da"]
        assert {"translation", "gsm8k"} < set(paper.evaluate)


def test_table_6_has_translation_and_general_abilities_of_all_its_rows() -> None:
    whole, qwen = radis("wmt23-judged"), radis("qwen2.5-7b-judged")
    assert {one.row: (one.prompt, one.chat) for one in whole.compare} == {
        "tower": ("tower", "own"),
        "alma": ("alma", "alpaca"),
    }
    assert (whole.backbone, qwen.backbone) == (radis("mistral-7b-instruct-v0.2").backbone, "Qwen/Qwen2.5-7B-Instruct")
    assert qwen.compare == ()
    assert "radis" in rows(whole)
    assert "radis" in rows(qwen)
    for one in (whole, qwen, radis("wmt23")):
        assert (one.data.test.corpus, one.evaluation.translation_tokens) == ("wmt23", 1024)
    assert whole.evaluate == qwen.evaluate


def test_table_3_has_every_method_and_each_published_system_in_its_own_format() -> None:
    whole, trained = radis("table3"), radis("mistral-7b-instruct-v0.2")
    assert {one.row: (one.prompt, one.chat) for one in whole.compare} == {
        "parrot": ("parrot", "parrot"),
        "bigtrans": ("bigtrans", "bigtrans"),
        "bayling": ("bayling", "bayling"),
        "alma": ("alma", "alpaca"),
        "tower": ("tower", "tower"),
    }
    assert [one.row for one in whole.compare if not one.bin_weights] == ["tower"]
    assert [one.row for one in whole.compare if one.added_to] == ["bayling"]
    assert rows(whole) == rows(trained)
    assert (whole.backbone, whole.data, whole.training) == (trained.backbone, trained.data, trained.training)
    assert whole.evaluate == radis("wmt23-judged").evaluate


def test_the_ablations_differ_in_what_they_are_about() -> None:
    source = rows(radis("ablation-rationale-source"))
    writers = [options["rationale"]["model"] for method, options in source.values() if method == "radis"]
    assert writers == [None, "meta-llama/Llama-2-7b-chat-hf", "meta-llama/Meta-Llama-3-70B-Instruct"]
    fraction = [options for method, options in rows(radis("ablation-rationale-fraction")).values() if method == "radis"]
    assert [(one["rationale_fraction"], one["rationale"]["weight"]) for one in fraction] == [
        (0.1, 1),
        (0.2, 1),
        (0.5, 1),
        (1, 1),
        (1, 0.5),
        (1, 0.25),
    ]
    full = radis("full-fine-tuning").training
    assert (full.lora, full.learning_rate) == (None, 1e-5)


def test_another_skill_has_no_translation_in_it() -> None:
    code = radis("code-magicoder")
    assert (code.data.train, code.data.test, code.evaluate) == (None, None, ("humaneval",))
    assert [source.corpus for source in code.data.lessons] == ["magicoder-oss-instruct"]
    assert list(rows(code)) == ["vanilla", "sdft_rewrite", "radis"]


LANGUAGES = ["zh", "ar", "it", "es", "de"]


def crossalpaca(name: str) -> Recipe:
    return recipe(RECIPES / "crossalpaca" / f"{name}.yaml")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_settings_of_alpaca_lora(language: str) -> None:
    """Of its newest finetune.py, where 100 steps of 406 to 563 are warm-up; epoch and batch as the paper says."""
    paper = crossalpaca(f"llama-7b-{language}")
    training, lora = paper.training, paper.training.lora
    assert (paper.backbone, paper.chat, paper.data.max_tokens) == ("huggyllama/llama-7b", "alpaca", 256)
    assert (training.epochs, training.batch_size, training.learning_rate, training.schedule) == (1, 128, 3e-4, "linear")
    assert 100 / 563 < training.warmup < 100 / 406
    assert (lora.rank, lora.alpha, lora.dropout, lora.targets) == (8, 16, 0.05, ("q_proj", "v_proj"))
    assert (paper.hardware.gpu, paper.hardware.count) == ("rtx-a6000", 2)
    assert all(options["train_on_inputs"] for _, options in rows(paper).values())
    assert training_of(paper, f"{language}-cross").batch_size == 128


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_each_language_learns_and_is_asked(language: str) -> None:
    paper = crossalpaca(f"llama-7b-{language}")
    shown = paper.data.train
    assert shown.directions == (f"en-{language}", f"{language}-en")
    assert (shown.corpus, shown.limit, shown.disjoint, shown.drop_copies) == ("news-commentary", 10_000, True, True)
    assert [source.corpus for source in paper.data.lessons] == ["alpaca", f"alpaca-{language}"]
    assert {row: (method, options["languages"]) for row, (method, options) in rows(paper).items()} == {
        "en-alpaca": ("alpaca", ["en"]),
        f"{language}-alpaca": ("alpaca", [language]),
        f"{language}-cross": ("crossalpaca", [language]),
    }
    kinds = ("xquad", "mlqa", "mmlu", "bbh")
    assert paper.evaluate == tuple(f"{kind}-{code}" for code in (language, "en") for kind in kinds)
    assert paper.evaluation.skills == (f"*-{language}",)
    translated = {name: benchmark.path for name, benchmark in paper.benchmarks.items()}
    assert set(translated) == ({"xquad-it", "mlqa-it"} if language == "it" else set())
    assert all(f"/Italian/{name.split('-')[0].upper()}/" in str(path) for name, path in translated.items())


def test_the_ablations_of_demonstrations() -> None:
    amounts = rows(crossalpaca("ablation-amount"))
    assert {options["amount"]: row for row, (_, options) in amounts.items()} == {
        1.0: "de-cross",
        0: "de-cross-0",
        0.25: "de-cross-0.25",
        0.5: "de-cross-0.5",
        0.75: "de-cross-0.75",
    }
    ways = {row: options.get("directions") for row, (_, options) in rows(crossalpaca("ablation-direction")).items()}
    assert ways == {"de-alpaca": None, "de-cross": "both", "de-cross-en-x": "en-x", "de-cross-x-en": "x-en"}


def test_beyond_the_paper() -> None:
    several = crossalpaca("multilingual")
    taught = {row: options["languages"] for row, (_, options) in rows(several).items()}
    assert taught["multi-cross"] == taught["multi-alpaca"] == LANGUAGES
    assert [taught[f"{language}-cross"] for language in LANGUAGES] == [[language] for language in LANGUAGES]
    assert len(several.data.train.directions) == 10
    assert {f"xquad-{language}" for language in [*LANGUAGES, "en"]} <= set(several.evaluate)

    both = crossalpaca("rationales")
    assert (both.chat, both.backbone) == ("own", "mistralai/Mistral-7B-Instruct-v0.2")
    options = {row: options for row, (_, options) in rows(both).items()}
    assert options["de-cross-rationales"]["rationale"]["max_tokens"] == 512
    assert not options["de-cross"]["rationale"]
    assert not any(given["train_on_inputs"] for given in options.values())
