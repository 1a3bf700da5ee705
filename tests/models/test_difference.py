"""A difference of weights, added to its base."""

import re
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from dragoman.errors import EngineError
from dragoman.models.difference import add_difference
from dragoman.models.loading import load_model
from tests.tiny_models import lab_llama


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return lab_llama(tmp_path / "base")


def difference(base: Path, out: Path, more: int = 0) -> dict[str, torch.Tensor]:
    """Leaves the difference of another model, with more rows, to the base; gives the other model's weights."""
    model = AutoModelForCausalLM.from_pretrained(base)
    old = {name: weight.clone() for name, weight in model.state_dict().items()}
    if more:
        model.resize_token_embeddings(model.config.vocab_size + more, mean_resizing=False)
    torch.manual_seed(1)
    whole = {name: torch.randn_like(weight) for name, weight in model.state_dict().items()}
    shutil.copytree(base, out, ignore=shutil.ignore_patterns("*.safetensors*"))
    changes = {name: weight.clone() for name, weight in whole.items()}
    for name, weight in old.items():
        changes[name][: len(weight)] -= weight
    model.config.save_pretrained(out)
    torch.save(changes | {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(2)}, out / "pytorch_model.bin")
    return whole


@pytest.mark.parametrize("more", [0, 3])
def test_the_sum_is_the_model_with_the_rows_that_its_base_lacks(base: Path, tmp_path: Path, more: int) -> None:
    whole = difference(base, tmp_path / "difference", more)
    add_difference(tmp_path / "difference", base, tmp_path / "sum", bin_weights=True)
    found = load_model(tmp_path / "sum", precision="fp32", device="cpu").state_dict()
    tied = (
        {"lm_head.weight"}
        if found["lm_head.weight"].data_ptr() == found["model.embed_tokens.weight"].data_ptr()
        else set()
    )
    for name in found.keys() - tied:
        torch.testing.assert_close(found[name], whole[name])
    assert {path.name for path in base.glob("tokenizer*")} <= {path.name for path in (tmp_path / "sum").iterdir()}


def test_bins_are_read_only_where_allowed(base: Path, tmp_path: Path) -> None:
    difference(base, tmp_path / "difference")
    with pytest.raises(EngineError, match="bin_weights"):
        add_difference(tmp_path / "difference", base, tmp_path / "sum")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("model.norm.weight", torch.zeros(3), "can't be added to .* model.norm.weight is 3 here"),
        ("model.more.weight", torch.zeros(3), "which has no model.more.weight"),
        ("model.norm.weight", None, "which also has model.norm.weight"),
    ],
)
def test_what_does_not_fit_is_said(
    name: str, change: torch.Tensor | None, told: str, base: Path, tmp_path: Path
) -> None:
    difference(base, tmp_path / "difference")
    file = tmp_path / "difference" / "pytorch_model.bin"
    weights = torch.load(file, weights_only=True)
    weights = {key: value for key, value in weights.items() if key != name} | ({} if change is None else {name: change})
    torch.save(weights, file)
    with pytest.raises(EngineError, match=re.compile(told)):
        add_difference(tmp_path / "difference", base, tmp_path / "sum", bin_weights=True)
