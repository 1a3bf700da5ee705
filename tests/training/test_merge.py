import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from dragoman.errors import StoreError, TrainingError
from dragoman.models.config import taught_alone
from dragoman.models.loading import load_model
from dragoman.prompts.examples import Example, ExampleTable
from dragoman.recipe.training import Rising
from dragoman.training import merge as merging
from dragoman.training.merge import merge
from dragoman.training.trainer import fit
from tests.training.training_kit import examples, settings

Write = Callable[[list[Example]], ExampleTable]
PROMPTS = [(5, 6, 7), (1, 2, 3, 4, 8, 9), (90,)]


@pytest.fixture
def backbone(tiny: Path, tmp_path: Path) -> Path:
    """The small Llama in bf16, with what stands beside the weights."""
    folder = tmp_path / "little-llama"
    LlamaForCausalLM.from_pretrained(tiny, dtype=torch.bfloat16).save_pretrained(folder)
    (folder / "tokenizer.json").write_text('{"a": 1}', encoding="utf-8")
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    (folder / "notes.txt").write_text("not wanted", encoding="utf-8")
    return folder


@pytest.fixture
def adapter(backbone: Path, table: Write, tmp_path: Path) -> Path:
    return fit(backbone, table(examples(24)), settings(), tmp_path / "fit").adapter


def test_a_merged_model_answers_as_its_adapter(backbone: Path, adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "merged"
    parity = merge(backbone, adapter, out, PROMPTS)
    assert parity.fp32_max < 1e-4 * parity.spread
    assert 0 < parity.fp32_max < parity.cast_max < 0.5 * parity.spread
    assert 0 < parity.cast_mean < parity.cast_max
    assert (parity.prompts, parity.tokens, parity.cast) == (3, 48, "bfloat16")
    assert parity.agreement >= 0.9

    weights = load_file(out / "model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    assert LlamaForCausalLM.from_pretrained(out).dtype == torch.bfloat16
    both = load_model(backbone, precision="fp32", device="cpu", adapter=adapter)
    alone = load_model(out, precision="fp32", device="cpu")
    plain = load_model(backbone, precision="fp32", device="cpu")
    ids = torch.tensor([PROMPTS[1]])
    with torch.no_grad():
        logits = [model(input_ids=ids).logits for model in (both, alone, plain)]
    assert (logits[0] - logits[1]).abs().max() < 0.2 * (logits[0] - logits[2]).abs().max()


def test_it_says_that_it_was_taught_to_give_the_translation_alone(
    backbone: Path, adapter: Path, tmp_path: Path
) -> None:
    taught = tmp_path / "taught"
    merge(backbone, adapter, taught, PROMPTS, alone=True)
    merge(taught, adapter, tmp_path / "further", PROMPTS)  # and so does what is made of it
    merge(backbone, adapter, tmp_path / "plain", PROMPTS)
    assert [taught_alone(tmp_path / name) for name in ("taught", "further", "plain")] == [True, True, False]
    said = ["give only the translation" in (tmp_path / name / "README.md").read_text() for name in ("taught", "plain")]
    assert said == [True, False]
    assert not taught_alone(tmp_path)  # no model at all


def test_numbers_and_companions_are_beside_the_weights(backbone: Path, adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "merged"
    parity = merge(backbone, adapter, out, PROMPTS)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert card.startswith('---\nbase_model: "little-llama"\n')
    assert f"| merged, before the cast | {parity.fp32_max:.3g} | {parity.fp32_mean:.3g} |" in card
    assert f"Greedy agreement after the cast: {parity.agreement:.1%}" in card
    assert str(tmp_path) not in card
    assert json.loads((out / "parity.json").read_text(encoding="utf-8"))["agreement"] == parity.agreement
    assert (out / "tokenizer.json").read_text(encoding="utf-8") == '{"a": 1}'
    names = {path.name for path in out.iterdir()}
    assert {"chat_template.jinja", "generation_config.json", "config.json"} <= names
    assert "notes.txt" not in names


def test_a_corrupted_merge_is_not_published(
    backbone: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = merging._fold

    def corrupt(model: Any) -> Any:
        merged = fold(model)
        merged.model.layers[1].mlp.down_proj.weight.data[:, 0] += 0.01
        return merged

    monkeypatch.setattr(merging, "_fold", corrupt)
    with pytest.raises(TrainingError, match=r"not published. In fp32 the logits differ by up to \d"):
        merge(backbone, adapter, tmp_path / "models" / "merged", PROMPTS)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_damaged_file_is_not_published(
    backbone: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    companions = merging.copy_companions

    def damage(folder: Path, beside: Path, trust_remote_code: bool = False) -> None:
        companions(folder, beside, trust_remote_code)
        model = LlamaForCausalLM.from_pretrained(beside)
        model.model.norm.weight.data.neg_()
        model.save_pretrained(beside)

    monkeypatch.setattr(merging, "copy_companions", damage)
    with pytest.raises(TrainingError, match=r"\d% of 48 greedy tokens are the same"):
        merge(backbone, adapter, tmp_path / "models" / "merged", PROMPTS)
    assert list((tmp_path / "models").iterdir()) == []


def test_what_cannot_be_merged_is_said_first(
    backbone: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrainingError, match="exists already"):
        merge(backbone, adapter, adapter, PROMPTS)
    with pytest.raises(TrainingError, match="checked on prompts"):
        merge(backbone, adapter, tmp_path / "merged", [])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(StoreError, match=r"0\.0 GB left"):
        merge(backbone, adapter, tmp_path / "merged", PROMPTS)
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("scale", [0.5, 1.2])
def test_a_merged_model_at_another_strength(scale: float, backbone: Path, adapter: Path, tmp_path: Path) -> None:
    """W + scale · alpha / rank · B A, written out; and the adapter at that strength beside it."""
    out = tmp_path / "scaled" / "model"
    parity = merge(backbone, adapter, out, PROMPTS, scale=scale)
    assert parity.agreement >= 0.9
    weights, before = load_file(out / "model.safetensors"), load_file(backbone / "model.safetensors")
    factors = load_file(adapter / "adapter_model.safetensors")
    for name, weight in before.items():
        layer = f"base_model.model.{name.removesuffix('.weight')}"
        expected = weight.float()
        if f"{layer}.lora_A.weight" in factors:
            change = factors[f"{layer}.lora_B.weight"] @ factors[f"{layer}.lora_A.weight"]
            expected = expected + scale * 2 * change  # alpha is twice the rank
            assert not torch.equal(weights[name], weight)
        assert torch.allclose(weights[name].float(), expected, rtol=2**-8, atol=1e-6)
    scaled = load_file(out.with_name("adapter") / "adapter_model.safetensors")
    assert all(
        torch.equal(scaled[name], factor * (scale if "lora_B" in name else 1)) for name, factor in factors.items()
    )
    card = (out / "README.md").read_text(encoding="utf-8")
    assert f"It is taken at strength {scale:g}: before that" in card


def test_a_merged_model_whose_strength_rises_with_the_layers(backbone: Path, adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "rising" / "model"
    parity = merge(backbone, adapter, out, PROMPTS, scale=Rising(first_layer=0.0))
    assert parity.fp32_max < 1e-4 * parity.spread
    found, before = load_file(out / "model.safetensors"), load_file(backbone / "model.safetensors")
    merge(backbone, adapter, tmp_path / "whole", PROMPTS)
    whole = load_file(tmp_path / "whole" / "model.safetensors")
    last = max(int(name.split(".")[2]) for name in before if name.startswith("model.layers."))
    for name, weight in found.items():
        if ".layers.0." in name:
            assert torch.equal(weight, before[name])
        elif f".layers.{last}." in name:
            assert torch.equal(weight, whole[name])
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "strength 0 at the first layer, rising to 1 at the last" in card


def test_strength_1_is_the_row_s_own_model_to_the_bit_and_0_the_backbone(
    backbone: Path, adapter: Path, tmp_path: Path
) -> None:
    merge(backbone, adapter, tmp_path / "own", PROMPTS)
    merge(backbone, adapter, tmp_path / "one" / "model", PROMPTS, scale=1.0)
    merge(backbone, adapter, tmp_path / "none" / "model", PROMPTS, scale=0.0)
    own, one = (tmp_path / name / "model.safetensors" for name in ("own", "one/model"))
    assert own.read_bytes() == one.read_bytes()
    assert not (tmp_path / "one" / "adapter").exists()
    none, before = load_file(tmp_path / "none/model/model.safetensors"), load_file(backbone / "model.safetensors")
    assert none.keys() == before.keys()
    assert all(torch.equal(weight, before[name]) for name, weight in none.items())


def test_a_corrupted_merge_at_another_strength_is_not_published(
    backbone: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(model: Any) -> Any:  # not scaled
        return load_model(backbone, precision="fp32", device="cpu", adapter=adapter).merge_and_unload()

    monkeypatch.setattr(merging, "_fold", whole)
    with pytest.raises(TrainingError, match="not published"):
        merge(backbone, adapter, tmp_path / "models" / "merged", PROMPTS, scale=0.5)
    assert not (tmp_path / "models" / "merged").exists()
