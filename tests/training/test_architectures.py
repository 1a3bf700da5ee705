"""Backbones of other shapes than Llama's: asked, trained, merged and loaded like any other, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    FalconConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoConfig,
    GPTNeoXConfig,
    MambaConfig,
    MixtralConfig,
    OPTConfig,
    PhiConfig,
    Qwen2Config,
    Qwen2MoeConfig,
)

from dragoman.errors import TrainingError
from dragoman.generation.ask import Sampling
from dragoman.generation.hf.engine import HfEngine
from dragoman.models.loading import load_model
from dragoman.prompts.examples import Example, ExampleTable, Segment
from dragoman.recipe.training import Lora
from dragoman.training.adapters import adapt, check_targets
from dragoman.training.losses.distil import backbone_states
from dragoman.training.merge import merge
from dragoman.training.trainer import choose_attention, fit
from tests.training.training_kit import VOCABULARY, examples, settings

Write = Callable[[list[Example]], ExampleTable]

BASE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
GROUPED = {**BASE, "intermediate_size": 64, "num_key_value_heads": 2}
CONFIGS: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0
    ),
    "opt": lambda: OPTConfig(**BASE, ffn_dim=64, word_embed_proj_dim=32, dropout=0.0),
    "gpt-neox": lambda: GPTNeoXConfig(**BASE, intermediate_size=64),
    "gpt-neo": lambda: GPTNeoConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
        max_position_embeddings=64,
        window_size=8,
    ),
    "qwen2": lambda: Qwen2Config(**GROUPED),
    "gemma2": lambda: Gemma2Config(**GROUPED, head_dim=8, sliding_window=8),
    "gemma3": lambda: Gemma3TextConfig(**GROUPED, head_dim=8, sliding_window=8),
    "phi": lambda: PhiConfig(**BASE, intermediate_size=64),
    "falcon": lambda: FalconConfig(**BASE),
    "falcon with biases for places": lambda: FalconConfig(**BASE, alibi=True),
    "mixtral": lambda: MixtralConfig(**GROUPED, num_local_experts=4),
}
PROMPTS = [tuple((7 * number + 3 * place) % VOCABULARY for place in range(3 + number)) for number in range(6)]


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    def save(name: str) -> Path:
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(CONFIGS[name]()).float()
        for weight in model.parameters():
            if weight.dim() > 1:  # far from uniform, so that greedy paths differ
                torch.nn.init.normal_(weight, std=0.2)
        model.save_pretrained(tmp_path / "model")
        return tmp_path / "model"

    return save


PARTS: dict[str, tuple[set[str], set[str]]] = {
    "gpt2": ({"attn.c_attn", "attn.c_proj"}, {"mlp.c_fc", "mlp.c_proj"}),
    "opt": ({f"self_attn.{name}_proj" for name in ("q", "k", "v", "out")}, {"fc1", "fc2"}),
    "gpt-neox": ({"attention.query_key_value", "attention.dense"}, {"mlp.dense_h_to_4h", "mlp.dense_4h_to_h"}),
    "gpt-neo": ({f"attn.attention.{name}_proj" for name in ("q", "k", "v", "out")}, {"mlp.c_fc", "mlp.c_proj"}),
    "phi": ({"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.dense"}, {"mlp.fc1", "mlp.fc2"}),
    "falcon": ({"self_attention.query_key_value", "self_attention.dense"}, {"mlp.dense_h_to_4h", "mlp.dense_4h_to_h"}),
} | dict.fromkeys(
    ("qwen2", "gemma2", "gemma3"),
    (
        {f"self_attn.{name}_proj" for name in ("q", "k", "v", "o")},
        {f"mlp.{name}_proj" for name in ("gate", "up", "down")},
    ),
)


@pytest.mark.parametrize("name", PARTS)
def test_the_parts_of_a_layer_are_found_by_the_backbone_s_names(name: str) -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(CONFIGS[name]())
    attention, mlp = PARTS[name]
    assert {*check_targets(model, Lora(targets="attention"))} == attention
    assert {*check_targets(model, Lora(targets="mlp"))} == mlp
    assert {*check_targets(model, Lora(targets=("attention", "mlp")))} == attention | mlp


def test_what_picks_experts_is_in_no_part_and_what_is_missing_is_told() -> None:
    config = Qwen2MoeConfig(**GROUPED, num_experts=4, moe_intermediate_size=16, shared_expert_intermediate_size=16)
    with torch.device("meta"):
        mixture = AutoModelForCausalLM.from_config(config)
        mixtral = AutoModelForCausalLM.from_config(CONFIGS["mixtral"]())
        recurrent = AutoModelForCausalLM.from_config(
            MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2)
        )
    shared = {f"mlp.shared_expert.{name}_proj" for name in ("gate", "up", "down")}
    assert {*check_targets(mixture, Lora(targets="mlp"))} == shared
    assert len(check_targets(mixtral, Lora(targets="attention"))) == 4
    with pytest.raises(TrainingError, match=r"the backbone has no layer mlp\. It has .*; `attention` for q_proj, "):
        check_targets(mixtral, Lora(targets="mlp"))  # its experts are one tensor, and no linear layer
    with pytest.raises(TrainingError, match=r"no layer attention\. It has .*in_proj.* but embedding and head\.$"):
        check_targets(recurrent, Lora(targets=("attention", "in_proj")))


@pytest.mark.parametrize("name", CONFIGS)
def test_from_a_question_to_a_merged_model(
    name: str, saved: Callable[[str], Path], table: Write, tmp_path: Path
) -> None:
    folder = saved(name)
    engine = HfEngine(folder, decode=str, precision="fp32", device="cpu", batch_tokens=4000)
    answers = dict(engine.complete(PROMPTS, Sampling(20, (5,))))
    for number, prompt in enumerate(PROMPTS):  # against the model as it is, without a cache
        with torch.no_grad():
            logits = engine.model(torch.tensor([prompt + answers[number].ids])).logits[0]
        assert tuple(logits[len(prompt) - 1 : -1].argmax(-1).tolist()) == answers[number].ids
    made = fit(folder, table(examples(12)), settings(), tmp_path / "out")
    parity = merge(folder, made.adapter, tmp_path / "merged", PROMPTS)
    assert parity.fp32_max < 1e-4 * parity.spread
    adapted = load_model(folder, precision="fp32", device="cpu", adapter=made.adapter)
    merged = load_model(tmp_path / "merged", precision="fp32", device="cpu")
    ids = torch.tensor([PROMPTS[-1]])
    with torch.no_grad():
        before, after, alone = (model(ids).logits for model in (engine.model, adapted, merged))
    assert (after - before).abs().max() > 0.1 * before.std()
    torch.testing.assert_close(alone, after, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", CONFIGS)
def test_soft_labels_are_those_of_the_model_without_its_adapter(name: str, saved: Callable[[str], Path]) -> None:
    causal = load_model(saved(name), precision="fp32", device="cpu")
    ids, every = torch.tensor([PROMPTS[-1]]), torch.arange(len(PROMPTS[-1]))
    with torch.no_grad():
        before = causal.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    for weight in adapt(causal, Lora(rank=2)).train().parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.2)
    torch.testing.assert_close(backbone_states(causal, ids, None, every), before)
    after = causal.base_model(input_ids=ids, use_cache=False).last_hidden_state[0]
    assert (after - before).abs().max() > 0.1 * before.std()


@pytest.mark.parametrize("name", ["gpt2", "opt", "gpt-neo"])
def test_examples_beyond_the_last_place(name: str, saved: Callable[[str], Path], table: Write, tmp_path: Path) -> None:
    fits = Example((Segment("prompt", (1,) * 60, 0.0), Segment("reference", (2,) * 4)))
    long = Example((Segment("prompt", (1,) * 60, 0.0), Segment("reference", (2,) * 5)))
    folder = saved(name)
    with pytest.raises(
        TrainingError, match=r"1 of 2 examples in .* are longer than the 64 tokens .* the longest has 65"
    ):
        fit(folder, table([fits, long]), settings(), tmp_path / "out")


def test_turned_places_have_no_end(saved: Callable[[str], Path], table: Write, tmp_path: Path) -> None:
    long = Example((Segment("prompt", (1,) * 60, 0.0), Segment("reference", (2,) * 9)))
    assert fit(saved("qwen2"), table([long, long]), settings(), tmp_path / "out").steps == 1


def test_examples_of_another_vocabulary(saved: Callable[[str], Path], table: Write, tmp_path: Path) -> None:
    made = [Example((Segment("prompt", (1, VOCABULARY), 0.0), Segment("reference", (2,))))] * 2
    with pytest.raises(TrainingError, match=f"has the token {VOCABULARY}, and the backbone knows {VOCABULARY}"):
        fit(saved("gpt2"), table(made), settings(), tmp_path / "out")


@pytest.mark.parametrize("name", ["gpt2", "gpt-neo", "gemma3"])
def test_packed_examples_are_as_if_alone(name: str, saved: Callable[[str], Path], table: Write, tmp_path: Path) -> None:
    folder, made = saved(name), table(examples(12))
    if name == "gpt-neo":  # no dropout there: the two draw other numbers
        assert AutoModelForCausalLM.from_pretrained(folder).config.resid_dropout == 0
    padded = fit(folder, made, settings(packing="off"), tmp_path / "padded")
    packed = fit(folder, made, settings(packing="on"), tmp_path / "packed")
    assert packed.loss == pytest.approx(padded.loss, abs=1e-4)


@pytest.mark.parametrize("name", ["opt", "falcon"])
def test_examples_that_would_see_one_another_are_not_packed(
    name: str, saved: Callable[[str], Path], table: Write, tmp_path: Path
) -> None:
    folder, made = saved(name), table(examples(12))
    accelerator = torch.device("mps")
    assert choose_attention(load_model(folder, device="cpu"), settings(), accelerator, "fp32") == 0
    apart = CONFIGS["qwen2"]()
    assert choose_attention(AutoModelForCausalLM.from_config(apart), settings(), accelerator, "fp32") > 0
    with pytest.raises(TrainingError, match=r"training\.packing is on, but \w+ does not keep examples apart"):
        fit(folder, made, settings(packing="on"), tmp_path / "packed")
