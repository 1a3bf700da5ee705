"""Adapters that fit their backbone, and those that don't, told from headers alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import IA3Config, LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from dragoman.errors import EngineError
from dragoman.models.adapters import check_adapter
from dragoman.models.loading import load_model
from tests import tiny_models

Made = Callable[..., Path]


def llama(hidden: int = 32, layers: int = 2, tied: bool = False) -> Any:
    sizes = {"hidden_size": hidden, "intermediate_size": 48, "num_hidden_layers": layers}
    return tiny_models.llama(61, seed=None, initializer_range=0.02, tie_word_embeddings=tied, **sizes)


@pytest.fixture
def adapter_for(tmp_path: Path) -> Made:
    """Saves the adapter that PEFT makes for a model."""

    def make(model: Any, config: Any = None, name: str = "adapter") -> Path:
        model.config._name_or_path = "someone/the-right-one"
        model.name_or_path = "someone/the-right-one"
        config = config or LoraConfig(r=4, target_modules="all-linear")
        get_peft_model(model, config).save_pretrained(tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    llama().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_what_peft_made_for_a_backbone_fits(saved: Path, adapter_for: Made) -> None:
    check_adapter(saved, adapter_for(llama()))
    check_adapter(saved, adapter_for(llama(layers=1), name="of some layers"))
    dora = LoraConfig(r=2, use_dora=True, target_modules=["q_proj", "embed_tokens"], modules_to_save=["lm_head"])
    check_adapter(saved, adapter_for(llama(), dora, "dora"))
    scaled = IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"])
    check_adapter(saved, adapter_for(llama(64), scaled, "not looked at"))


def test_a_sharded_backbone(tmp_path: Path, adapter_for: Made) -> None:
    llama().save_pretrained(tmp_path / "model", max_shard_size="20KB")
    assert len(list((tmp_path / "model").glob("*.safetensors"))) > 2
    check_adapter(tmp_path / "model", adapter_for(llama()))
    with pytest.raises(EngineError, match="does not fit"):
        check_adapter(tmp_path / "model", adapter_for(llama(64), name="wider"))


def test_a_tied_head_is_not_in_the_file(tmp_path: Path, adapter_for: Made) -> None:
    llama(tied=True).save_pretrained(tmp_path / "model")
    both = LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"])
    check_adapter(tmp_path / "model", adapter_for(llama(tied=True), both))


def test_weights_that_are_stored_the_other_way_round(tmp_path: Path, adapter_for: Made) -> None:
    config = GPT2Config(vocab_size=61, n_embd=32, n_layer=2, n_head=4, n_positions=64)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "model")
    named = LoraConfig(r=2, target_modules=["c_attn", "c_fc"], fan_in_fan_out=True)
    adapter = adapter_for(GPT2LMHeadModel(config), named)
    check_adapter(tmp_path / "model", adapter)
    weights = load_file(tmp_path / "model" / "model.safetensors")
    short = {name.removeprefix("transformer."): value for name, value in weights.items()}
    save_file(short, tmp_path / "model" / "model.safetensors")  # as GPT-2 was published
    check_adapter(tmp_path / "model", adapter)


def test_packed_weights_are_not_compared(saved: Path, adapter_for: Made) -> None:
    weights = load_file(saved / "model.safetensors")
    packed = {
        name: torch.zeros(5, 1, dtype=torch.uint8) if "proj" in name else value for name, value in weights.items()
    }
    save_file(packed, saved / "model.safetensors")
    check_adapter(saved, adapter_for(llama()))


def test_a_wider_backbone(saved: Path, adapter_for: Made) -> None:
    adapter = adapter_for(llama(64))
    with pytest.raises(EngineError) as caught:
        load_model(saved, precision="fp32", device="cpu", adapter=adapter)
    said = str(caught.value)
    assert f"The adapter {adapter} does not fit the backbone {saved}." in said
    assert "14 have another size there: model.layers.0.mlp.down_proj (lora_B is 64×4, for a weight of 32×48)" in said
    assert "and 11 more" in said
    assert said.endswith("It was made for someone/the-right-one. Take that backbone, or an adapter of this one.")


def test_modules_that_the_backbone_lacks(saved: Path, adapter_for: Made) -> None:
    with pytest.raises(
        EngineError, match=r"14 of its modules are not in the backbone: model\.layers\.2\.mlp\.down_proj,"
    ):
        check_adapter(saved, adapter_for(llama(layers=4), name="deeper"))
    config = GPT2Config(vocab_size=61, n_embd=32, n_layer=1, n_head=4)
    other = adapter_for(GPT2LMHeadModel(config), LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True), "gpt")
    with pytest.raises(
        EngineError, match=r"1 of its modules are not in the backbone: transformer\.h\.0\.attn\.c_attn\."
    ):
        check_adapter(saved, other)


def test_files_that_are_not_what_they_should_be(saved: Path, adapter_for: Made) -> None:
    adapter = adapter_for(llama())
    weights = adapter / "adapter_model.safetensors"
    whole = weights.read_bytes()
    for damaged in (b"", b"\xff" * 40, whole[:100], b"\x02\0\0\0\0\0\0\0[]", b'\x07\0\0\0\0\0\0\0{"a":1}'):
        weights.write_bytes(damaged)
        with pytest.raises(EngineError, match=r"adapter_model\.safetensors could not be read as a safetensors file"):
            check_adapter(saved, adapter)
    weights.rename(adapter / "adapter_model.bin")
    with pytest.raises(EngineError, match=r"it has no adapter_model\.safetensors"):
        check_adapter(saved, adapter)
    weights.write_bytes(whole)
    (adapter / "adapter_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(EngineError, match=r"adapter_config\.json is not valid JSON"):
        check_adapter(saved, adapter)
    (adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}), encoding="utf-8")
    check_adapter(saved, adapter)


def test_no_torch_is_needed() -> None:
    code = "import sys, dragoman.models.adapters; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
