"""Adapters and models at another strength, against PEFT's own scaling; and those that can't be scaled."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import IA3Config, LoraConfig, get_peft_model
from peft.helpers import rescale_adapter_scale
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from dragoman.errors import EngineError
from dragoman.models.loading import load_model
from dragoman.models.scale import interpolate, scale_adapter, strength_of
from dragoman.recipe.training import Rising
from tests import tiny_models

IDS = torch.tensor([[1, 2, 3, 4, 8, 9]])
Made = Callable[..., Path]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    tiny_models.llama(61, seed=3, initializer_range=0.05).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def adapter_for(saved: Path, tmp_path: Path) -> Made:
    """Saves an adapter of the model whose factors are both random, as after a training."""

    def make(config: Any, dtype: torch.dtype = torch.float32) -> Path:
        torch.manual_seed(5)
        network = get_peft_model(LlamaForCausalLM.from_pretrained(saved), config)
        for name, weight in network.named_parameters():
            if "lora_" in name:
                weight.data = (0.1 * torch.randn_like(weight)).to(dtype)
        network.save_pretrained(tmp_path / "adapter")
        return tmp_path / "adapter"

    return make


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=IDS).logits
    return found


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.2])
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "embed_tokens"]])
def test_a_scaled_adapter_is_what_peft_makes_of_its_strength(
    strength: float, targets: Any, saved: Path, adapter_for: Made, tmp_path: Path
) -> None:
    adapter = adapter_for(LoraConfig(r=4, lora_alpha=8, target_modules=targets))
    out = scale_adapter(adapter, tmp_path / "scaled", strength, 2)
    network = load_model(saved, precision="fp32", device="cpu", adapter=adapter)
    whole = logits(network)
    with rescale_adapter_scale(network, strength):
        expected = logits(network)
    found = logits(load_model(saved, precision="fp32", device="cpu", adapter=out))
    assert torch.allclose(found, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found, whole, atol=1e-2)
    assert (out / "adapter_config.json").read_bytes() == (adapter / "adapter_config.json").read_bytes()


def test_strength_1_is_the_adapter_to_the_bit_and_0_the_backbone(
    saved: Path, adapter_for: Made, tmp_path: Path
) -> None:
    adapter = adapter_for(LoraConfig(r=4, target_modules="all-linear"), torch.bfloat16)
    one = load_file(scale_adapter(adapter, tmp_path / "one", 1.0, 2) / "adapter_model.safetensors")
    before = load_file(adapter / "adapter_model.safetensors")
    assert one.keys() == before.keys()
    assert all(torch.equal(one[name], weight) and one[name].dtype == weight.dtype for name, weight in before.items())
    none = load_model(saved, precision="fp32", device="cpu", adapter=scale_adapter(adapter, tmp_path / "one", 0.0, 2))
    assert torch.equal(logits(none), logits(load_model(saved, precision="fp32", device="cpu")))


REFUSED = {
    "dora": (LoraConfig(r=2, use_dora=True, target_modules=["q_proj"]), r"lora_magnitude_vector.*use_dora|use_dora"),
    "module": (LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"]), "more than its two factors"),
    "bias": (LoraConfig(r=2, target_modules=["q_proj"], bias="lora_only"), "more than its two factors"),
    "tokens": (LoraConfig(r=2, target_modules=["q_proj"], trainable_token_indices=[3]), "more than its two factors"),
    "ia3": (IA3Config(target_modules=["k_proj"], feedforward_modules=[]), "it is IA3, not LoRA"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_where_the_backbone_is_not_what_is_left_without_it(kind: str, tmp_path: Path) -> None:
    config, said = REFUSED[kind]
    model = tiny_models.llama(61, seed=3, attention_bias=True)
    get_peft_model(model, config).save_pretrained(tmp_path / "adapter")
    with pytest.raises(EngineError, match=rf"can't be taken at another strength.*({said}).*without `scale`"):
        scale_adapter(tmp_path / "adapter", tmp_path / "out", 0.5, 2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("start", ["pissa", "pissa_niter_4", "olora", "corda", "loftq", "lora_ga"])
def test_a_start_that_changed_the_backbone(start: str, adapter_for: Made, tmp_path: Path) -> None:
    adapter = adapter_for(LoraConfig(r=4, target_modules=["q_proj"]))
    about = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    (adapter / "adapter_config.json").write_text(json.dumps({**about, "init_lora_weights": start}), encoding="utf-8")
    with pytest.raises(EngineError, match=rf"changing the backbone's own weights \(init_lora_weights: {start}\)"):
        scale_adapter(adapter, tmp_path / "out", 0.5, 2)
    (adapter / "adapter_config.json").write_text(json.dumps({**about, "init_lora_weights": "gaussian"}))
    scale_adapter(adapter, tmp_path / "out", 0.5, 2)


@pytest.mark.parametrize("strength", [0.0, 0.3, 0.5, 1.0, 1.2])
def test_all_weights_lie_on_the_line_from_the_backbone(strength: float) -> None:
    backbone = tiny_models.llama(61, seed=1, tie_word_embeddings=True).to(torch.bfloat16)
    trained = tiny_models.llama(61, seed=2, tie_word_embeddings=True)
    before = {name: weight.clone().double() for name, weight in backbone.named_parameters()}
    after = {name: weight.clone().double() for name, weight in trained.named_parameters()}
    interpolate(trained, backbone, strength)
    for name, weight in trained.named_parameters():
        expected = before[name] + strength * (after[name] - before[name])
        assert weight.dtype == torch.float32
        assert torch.allclose(weight.double(), expected, atol=1e-6)
        if strength in (0, 1):
            assert torch.equal(weight.double(), expected)


def by_hand(name: str, alpha: float, layers: int) -> float:
    """LiNeS, written out: α + (1 − α) · l / (L − 1) in layer l, α for what is in no layer."""
    parts = name.split(".")
    numbers = [int(part) for part in parts if part.isdigit()]
    return alpha + (1 - alpha) * numbers[0] / (layers - 1) if numbers else alpha


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.2])
def test_an_adapter_that_rises_from_layer_to_layer(
    alpha: float, saved: Path, adapter_for: Made, tmp_path: Path
) -> None:
    layers = LlamaForCausalLM.from_pretrained(saved).config.num_hidden_layers
    assert layers >= 2
    adapter = adapter_for(LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj", "embed_tokens"]))
    out = scale_adapter(adapter, tmp_path / "scaled", Rising(first_layer=alpha), layers)
    expected = load_model(saved, precision="fp32", device="cpu")
    factors = load_file(adapter / "adapter_model.safetensors")
    for name, weight in expected.named_parameters():
        module = f"base_model.model.{name.removesuffix('.weight')}"
        if (down := factors.get(f"{module}.lora_A.weight")) is not None:
            added = factors[f"{module}.lora_B.weight"].double() @ down.double()
        elif (down := factors.get(f"{module}.lora_embedding_A")) is not None:
            added = (factors[f"{module}.lora_embedding_B"].double() @ down.double()).T
        else:
            continue
        weight.data += by_hand(name, alpha, layers) * 2 * added.float()  # alpha / rank is 2
    found = logits(load_model(saved, precision="fp32", device="cpu", adapter=out))
    assert torch.allclose(found, logits(expected), atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found, logits(load_model(saved, precision="fp32", device="cpu", adapter=adapter)))


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_all_weights_rise_from_layer_to_layer(alpha: float) -> None:
    backbone, trained = (tiny_models.llama(61, seed=seed) for seed in (1, 2))
    layers = trained.config.num_hidden_layers
    before = {name: weight.clone().double() for name, weight in backbone.named_parameters()}
    after = {name: weight.clone().double() for name, weight in trained.named_parameters()}
    interpolate(trained, backbone, Rising(first_layer=alpha))
    for name, weight in trained.named_parameters():
        expected = before[name] + by_hand(name, alpha, layers) * (after[name] - before[name])
        assert torch.allclose(weight.double(), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("transformer.h.0.attn.c_attn.weight", 0.2),
        ("base_model.model.model.layers.4.mlp.experts.7.up_proj.lora_B.weight", 1.0),
        ("gpt_neox.layers.2.attention.dense.weight", 0.6),
        ("model.layers.5.eh_proj.weight", 1.0),  # a sixth layer of five, which predicts tokens ahead
        ("model.norm.weight", 0.2),
        ("lm_head.weight", 0.2),
    ],
)
def test_the_layer_is_the_first_number_of_a_name(name: str, strength: float) -> None:
    assert strength_of(name, Rising(first_layer=0.2), 5) == pytest.approx(strength)
    assert strength_of("model.layers.0.mlp.up_proj.weight", Rising(first_layer=0.2), 1) == 0.2
    assert strength_of(name, 0.7, 5) == 0.7
