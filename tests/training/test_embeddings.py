"""Embedding and head trained beside an adapter: gradients reach them, soft labels ask the old, a merge has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from dragoman.errors import EngineError, TrainingError
from dragoman.models.adapters import check_adapter
from dragoman.models.loading import load_model
from dragoman.prompts.examples import Example, ExampleTable
from dragoman.recipe.training import Lora, Training
from dragoman.training.adapters import adapt
from dragoman.training.losses.distil import backbone_alone
from dragoman.training.losses.loss import teach_forward
from dragoman.training.merge import merge
from dragoman.training.trainer import fit
from tests.tiny_models import llama
from tests.training.training_kit import VOCABULARY, examples, settings

Write = Callable[[list[Example]], ExampleTable]
NEW = (90, VOCABULARY)
PROMPTS = [(5, 6, 92), (1, 2, 3, 4, 8, 96), (90,)]
WAYS = pytest.mark.parametrize("tied", [False, True], ids=["two matrices", "one"])
WHICH = pytest.mark.parametrize("which", [True, "new"], ids=["all", "new"])


@pytest.fixture
def extended(tmp_path: Path, tied: bool) -> Path:
    """A Llama whose last tokens are new."""
    folder = tmp_path / "extended"
    model = llama(VOCABULARY, seed=1, tie_word_embeddings=tied, initializer_range=0.1, new_tokens=list(NEW))
    model.save_pretrained(folder)
    return folder


def trained(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight for name, weight in network.named_parameters() if weight.requires_grad and "lora" not in name}


@WAYS
@WHICH
def test_gradients_are_those_of_plain_weights(which: Any, tied: bool, extended: Path) -> None:
    ids = torch.tensor([[3, 91, 5, 96, 7, 8, 90, 2]])
    positions, targets = torch.arange(7), ids[0, 1:]
    plain = LlamaForCausalLM.from_pretrained(extended)
    nll = torch.nn.functional.cross_entropy(plain(ids).logits[0, :-1].float(), targets, reduction="none")
    nll.sum().backward()
    causal = LlamaForCausalLM.from_pretrained(extended)
    teach_forward(causal)
    network = adapt(causal, Lora(rank=2), which)
    losses = network(input_ids=ids, position_ids=None, positions=positions, targets=targets)
    torch.testing.assert_close(losses, nll)
    losses.sum().backward()
    found = trained(network)
    assert len(found) == 2 - tied
    rows = slice(*NEW) if which == "new" else slice(None)
    for name, weight in found.items():
        expected = plain.lm_head.weight if "lm_head" in name else plain.model.embed_tokens.weight
        torch.testing.assert_close(weight.grad, expected.grad[rows], rtol=1e-4, atol=1e-5)


@WAYS
@WHICH
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_off_it_is_the_backbone_and_on_it_is_what_peft_computes(
    which: Any, tied: bool, precision: torch.dtype, extended: Path
) -> None:
    ids = torch.tensor([[3, 91, 5, 96]])
    plain = LlamaForCausalLM.from_pretrained(extended, dtype=precision)
    ours = LlamaForCausalLM.from_pretrained(extended, dtype=precision)
    network = adapt(ours, Lora(rank=2), which)
    with torch.no_grad():
        before = plain(ids).logits
        rounding = 1e-5 if precision == torch.float32 else 2e-2
        torch.testing.assert_close(network(input_ids=ids).logits, before, rtol=rounding, atol=rounding)
        for weight in trained(network).values():
            assert weight.dtype == torch.float32
            weight += torch.linspace(-0.3, 0.3, weight.shape[1])
        after = network(input_ids=ids).logits
        assert after.dtype == precision
        assert not torch.allclose(after, before)
        with backbone_alone(ours):
            assert torch.equal(ours(ids).logits, before)
        assert torch.equal(network(input_ids=ids).logits, after)
        if precision == torch.float32:
            theirs = LlamaForCausalLM.from_pretrained(extended)
            said = network.peft_config["default"].to_dict()
            kept = {name: said[name] for name in ("modules_to_save", "trainable_token_indices", "ensure_weight_tying")}
            other = get_peft_model(theirs, LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear", **kept))
            for weight in trained(other).values():
                weight += torch.linspace(-0.3, 0.3, weight.shape[1])
            torch.testing.assert_close(other(input_ids=ids).logits, after, rtol=1e-5, atol=1e-5)


@WAYS
@WHICH
def test_a_merge_has_them_and_an_adapter_says_where_it_belongs(
    which: Any, tied: bool, extended: Path, table: Write, tmp_path: Path
) -> None:
    fitted = fit(extended, table(examples(24)), settings(embeddings=which), tmp_path / "fit")
    weights = load_file(fitted.adapter / "adapter_model.safetensors")
    assert any("embed_tokens" in name for name in weights)
    parity = merge(extended, fitted.adapter, tmp_path / "merged", PROMPTS)
    assert parity.fp32_max < 1e-4 * parity.spread
    merged, before = (load_file(folder / "model.safetensors") for folder in (tmp_path / "merged", extended))
    assert ("lm_head.weight" in merged) != tied
    for name in ("model.embed_tokens.weight", *([] if tied else ["lm_head.weight"])):
        assert not torch.equal(merged[name][90:], before[name][90:])
        assert torch.equal(merged[name][:90], before[name][:90]) == (which == "new")
    with torch.no_grad():
        both = load_model(extended, precision="fp32", device="cpu", adapter=fitted.adapter)(torch.tensor([PROMPTS[1]]))
        alone = load_model(tmp_path / "merged", precision="fp32", device="cpu")(torch.tensor([PROMPTS[1]]))
    torch.testing.assert_close(both.logits, alone.logits, rtol=1e-4, atol=1e-4)
    llama(90, tie_word_embeddings=tied).save_pretrained(tmp_path / "small")
    with pytest.raises(EngineError, match=r"does not fit the backbone .*have another size there"):
        check_adapter(tmp_path / "small", fitted.adapter)


@WAYS
@WHICH
def test_an_interrupted_run_goes_on(
    which: Any, tied: bool, extended: Path, table: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, said = table(examples(24)), settings(embeddings=which, epochs=2)
    whole = fit(extended, made, said, tmp_path / "whole")
    first = fit(extended, made, said, tmp_path / "first", until=1)
    rest = fit(extended, made, said, tmp_path / "rest", before=tmp_path / "first")
    assert first.steps * 2 == rest.steps == whole.steps
    one, other = (load_file(fitted.adapter / "adapter_model.safetensors") for fitted in (whole, rest))
    assert one.keys() == other.keys()
    for name, weight in one.items():
        torch.testing.assert_close(other[name], weight)


@WAYS
@WHICH
def test_soft_labels_ask_the_old_rows(which: Any, tied: bool, extended: Path) -> None:
    ids = torch.tensor([[3, 91, 5, 96, 7, 8, 90, 2]])
    causal = LlamaForCausalLM.from_pretrained(extended)
    teach_forward(causal)
    network = adapt(causal, Lora(rank=2), which)
    soft = {"position_ids": None, "positions": torch.arange(7), "targets": ids[0, 1:], "soft": torch.ones(7).bool()}
    torch.testing.assert_close(network(input_ids=ids, **soft), torch.zeros(7), rtol=0, atol=1e-5)
    with torch.no_grad():
        for weight in trained(network).values():
            weight += torch.linspace(-0.3, 0.3, weight.shape[1])
    plain = LlamaForCausalLM.from_pretrained(extended)
    with torch.no_grad():
        base = plain(ids).logits[0, :-1].log_softmax(-1)
        for name, weight in trained(network).items():
            layer = plain.lm_head if "lm_head" in name else plain.model.embed_tokens
            layer.weight[slice(*NEW) if which == "new" else slice(None)] = weight
        moved = plain(ids).logits[0, :-1].log_softmax(-1)
    losses = network(input_ids=ids, **soft)
    torch.testing.assert_close(losses, (base.exp() * (base - moved)).sum(-1), rtol=1e-4, atol=1e-5)
    losses.sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in trained(network).values())


@WAYS
def test_what_cannot_be_trained_is_said(tied: bool, extended: Path, tiny: Path) -> None:
    with pytest.raises(TrainingError, match="the backbone has no new tokens"):
        adapt(LlamaForCausalLM.from_pretrained(tiny), Lora(rank=2), "new")
    if not tied:
        with pytest.raises(TrainingError, match=r"names lm_head, whose rows are trained as they are"):
            adapt(LlamaForCausalLM.from_pretrained(extended), Lora(rank=2, targets=("q_proj", "lm_head")), True)


def test_trainings_without_it_keep_their_names() -> None:
    assert "embeddings" not in Training().deciding()
    assert Training(embeddings=False).deciding() == Training().deciding()
    assert Training(embeddings=True).deciding()["embeddings"] is True
    assert Training(embeddings="new").deciding()["embeddings"] == "new"
