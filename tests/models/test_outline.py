"""A model whose files lack a tensor is refused wherever one is loaded; so is one that does not continue text."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
)

from dragoman.errors import EngineError
from dragoman.models import outline as outlines
from dragoman.models.loading import load_model
from dragoman.models.outline import outline

Change = Callable[[dict[str, torch.Tensor]], Any]
SIZES = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def llama(tied: bool = False) -> Any:
    return LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=tied))


def gpt2() -> Any:
    return GPT2LMHeadModel(GPT2Config(vocab_size=61, n_embd=32, n_layer=2, n_head=4, n_positions=64))


def mixtral() -> Any:
    return MixtralForCausalLM(MixtralConfig(**SIZES, num_local_experts=4))


def edit(weights: Path, change: Change) -> None:
    tensors = load_file(weights)
    change(tensors)
    save_file(tensors, weights, metadata={"format": "pt"})


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Any], Path]:
    def save(model: Any) -> Path:
        model.save_pretrained(tmp_path / "model")
        return tmp_path / "model"

    return save


def refused(folder: Path, said: str, **more: Any) -> None:
    """Both ways of looking at a model must say the same."""
    for look in (outline, load_model):
        with pytest.raises(EngineError, match=said):
            look(folder, **more)


@pytest.mark.parametrize(
    ("make", "dropped", "said"),
    [
        (
            llama,
            "model.layers.1.self_attn.q_proj.weight",
            r"1 of its tensors are not there: model\.layers\.1\.self",
        ),
        (llama, "model.norm.weight", r"1 of its tensors are not there: model\.norm\.weight"),
        (llama, "lm_head.weight", r"1 of its tensors are not there: lm_head\.weight"),
        (gpt2, "transformer.h.0.attn.c_attn.bias", r"not there: transformer\.h\.0\.attn\.c_attn\.bias"),
        (
            mixtral,
            "model.layers.0.block_sparse_moe.experts.3.w2.weight",
            r"experts\.down_proj is 3×32×48 in the files and 4×32×48 in the model",
        ),
    ],
)
def test_a_missing_tensor(saved: Callable[[Any], Path], make: Callable[[], Any], dropped: str, said: str) -> None:
    folder = saved(make())
    outline(folder)
    edit(folder / "model.safetensors", lambda tensors: tensors.pop(dropped))
    refused(folder, said)


def test_a_tensor_of_another_size(saved: Callable[[Any], Path]) -> None:
    folder = saved(llama())

    def shorten(tensors: dict[str, torch.Tensor]) -> None:
        tensors["lm_head.weight"] = tensors["lm_head.weight"][:60].contiguous()

    edit(folder / "model.safetensors", shorten)
    refused(folder, r"1 have another size: lm_head\.weight is 60×32 in the files and 61×32 in the model")


def test_what_need_not_be_there(saved: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A tied head is not saved twice, and GPT-2 was published with names without their beginning, and with masks."""
    notes: list[str] = []
    monkeypatch.setattr(outlines, "note", notes.append)
    folder = saved(llama(tied=True))
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    load_model(folder, device="cpu")
    assert outline(folder).lm_head.weight.shape == (61, 32)
    folder = saved(gpt2())

    def as_published(tensors: dict[str, torch.Tensor]) -> None:
        for name in list(tensors):
            tensors[name.removeprefix("transformer.")] = tensors.pop(name)
        tensors["h.0.attn.bias"] = torch.ones(1, 1, 64, 64)

    edit(folder / "model.safetensors", as_published)
    load_model(folder, device="cpu")
    assert notes == []


def test_what_is_no_part_of_the_model_is_told_once(
    saved: Callable[[Any], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(outlines, "note", notes.append)
    folder = saved(llama())
    edit(folder / "model.safetensors", lambda tensors: tensors.update({"score.weight": torch.ones(2, 32)}))
    outline(folder)
    load_model(folder, device="cpu")
    (told,) = notes
    assert "1 tensors in its files are no part of the model, and are left out: score.weight" in told


@pytest.fixture
def adapted(saved: Callable[[Any], Path], tmp_path: Path) -> tuple[Path, Path]:
    """A backbone and an adapter on it, all of whose factors are random."""
    folder = saved(llama())
    config = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(llama(), config).save_pretrained(tmp_path / "adapter")
    return folder, tmp_path / "adapter"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("layers.1.self_attn.q_proj.lora_B", r"1 of the tensors .*: base_model.*layers\.1\.self_attn\.q_proj\.lora_B"),
        ("layers.0.mlp.down_proj.lora_A", r"1 of the tensors"),
        ("layers.0.mlp.down_proj", r"2 of the tensors"),
        ("layers.1", r"4 of the tensors"),
    ],
)
def test_an_adapter_that_is_not_whole(adapted: tuple[Path, Path], part: str, said: str) -> None:
    folder, adapter = adapted
    load_model(folder, adapter=adapter, device="cpu")

    def drop(tensors: dict[str, torch.Tensor]) -> None:
        for name in [name for name in tensors if part in name]:
            del tensors[name]

    edit(adapter / "adapter_model.safetensors", drop)
    refused(folder, f"is not whole: {said}", adapter=adapter)


def test_adapters_of_other_kinds_are_whole(saved: Callable[[Any], Path], tmp_path: Path) -> None:
    """What PEFT saves of an adapter is what is looked for, whatever it is made of."""
    folder = saved(llama(tied=True))
    for number, config in enumerate(
        (
            LoraConfig(r=2, use_dora=True, target_modules=["q_proj", "embed_tokens"]),
            LoraConfig(
                r=2, target_modules=["q_proj"], modules_to_save=["norm"], bias="lora_only", task_type="CAUSAL_LM"
            ),
            LoraConfig(r=2, target_modules=["q_proj", "up_proj"], layers_to_transform=[1], rank_pattern={"q_proj": 3}),
        )
    ):
        adapter = tmp_path / str(number)
        get_peft_model(llama(tied=True), config).save_pretrained(adapter)
        load_model(folder, adapter=adapter, device="cpu")


def test_an_adapter_goes_onto_names_that_are_other_in_the_files(saved: Callable[[Any], Path], tmp_path: Path) -> None:
    folder = saved(mixtral())
    config = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    network = get_peft_model(load_model(folder, device="cpu"), config)
    network.save_pretrained(tmp_path / "adapter")
    assert any("mlp.gate" in name for name in load_file(tmp_path / "adapter" / "adapter_model.safetensors"))
    load_model(folder, adapter=tmp_path / "adapter", device="cpu")


def test_models_that_do_not_continue_text(saved: Callable[[Any], Path], tmp_path: Path) -> None:
    small = {"vocab_size": 61, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    refused(saved(BertForMaskedLM(BertConfig(**small, intermediate_size=48))), r"is an encoder, .* \(bert\)")
    distil = DistilBertConfig(vocab_size=61, dim=32, n_layers=1, n_heads=2, hidden_dim=48)
    refused(saved(DistilBertModel(distil)), r"is an encoder, .* \(distilbert\)\. Take a decoder")
    t5 = T5Config(vocab_size=61, d_model=32, d_ff=48, num_layers=1, num_heads=2, d_kv=16)
    refused(saved(T5ForConditionalGeneration(t5)), r"is an encoder-decoder \(t5\)")
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "novel"}))
    refused(tmp_path / "model", r"\(novel\) that transformers [0-9.]+ does not know")


def test_nothing_is_read_but_headers(saved: Callable[[Any], Path]) -> None:
    """The weights may be anything: a hole in the file will do."""
    folder = saved(llama())
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: 8 + int.from_bytes(whole[:8], "little")])
    os.truncate(weights, len(whole))
    assert {tensor.device.type for tensor in outline(folder).parameters()} == {"meta"}
