from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear
from transformers import AttentionInterface, LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.models import attention
from dragoman.recipe.training import Lora
from dragoman.training.adapters import adapt
from dragoman.training.losses.loss import teach_forward


def _gradients(network: torch.nn.Module, ids: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(5)
    for name, weight in network.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.1)
    logits = network(input_ids=ids, use_cache=False).logits
    logits.float().log_softmax(-1)[..., 3].sum().backward()
    return logits.detach(), {n: w.grad for n, w in network.named_parameters() if w.requires_grad and w.grad is not None}


def test_the_product_gives_the_numbers_of_peft(tiny: Path) -> None:
    ids = torch.arange(24).view(2, 12)
    ours = adapt(LlamaForCausalLM.from_pretrained(tiny), Lora(rank=4, alpha=12))
    plain = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=12, target_modules="all-linear")
    theirs = get_peft_model(LlamaForCausalLM.from_pretrained(tiny), plain)
    assert sum("forward" in vars(layer) for layer in ours.modules() if isinstance(layer, Linear)) == 14
    logits, found = _gradients(ours, ids)
    expected_logits, expected = _gradients(theirs, ids)
    torch.testing.assert_close(logits, expected_logits, rtol=1e-5, atol=1e-5)
    assert found.keys() == expected.keys()
    assert len(found) == 28
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-4)


def test_alpha_is_twice_the_rank_and_dropout_is_left_to_peft(tiny: Path) -> None:
    network = adapt(LlamaForCausalLM.from_pretrained(tiny), Lora(rank=4, dropout=0.1, targets=("q_proj",)))
    layers = [layer for layer in network.modules() if isinstance(layer, Linear)]
    assert len(layers) == 2
    assert {layer.scaling["default"] for layer in layers} == {2.0}
    assert not any("forward" in vars(layer) for layer in layers)


@pytest.mark.parametrize("width", [7, 600])  # by products, and the usual way
def test_attention_by_products_gives_the_numbers_of_torch(width: int, tiny: Path) -> None:
    torch.manual_seed(0)
    ids = torch.randint(0, 97, (2, width))
    usual = LlamaForCausalLM.from_pretrained(tiny)
    ours = LlamaForCausalLM.from_pretrained(tiny)
    attention.register()
    assert AttentionInterface()[attention.PRODUCTS] is attention.products
    ours.set_attn_implementation(attention.PRODUCTS)
    found, expected = (model(input_ids=ids, use_cache=False).logits for model in (ours, usual))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    found[..., 0].sum().backward()
    expected[..., 0].sum().backward()
    name = "model.layers.0.self_attn.k_proj.weight"
    torch.testing.assert_close(ours.get_parameter(name).grad, usual.get_parameter(name).grad, rtol=1e-3, atol=1e-3)


def test_layers_that_are_not_there(tiny: Path) -> None:
    """PEFT says nothing as long as one of the names is known."""
    backbone = LlamaForCausalLM.from_pretrained(tiny)
    named = r"has no layer c_attn, qproj\. It has embed_tokens, q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, "
    with pytest.raises(TrainingError, match=named) as refused:
        adapt(backbone, Lora(targets=("q_proj", "c_attn", "qproj")))
    parts = "; `attention` for q_proj, k_proj, v_proj, o_proj; `mlp` for gate_proj, up_proj, down_proj."
    assert str(refused.value).endswith(f"`all-linear` stands for all of them but embedding and head{parts}")
    for targets in ("mlp.up", r".*\.9\..*", "proj"):
        with pytest.raises(TrainingError, match="the backbone has no layer"):
            adapt(backbone, Lora(targets=targets))
    counted: dict[str | tuple[str, ...], int] = {
        "q_proj": 2,
        r".*\.1\.self_attn\.[qk]_proj": 2,
        ("layers.0.mlp.up_proj", "lm_head"): 2,
        "attention": 8,
        "mlp": 6,
        ("mlp", "q_proj", "lm_head"): 9,
    }
    for given, count in counted.items():
        network = adapt(LlamaForCausalLM.from_pretrained(tiny), Lora(targets=given))
        assert sum(isinstance(layer, Linear) for layer in network.modules()) == count


def test_a_pattern_that_is_none(tiny: Path) -> None:
    with pytest.raises(TrainingError, match=r"training.lora.targets: '\(\(' is no pattern of names: "):
        adapt(LlamaForCausalLM.from_pretrained(tiny), Lora(targets="(("))


@pytest.mark.parametrize(("target", "other"), [("embed_tokens", "head"), ("lm_head", "embedding")])
def test_weights_that_are_shared_get_no_adapter(tiny: Path, target: str, other: str) -> None:
    tied = LlamaForCausalLM.from_pretrained(tiny, tie_word_embeddings=True)
    with pytest.raises(TrainingError, match=f"{target} shares its weights with the backbone's {other}"):
        adapt(tied, Lora(targets=("q_proj", target)))


def test_an_adapter_on_the_head_is_trained(tiny: Path) -> None:
    causal = LlamaForCausalLM.from_pretrained(tiny)
    teach_forward(causal)  # before the adapter comes around the head, as the trainer does it
    network = adapt(causal, Lora(targets=("lm_head", "q_proj")))
    ids = torch.arange(8)[None]
    network(input_ids=ids, position_ids=None, positions=torch.arange(7), targets=ids[0, 1:]).sum().backward()
    slopes = {name: weight.grad for name, weight in network.named_parameters() if "lora_B" in name}
    assert any("lm_head" in name for name in slopes)
    assert all(slope is not None and slope.abs().sum() > 0 for slope in slopes.values())
