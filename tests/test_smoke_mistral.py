"""The recipe of the paper's experiment on Mistral-7B, end to end on two layers of random weights.

All but the weights and the sizes is as in the real run: the recipe, the tokenizer and its chat
template, ALMA's training pairs, WMT22's test pairs, conversations of Alpaca and Dolly, every method.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import MistralConfig, MistralForCausalLM

from tests import ROOT
from tests.smoke_kit import Ran, backbone, run

RECIPE = ROOT / "recipes" / "radis" / "mistral-7b-instruct-v0.2.yaml"
METHODS = {"vanilla", "seq_kd", "sdft_rewrite", "multitask", "radis"}
DIRECTIONS = ("cs-en", "en-cs", "de-en", "en-de", "ru-en", "en-ru", "zh-en", "en-zh")
PAIRS = 20  # a direction: together a little more than one batch of 128
CONVERSATIONS = 6  # of Alpaca, and of Dolly
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LANGUAGES = {"cs": "Czech", "de": "German", "en": "English", "ru": "Russian", "zh": "Chinese"}

# Figure 5 of the paper.
INSTRUCTIONS = (
    "Could you please translate this sentence from {source} to {target}?\n{text}",
    "Translate the following sentence from {source} to {target}:\n{text}",
    "Translate this sentence from {source} to {target}.\n{text}",
    "Translate from {source} to {target}:\n{text}",
    "{text}\nTranslate this sentence to {target}.",
)


def _backbone(folder: Path, tokenizer: Path) -> Path:
    """Mistral in small: its architecture, vocabulary and files, with random weights in bf16."""
    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=32000,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        sliding_window=None,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
    )
    return backbone(folder, tokenizer, MistralForCausalLM(config))


def _overrides(methods: list[Any], real: Path) -> list[str]:
    """Sizes for two processor cores; no setting of the paper but the epochs."""
    samples = real / "instruction" / "sdft"
    instructions = [
        {"file": str(samples / name), "limit": CONVERSATIONS}
        for name in ("alpaca/alpaca_train.json", "dolly/dolly_train.json")
    ]
    found = [
        f"data.train.limit={PAIRS}",
        "data.test.limit=1",
        f"data.instructions={json.dumps(instructions)}",
        "training.epochs=1",
        "evaluate=[translation]",
        "evaluation.translation_tokens=8",
        "evaluation.bootstrap=50",
        "generation.engine=hf",
    ]
    limits = {"radis": "rationale.max_tokens", "seq_kd": "max_tokens", "sdft_rewrite": "max_tokens"}
    for number, entry in enumerate(methods):
        name = entry if isinstance(entry, str) else next(iter(entry))
        found += [f"methods.{number}.{name}.{limits[name]}=12"] if name in limits else []
    return found


@pytest.fixture(scope="module")
def ran(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The recipe, run once by the command line."""
    tokenizer = real_data / "tokenizers" / "mistral-7b-instruct-v0.2"
    for needed in (tokenizer, real_data / "alma", real_data / "wmt22", real_data / "instruction" / "sdft"):
        if not needed.is_dir():
            pytest.skip(f"there is no {needed}")
    folder = tmp_path_factory.mktemp("mistral")
    written = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    overrides = [f"backbone={_backbone(folder / 'backbone', tokenizer)}"]
    overrides += _overrides(written["methods"], real_data)
    return run(RECIPE, overrides, folder / "runs", tokenizer, {"DRAGOMAN_MIRROR": str(real_data)})


@pytest.mark.slow
def test_all_methods_are_trained_and_judged(ran: Ran) -> None:
    assert {name for name, _ in ran.methods.values()} >= METHODS
    assert [row["name"] for row in ran.card["rows"]] == ["backbone", *ran.methods]
    for row in ran.card["rows"]:
        assert set(row["translation"]["directions"]) == set(DIRECTIONS)
    assert ran.facts("data")["train"] == dict.fromkeys(DIRECTIONS, PAIRS)
    assert (ran.runs / ran.settings["name"] / "report.html").is_file()


@pytest.mark.slow
def test_adapters_and_steps_are_those_of_the_paper(ran: Ran) -> None:
    for row, (method, _) in ran.methods.items():
        trained, facts = ran.artifact(f"train-{row}"), ran.facts(f"train-{row}")
        config = json.loads((trained / "adapter" / "adapter_config.json").read_text())
        assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (16, 32, 0.0), row
        weights = load_file(trained / "adapter" / "adapter_model.safetensors")
        found = {re.sub(r".*layers\.(\d)\.\w+\.(\w+)\.lora_(A|B)\.weight", r"\1 \2 \3", name) for name in weights}
        assert found == {f"{layer} {name} {side}" for layer in (0, 1) for name in LINEAR for side in "AB"}, row
        assert {min(weight.shape) for weight in weights.values()} == {16}
        assert any(weight.abs().max() > 0 for name, weight in weights.items() if "lora_B" in name)

        settings = json.loads((trained / "training.json").read_text())
        batch = 256 if method == "seq_kd" else 128
        assert (settings["batch_size"], settings["learning_rate"], settings["schedule"]) == (batch, 1e-4, "cosine"), row
        count = ran.facts(f"examples-{row}")["examples"]
        assert facts["steps"] == math.ceil(count / batch) == 2, row
        assert len((trained / "metrics.jsonl").read_text().splitlines()) == 2


@pytest.mark.slow
def test_prompts_and_references_are_those_of_the_paper(ran: Ran) -> None:
    pairs = {pair["target"]: pair for pair in ran.lines("train.jsonl")}
    used = set()
    for row, (method, _) in ran.methods.items():
        whole = 0
        for _, segments in ran.examples(row):
            told = {part.name: part.ids for part in segments}
            names = list(told)
            assert names[0] == "prompt"
            ids = told["prompt"]
            assert ids.count(1) == 1
            assert ids[0] == 1
            said = ran.tokenizer.decode(ids)
            asked = re.fullmatch(r"<s> ?\[INST\] (.*) \[/INST\]", said, re.DOTALL)
            assert asked, said
            if "reference" not in names:
                continue
            reference = ran.tokenizer.decode(told["reference"])
            pair = pairs[reference.strip()]
            source, target = (LANGUAGES[pair[f"{side}_language"]] for side in ("source", "target"))
            possible = [form.format(source=source, target=target, text=pair["source"]) for form in INSTRUCTIONS]
            assert asked[1] in possible, said
            used.add(possible.index(asked[1]))
            if method != "radis":
                assert names == ["prompt", "reference", "end"]
                assert told["end"] == [2]
            whole += 1
        assert whole == (len(pairs) if method != "sdft_rewrite" else whole), row
    assert used == set(range(5))


@pytest.mark.slow
def test_each_method_teaches_what_it_says(ran: Ran) -> None:
    counts = {row: ran.facts(f"examples-{row}") for row in ran.methods}
    pairs = PAIRS * len(DIRECTIONS)
    assert len(ran.lines("instructions.jsonl")) == 2 * CONVERSATIONS
    for row, (method, _) in ran.methods.items():
        count, trained = counts[row]["examples"], counts[row]["trained"]
        if method == "vanilla":
            assert (count, set(trained)) == (pairs, {"prompt", "reference", "end"})
        elif method == "seq_kd":
            assert count == pairs + counts[row]["notes"]["own answers"]
            assert 0 < counts[row]["notes"]["own answers cut off at the limit"] < count - pairs
            assert trained["own"] > 0
            assert trained["reference"] == counts["vanilla"]["trained"]["reference"]
        elif method == "sdft_rewrite":
            assert count == pairs
            kept = {name: number for name, number in counts[row]["notes"].items() if "kept" in name}
            assert kept["originals kept: cut off at the limit"] > 0
            assert sum(kept.values()) + counts[row]["notes"]["rewritten"] == pairs
            assert trained["own"] > 0
        elif method == "multitask":
            assert count == pairs + 2 * CONVERSATIONS
            assert trained["answer"] > 0
        else:
            assert count == pairs
            assert pairs < trained["rationale"] < 12 * pairs
            assert 0 < trained["end"] < pairs  # of rationales that ended by themselves
            assert trained["reference"] == counts["vanilla"]["trained"]["reference"]
