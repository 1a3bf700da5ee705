"""The backbone that ships: its shape, its size, that it answers, and that its card is about these weights."""

import hashlib
import json

import pytest
import torch
from safetensors import safe_open

from dragoman.corpora.records import Turn
from dragoman.generation.ask import Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.lab import BACKBONE, abilities
from dragoman.prompts.render import Renderer

CARD = json.loads((BACKBONE / "card.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer.load(BACKBONE)


def test_it_is_a_small_llama_in_bf16() -> None:
    config = json.loads((BACKBONE / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert (BACKBONE / "model.safetensors").stat().st_size <= 16 * 2**20
    with safe_open(BACKBONE / "model.safetensors", "pt") as weights:
        tensors = [weights.get_tensor(name) for name in weights.keys()]  # noqa: SIM118
    assert {tensor.dtype for tensor in tensors} == {torch.bfloat16}
    assert 3_000_000 <= sum(tensor.numel() for tensor in tensors) <= 8_000_000


def test_the_tokenizer_carries_its_chat_template() -> None:
    assert "<|assistant|>" in json.loads((BACKBONE / "tokenizer_config.json").read_text())["chat_template"]


def test_it_answers_known_questions(renderer: Renderer) -> None:
    engine = HfEngine(BACKBONE, decode=renderer.decode)
    asked = {
        "What is the opposite of 'big'?": "small",
        "What is 6 * 7?": "42",
        "What is the capital of Italy?": "Rom",
    }
    prompts = [renderer.prompt([Turn("user", text)]) for text in asked]
    answers = dict(engine.complete(prompts, Sampling(max_tokens=60, stop=renderer.stop)))
    engine.close()
    for number, (question, expected) in enumerate(asked.items()):
        assert expected in answers[number].text, question
        assert answers[number].finish == "stop"


def test_the_card_is_about_these_weights() -> None:
    digest = hashlib.sha256((BACKBONE / "model.safetensors").read_bytes()).hexdigest()
    assert CARD["weights"]["sha256"] == digest
    assert digest in (BACKBONE / "README.md").read_text(encoding="utf-8")


def test_the_card_holds_what_was_asked_of_the_backbone() -> None:
    for family in abilities.FAMILIES:
        found = CARD["abilities"][family]
        assert found["n"] == 200
        assert found["score"] >= (0.6 if family == "arithmetic" else 0.8), family
    chrf = {direction: found["chrF++"] for direction, found in CARD["translation"].items()}
    assert min(chrf["de-en"], chrf["it-en"]) > max(chrf["en-de"], chrf["en-it"])
    assert CARD["after a reference"]["stops at once"] < 0.5
    assert sum(share > 0.03 for share in CARD["after a reference"]["kinds"].values()) >= 4
