"""The recipe of CrossAlpaca's German model, end to end on two layers of random weights.

All but the weights and the sizes is as in the real run: the recipe, LLaMA's vocabulary and Alpaca's prompt, Alpaca in
English and in German, News Commentary's archive, every row, XQuAD in two languages, MMLU and BBH with their originals.
"""

import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dragoman.commands.chat.talker import Talker
from dragoman.commands.recipes import of_model
from dragoman.corpora.records import Turn
from dragoman.pipeline.translate_file.lines import translate_lines
from tests import ROOT
from tests.smoke_kit import Ran, backbone, run
from tests.tiny_models import llama

RECIPE = ROOT / "recipes" / "crossalpaca" / "llama-7b-de.yaml"
ROWS = ("en-alpaca", "de-alpaca", "de-cross")
INSTRUCTIONS = 130  # of each language: a little more than one batch of 128
ASKED = 12  # questions of a benchmark
WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a "
    "response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n"
    "### Response:\n"
)
WITHOUT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:\n"
)


def _backbone(folder: Path, tokenizer: Path) -> Path:
    """LLaMA in small: its architecture, vocabulary, context and files, with random weights in bf16."""
    special = {"bos_token_id": 1, "eos_token_id": 2}
    return backbone(folder, tokenizer, llama(32000, num_key_value_heads=4, max_position_embeddings=2048, **special))


def _overrides(real: Path) -> list[str]:
    """Sizes for two processor cores, and where the files are; no setting of the paper."""
    alpaca = real / "instruction" / "german_alpaca"
    lessons = [
        {"file": str(alpaca / "source_tasks" / "tasks_translated_en.json"), "language": "en", "limit": INSTRUCTIONS},
        {
            "file": str(alpaca / "translated" / "translated_tasks_de_deepl_12k.json"),
            "language": "de",
            "limit": INSTRUCTIONS,
        },
    ]
    archive = real / "news_commentary" / "de-en" / "11.0.0" / "dummy_data.zip"
    paper = real / "crossalpaca" / "data"
    benchmarks = {
        "mmlu-de": {"path": paper / "German" / "MMLU", "originals": paper / "English" / "MMLU"},
        "bbh-de": {"path": paper / "German" / "BBH", "originals": real / "bbh" / "bbh"},
        "xquad-de": {"path": real / "xquad" / "xquad.de.json"},
        "xquad-en": {"path": real / "xquad" / "xquad.en.json"},
    }
    found = [
        f"data.lessons={json.dumps(lessons)}",
        "data.train.corpus=null",
        f"data.train.files={json.dumps([{'table': str(archive), 'direction': 'de-en', 'both': True}])}",
        f"evaluate={json.dumps(list(benchmarks))}",
        "evaluation.max_tokens=6",
        "evaluation.bootstrap=50",
        "generation.engine=hf",
        "training.precision=fp32",
    ]
    for name, paths in benchmarks.items():
        kind, language = name.split("-")
        files = {key: str(path) for key, path in paths.items()}
        described = {"kind": kind, "language": language, "limit": ASKED, **files}
        found.append(f"benchmarks.{name}={json.dumps(described)}")
    return found


@pytest.fixture(scope="module")
def ran(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The recipe, run once by the command line."""
    tokenizer = real_data / "tokenizers" / "llama-7b"
    for needed in ("instruction/german_alpaca", "news_commentary/de-en", "xquad", "crossalpaca", "bbh"):
        if not (real_data / needed).is_dir():
            pytest.skip(f"there is no {real_data / needed}")
    if not tokenizer.is_dir():
        pytest.skip(f"there is no {tokenizer}")
    folder = tmp_path_factory.mktemp("llama")
    overrides = [f"backbone={_backbone(folder / 'backbone', tokenizer)}", *_overrides(real_data)]
    return run(RECIPE, overrides, folder / "runs", tokenizer, {})


@pytest.mark.slow
def test_all_rows_are_trained_and_judged(ran: Ran) -> None:
    assert [row["name"] for row in ran.card["rows"]] == ["backbone", *ROWS]
    assert set(ran.facts("data")["train"]) >= {"de-en", "en-de"}
    for row in ran.card["rows"]:
        assert set(row["skills"]) == {"xquad-de", "mmlu-de", "bbh-de"}
        assert set(row["abilities"]) == {"xquad-en"}
        judged = row["abilities"] | row["skills"]
        assert {family: found["n"] for family, found in judged.items()} == dict.fromkeys(judged, ASKED)
        assert judged["xquad-de"]["f1"]["n"] == ASKED
        assert judged["mmlu-de"]["f1"] is None
        assert sum(subject["n"] for subject in judged["bbh-de"]["subjects"].values()) == ASKED
    assert (ran.folder / "report.html").is_file()


@pytest.mark.slow
def test_adapters_and_steps_are_those_of_alpaca_lora(ran: Ran) -> None:
    for row in ROWS:
        trained, facts = ran.artifact(f"train-{row}"), ran.facts(f"train-{row}")
        config = json.loads((trained / "adapter" / "adapter_config.json").read_text())
        assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (8, 16, 0.05)
        weights = load_file(trained / "adapter" / "adapter_model.safetensors")
        found = {re.sub(r".*layers\.(\d)\.\w+\.(\w+)\.lora_(A|B)\.weight", r"\1 \2 \3", name) for name in weights}
        assert found == {f"{layer} {name} {side}" for layer in (0, 1) for name in ("q_proj", "v_proj") for side in "AB"}
        assert any(weight.abs().max() > 0 for name, weight in weights.items() if "lora_B" in name)
        settings = json.loads((trained / "training.json").read_text())
        assert (settings["batch_size"], settings["learning_rate"], settings["schedule"]) == (128, 3e-4, "linear")
        assert facts["steps"] == math.ceil(ran.facts(f"examples-{row}")["examples"] / 128) == 2


@pytest.mark.slow
def test_examples_are_alpaca_s_texts_token_by_token(ran: Ran) -> None:
    """Prompt, answer and end have the ids of one text, which begins as LLaMA's texts do; all of them are trained."""
    files = [json.loads(Path(lesson["file"]).read_text(encoding="utf-8")) for lesson in ran.settings["data"]["lessons"]]
    known: dict[str, str] = {}
    for language, records in zip(("en", "de"), files, strict=True):
        for record in records:
            form = WITH_INPUT if record["input"].strip() else WITHOUT
            asked = form.format(instruction=record["instruction"].strip(), input=record["input"].strip())
            known[asked + record["output"].strip()] = language
    for row in ROWS:
        told: Counter[str] = Counter()
        for _, segments in ran.examples(row):
            names, runs, weights = zip(*segments, strict=True)
            assert names[0] == "prompt"
            assert names[-1] == "end"
            assert runs[-1] == [2]
            assert set().union(*weights) == {1.0}  # train_on_inputs
            ids = [token for run in runs for token in run]
            assert len(ids) <= 257
            text = ran.tokenizer.decode(ids[:-1]).removeprefix("<s>").removeprefix(" ")
            assert ids[:-1] == ran.tokenizer(text)["input_ids"]
            told[known.get(text, "demonstrations")] += 1
        languages = {"en-alpaca": "en"}.get(row, "de")
        assert 100 < told.pop(languages) <= INSTRUCTIONS
        pairs = sum(ran.facts("data")["train"][direction] for direction in ("de-en", "en-de"))
        assert dict(told) == ({"demonstrations": pairs} if row == "de-cross" else {})


@pytest.mark.slow
def test_demonstrations_serve_one_direction_each(ran: Ran) -> None:
    lines = [json.loads(line) for line in (ran.artifact("data") / "train.jsonl").read_text("utf-8").splitlines()]
    pairs = [line for line in lines if "source" in line]
    assert pairs
    english = [pair["source"] if pair["source_language"] == "en" else pair["target"] for pair in pairs]
    assert len(set(english)) == len(pairs)
    asked = 0
    for _, segments in ran.examples("de-cross"):
        said = ran.tokenizer.decode(segments[0][1])
        for pair in pairs:
            if f"\n\n### Input:\n{pair['source']}\n\n### Response:\n" in said:
                assert ran.tokenizer.decode(segments[1][1]).strip() == pair["target"]
                asked += 1
    assert asked == len(pairs)


@pytest.mark.slow
def test_a_merged_model_talks_by_itself(ran: Ran) -> None:
    """Its folder has Alpaca's prompt as its chat template, which the backbone's has not."""
    model = (ran.folder / "models" / "de-cross").resolve()
    assert "### Instruction:" in (model / "chat_template.jinja").read_text(encoding="utf-8")
    recipe = of_model(str(model), ["evaluation.translation_tokens=4", f"runs={ran.folder.parent}"])
    talker = Talker.load(recipe, max_tokens=4)
    assert isinstance(talker.answer([Turn("user", "Wer bist du?")]), str)
    asked = talker.speak.renderer.prompt([Turn("user", "Wer bist du?")])
    assert list(asked) == ran.tokenizer(WITHOUT.format(instruction="Wer bist du?"))["input_ids"]
    assert len(translate_lines(recipe, ["Guten Morgen!"], "de", "en").texts) == 1
