"""The recipes of the prior systems, each end to end on two layers of random weights.

All but the weights and the sizes is as in the real runs: the recipe by the command line, LLaMA's vocabulary, ALMA's
training pairs, WMT's test pairs, Alpaca's instructions, FLORES-200 as plain text, MQM's tables of rated translations.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import ROOT
from tests.smoke_kit import Ran, backbone, run
from tests.tiny_models import llama

ALPACA = "Below is an instruction that describes a task"
DIRECTIONS = ["de-en", "en-de", "zh-en", "en-zh"]


class System(NamedTuple):
    """A recipe, what is changed in it beside sizes, and how requests of its rows begin or what is in them."""

    recipe: str
    changes: Mapping[str, Any]
    asked: Mapping[str, str]
    learnt: Mapping[str, str] = {}
    """Row → what stands in some answer that it learns."""


TRAIN = {"corpus": "alma-human", "directions": DIRECTIONS, "limit": 8}
TEXTS = {"de": "deu_Latn", "en": "eng_Latn", "zh": "zho_Hans"}

SYSTEMS = {
    "alma": System(
        "alma/llama-2-7b.yaml",
        {
            "data.train.limit": 20,
            "data.dev.share": 0.1,
            "data.mixture.documents": 300,
            "methods.0.pretrain.training.batch_size": 32,
            "methods.0.pretrain.block": 128,
        },
        {"alma": "<s> Translate this from German to English:\nGerman: "},  # whose examples alma-lora has too
    ),
    "bigtrans": System(
        "bigtrans/llama-7b.yaml",
        {
            "data.train": TRAIN,
            "methods.0.pretrain.block": 128,
            "methods.0.pretrain.training.max_steps": 2,
            "methods.0.pretrain.vocabulary.pieces": 50,
            "methods.1.vanilla.training.curriculum.bounds": [10, 20],
        },
        {"bigtrans-parallel": "<s> German: ", "bigtrans": "### 指令:"},
    ),
    "bayling": System(
        "bayling/llama-7b.yaml",
        {"data.train": TRAIN, "methods.0.bayling.teacher": None, "methods.0.bayling.max_tokens": 8},
        {"bayling": "Provide the English translation for this sentence: "},
    ),
    "parrot": System(
        "parrot/llama-7b.yaml",
        {"data.train": TRAIN},
        {"parrot": ALPACA},
        {"parrot": "rather than"},
    ),
    "tower": System(
        "tower/llama-2-7b.yaml",
        {"methods.0.pretrain.block": 128, "methods.0.pretrain.training.max_steps": 2, "data.mixture.documents": 200},
        {"tower-instruct": ALPACA},
    ),
    "x-llama": System(
        "x-llama/llama-7b.yaml",
        {
            "data.train": TRAIN | {"directions": ["en-de", "de-en"]},
            "methods": [{"crossalpaca": {"label": "de-llama", "languages": ["de"], "directions": "en-x"}}],
        },
        {"de-llama": ALPACA},
    ),
}


def _texts(real: Path, name: str) -> list[Any]:
    """Plain text for the rows that learn it; each line of a file is a document."""
    files = [
        {"file": str(real / "flores200" / "devtest" / f"{code}.devtest"), "language": language, "limit": 100}
        for language, code in TEXTS.items()
    ]
    if name == "tower":
        files.append({"pairs": {"corpus": "alma-human", "directions": ["de-en"], "limit": 20}})
    return files if name != "bigtrans" else files[-1:]


def _overrides(name: str, real: Path, folder: Path) -> list[str]:
    """Sizes for two processor cores, and where the files are."""
    system = SYSTEMS[name]
    german = real / "instruction" / "german_alpaca"
    lessons = [{"file": str(german / "source_tasks" / "tasks_translated_en.json"), "language": "en", "limit": 12}]
    if name == "x-llama":
        file = german / "translated" / "translated_tasks_de_deepl_12k.json"
        lessons.append({"file": str(file), "language": "de", "limit": 12})
    if name == "tower":
        turns = [{"from": "human", "value": "Translate: Guten Tag."}, {"from": "gpt", "value": "Good day."}]
        blocks = folder / "blocks.jsonl"
        blocks.write_text("".join(json.dumps({"conversations": turns, "n": n}) + "\n" for n in range(20)))
        lessons = [{"file": str(blocks), "language": "en"}]
    found: dict[str, Any] = {
        "data.test": {"corpus": "wmt22", "directions": ["de-en"], "limit": 2},
        "evaluate": ["translation"],
        "evaluation.translation_tokens": 8,
        "evaluation.bootstrap": 20,
        "generation.engine": "hf",
        "training.precision": "fp32",
        "training.epochs": 1,
        "training.gradient_checkpointing": False,
        "hardware": None,
    }
    if name in ("alma", "bigtrans", "tower"):
        found["data.texts"] = _texts(real, name)
    if name == "parrot":
        table = real / "prior_systems" / "parrot" / "mqm" / "mqm_ted_zhen.tsv"
        found["data.ratings"] = [{"file": str(table), "direction": "zh-en", "limit": 4}]
    if name not in ("alma", "bigtrans"):
        found["data.lessons"] = lessons
    found |= system.changes
    return [f"{field}={json.dumps(value)}" for field, value in found.items()]


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_is_trained_and_judged(name: str, real_data: Path, tmp_path: Path) -> None:
    tokenizer = real_data / "tokenizers" / "llama-7b"
    needed = ("alma", "wmt22", "flores200/devtest", "instruction/german_alpaca", "prior_systems/parrot/mqm")
    for folder in (tokenizer, *(real_data / one for one in needed)):
        if not folder.is_dir():
            pytest.skip(f"there is no {folder}")
    special = {"bos_token_id": 1, "eos_token_id": 2}
    model = llama(32000, num_key_value_heads=4, max_position_embeddings=1024, **special)
    small = backbone(tmp_path / "backbone", tokenizer, model)
    overrides = [f"backbone={small}", *_overrides(name, real_data, tmp_path)]
    recipe = ROOT / "recipes" / SYSTEMS[name].recipe
    ran = run(recipe, overrides, tmp_path / "runs", tokenizer, {"DRAGOMAN_MIRROR": str(real_data)})
    assert [row["name"] for row in ran.card["rows"]] == ["backbone", *ran.methods]
    for row in ran.methods:
        assert ran.facts(f"train-{row}")["steps"] > 0
        assert ran.facts(f"merge-{row}")["agreement"] > 0.9
    for row, words in SYSTEMS[name].asked.items():
        assert any(words in said for said in requests(ran, row))
    for row, words in SYSTEMS[name].learnt.items():
        assert any(words in said for said in requests(ran, row, "reference"))


def requests(ran: Ran, row: str, segment: str = "prompt") -> list[str]:
    """The texts of a segment of all examples, special tokens spelled out."""
    parts = [part for _, segments in ran.examples(row) for part in segments if part.name == segment]
    return [ran.tokenizer.decode(part.ids) for part in parts]
