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
from dragoman.models.loading import load_model
from dragoman.prompts.examples import Example, ExampleTable
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
