"""Soft labels against plain computations over the whole vocabulary."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.prompts.examples import Example, ExampleTable
from dragoman.recipe.training import Lora
from dragoman.training.adapters import adapt
from dragoman.training.batching import Batcher, Micro, pack, pad
from dragoman.training.losses import loss
from dragoman.training.losses.distil import backbone_alone, backbone_states, divergence, stored_divergence
from dragoman.training.losses.loss import teach_forward, token_losses
from tests.tiny_models import llama
from tests.training.training_kit import VOCABULARY, examples, remembered

Write = Callable[[list[Example]], ExampleTable]
WIDTH, ENTRIES, PLACES = 8, 30, 7


@pytest.fixture
def head() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(WIDTH, ENTRIES).requires_grad_(False)


def states(seed: int) -> torch.Tensor:
    return torch.randn(PLACES, WIDTH, generator=torch.Generator().manual_seed(seed)) * 2


def plain(logits: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
    """KL(base || logits), from the definition, in fp64."""
    p, q = base.double().softmax(-1), logits.double().softmax(-1)
    return (p * (p / q).log()).sum(-1)


def stored(base: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest tokens and their log-probabilities."""
    found = base.log_softmax(-1).topk(count)
    return found.indices, found.values


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("chunk", [1, 2 * ENTRIES, 10**6])
def test_divergence_and_its_gradients_are_the_textbook_s(
    chunk: int, frozen: bool, reverse: bool, head: nn.Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(loss.CHUNK, "cpu", chunk)
    head.requires_grad_(not frozen)
    base = head(states(1)).detach()
    hidden, weights = states(2).requires_grad_(), torch.rand(PLACES)
    asked = [hidden, *([] if frozen else [head.weight])]

    def of(logits: torch.Tensor, base: torch.Tensor) -> torch.Tensor:
        return divergence(base, logits) if reverse else divergence(logits, base)

    found = token_losses(of, hidden, base, head=head, vocabulary=ENTRIES, frozen=frozen)
    slopes = torch.autograd.grad((found * weights).sum(), asked)
    expected = plain(base, head(hidden)) if reverse else plain(head(hidden), base)
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-6)
    for one, other in zip(slopes, torch.autograd.grad((expected * weights).sum(), asked), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [1, 5, ENTRIES])
def test_stored_tokens_and_a_tail_are_what_two_coarser_distributions_diverge_by(count: int, head: nn.Linear) -> None:
    base = head(states(1)).detach()
    ids, logprobs = stored(base, count)
    hidden = states(2).requires_grad_()
    found = token_losses(stored_divergence, hidden, ids, logprobs, head=head, vocabulary=ENTRIES, frozen=True)
    (slope,) = torch.autograd.grad(found.sum(), hidden)

    def coarse(logits: torch.Tensor) -> torch.Tensor:
        """Probabilities of the stored tokens, and of all others together."""
        every = logits.double().softmax(-1)
        kept = every.gather(-1, ids)
        tail = every.sum(-1, keepdim=True) - kept.sum(-1, keepdim=True)
        return torch.cat([kept, tail], -1)[:, : min(count + 1, ENTRIES)]

    p, q = coarse(base), coarse(head(hidden))
    expected = (p * (p / q).log()).sum(-1)
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(slope, torch.autograd.grad(expected.sum(), hidden)[0], rtol=1e-5, atol=1e-5)


def test_more_stored_tokens_come_nearer_to_the_whole_divergence(head: nn.Linear) -> None:
    base, logits = head(states(1)), head(states(2))
    full = plain(logits, base).float()
    found = torch.stack([stored_divergence(logits, *stored(base, count)) for count in range(1, ENTRIES + 1)])
    assert (found >= -1e-6).all()
    assert (found.diff(dim=0) >= -1e-5).all()
    assert (found[:20] < full - 1e-4).all()
    torch.testing.assert_close(found[-1], full, rtol=1e-5, atol=1e-5)


def test_places_may_have_fewer_stored_tokens_than_others(head: nn.Linear) -> None:
    base, hidden = head(states(1)), states(2).requires_grad_()
    ids, logprobs = stored(base, 6)
    expected = torch.autograd.grad(stored_divergence(head(hidden), ids[:, :4], logprobs[:, :4]).sum(), hidden)[0]
    fewer = logprobs.masked_fill(torch.arange(6) >= 4, -torch.inf)
    (found,) = torch.autograd.grad(stored_divergence(head(hidden), ids, fewer).sum(), hidden)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_certainty_is_finite(head: nn.Linear) -> None:
    """A student, or a backbone, that gives all its probability to one token."""
    sure, unsure = torch.full((1, ENTRIES), -200.0), torch.zeros(1, ENTRIES)
    sure[0, 3] = 200.0
    for base, logits in ((sure, unsure), (unsure, sure), (sure, sure)):
        leaf = logits.clone().requires_grad_()
        for found in (divergence(leaf, base), stored_divergence(leaf, *stored(base, 4))):
            (slope,) = torch.autograd.grad(found.sum(), leaf)
            assert found.isfinite().all()
            assert slope.isfinite().all()
            assert found >= -1e-4


@pytest.mark.parametrize("soft", [False, True])
def test_logits_are_never_held_whole(soft: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loss.CHUNK, "cpu", 2 * VOCABULARY)
    causal = llama(VOCABULARY, seed=1).requires_grad_(False)
    teach_forward(causal)
    adapt(causal, Lora(rank=2))
    seen = []
    causal.lm_head.register_forward_hook(lambda _, inputs, out: seen.append(out.shape.numel()))
    ids = torch.arange(40)[None]
    mask = torch.full((39,), True) if soft else None
    losses = causal(input_ids=ids, position_ids=None, positions=torch.arange(39), targets=ids[0, 1:], soft=mask)
    losses.sum().backward()
    assert sum(seen) == 39 * VOCABULARY * (2 if soft else 1)
    assert max(seen) == 2 * VOCABULARY


def moved(causal: LlamaForCausalLM, lora: Lora) -> PeftModel:
    """With an adapter that has learnt something."""
    network = adapt(causal, lora)
    torch.manual_seed(3)
    for name, weight in network.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(weight, std=0.1)
    return network


def whole_logits(backbone: nn.Module, network: nn.Module, micro: Micro) -> tuple[torch.Tensor, torch.Tensor]:
    """Of both, at the places of trained tokens, over the whole vocabulary."""
    with torch.no_grad():
        asked = backbone(input_ids=micro.ids, position_ids=micro.places, use_cache=False).logits
    logits = network(input_ids=micro.ids, position_ids=micro.places, use_cache=False).logits
    return asked.flatten(0, 1)[micro.positions], logits.flatten(0, 1)[micro.positions]


def agree(network: nn.Module, causal: LlamaForCausalLM, micro: Micro, expected: torch.Tensor, **labels: Any) -> None:
    """The losses that training takes of these labels are the expected ones, and have their gradients."""
    trained = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    slopes = torch.autograd.grad((expected * micro.weights).sum(), list(trained.values()))
    with network.disable_adapter() if isinstance(network, PeftModel) else nullcontext():
        teach_forward(causal)
    found = network(
        input_ids=micro.ids, position_ids=micro.places, positions=micro.positions, targets=micro.targets, **labels
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    gradients = torch.autograd.grad((found * micro.weights).sum(), list(trained.values()))
    for name, one, other in zip(trained, gradients, slopes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "lm_head")])
@pytest.mark.parametrize("line", [0, 64])
def test_soft_tokens_diverge_from_the_backbone_and_the_others_are_as_ever(
    line: int, targets: Any, reverse: bool, tiny: Path, table: Write
) -> None:
    rows = list(table(examples(6)))
    micro = pack(rows, line) if line else pad(rows)
    soft = micro.segments == 2
    backbone = LlamaForCausalLM.from_pretrained(tiny)
    causal = LlamaForCausalLM.from_pretrained(tiny)
    network = moved(causal, Lora(rank=4, targets=targets)).train()
    asked, logits = whole_logits(backbone, network, micro)
    hard = functional.cross_entropy(logits, micro.targets, reduction="none")
    apart = plain(asked, logits) if reverse else plain(logits, asked)
    expected = torch.where(soft, apart.float(), hard)
    agree(network, causal, micro, expected, soft=soft, reverse=reverse)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("line", [0, 64])
@pytest.mark.parametrize("count", [5, VOCABULARY])
def test_stored_tokens_diverge_from_what_was_stored_and_the_others_are_as_ever(
    count: int, line: int, whole: bool, tiny: Path, table: Write
) -> None:
    """Against tokens, a tail and cross-entropy from whole logits; equal to full soft labels where all was stored."""
    made = table(remembered(examples(6), tiny, count, ("rationale",)))
    (micro,) = Batcher(10_000, line, stored=np.array([name == "end" for name in made.names]))(list(made)).micros
    assert micro.stored is None
    asked_for = np.array([name == "rationale" for name in made.names])
    (micro,) = Batcher(10_000, line, stored=asked_for)(list(made)).micros
    assert micro.stored is not None
    which = micro.segments == made.names.index("rationale")
    assert torch.equal(micro.stored.which, which)
    backbone, causal = (LlamaForCausalLM.from_pretrained(tiny) for _ in range(2))
    if whole:
        torch.manual_seed(3)
        for weight in causal.parameters():
            weight.data += 0.02 * torch.randn_like(weight)
    network = causal.train() if whole else moved(causal, Lora(rank=4, targets=("q_proj", "lm_head"))).train()
    asked, logits = whole_logits(backbone, network, micro)
    likeliest = asked.topk(count).indices
    p, q = (some.double().softmax(-1).gather(-1, likeliest) for some in (asked, logits))
    expected = (p * (p / q).log()).sum(-1)
    if count < VOCABULARY:
        p, q = 1 - p.sum(-1), 1 - q.sum(-1)
        expected = expected + p * (p / q).log()
    hard = functional.cross_entropy(logits, micro.targets, reduction="none")
    expected = torch.where(which, expected.float(), hard)
    assert (expected[which] <= plain(logits, asked).float()[which] + 1e-5).all()
    agree(network, causal, micro, expected, stored=micro.stored)


def test_only_lines_with_soft_tokens_are_asked_for(tiny: Path) -> None:
    causal = LlamaForCausalLM.from_pretrained(tiny)
    adapt(causal, Lora(rank=2))
    seen = []
    causal.base_model.register_forward_hook(lambda _, args, said, out: seen.append(said["input_ids"]), with_kwargs=True)
    ids = torch.arange(40).reshape(4, 10)
    found = backbone_states(causal, ids, None, torch.tensor([35, 12, 14]))
    assert [one.tolist() for one in seen] == [[[10, 11, 12, 13, 14, 15], [30, 31, 32, 33, 34, 35]]]
    none = backbone_states(causal, ids, None, torch.tensor([], dtype=torch.long))
    assert none.shape == (0, causal.config.hidden_size)
    whole = LlamaForCausalLM.from_pretrained(tiny).base_model(input_ids=ids).last_hidden_state
    torch.testing.assert_close(found, whole.flatten(0, 1)[[35, 12, 14]], rtol=1e-4, atol=1e-5)


def test_the_backbone_is_asked_without_dropout_and_all_is_as_before_whatever_happens() -> None:
    causal = llama(VOCABULARY, seed=1, attention_dropout=0.9).requires_grad_(False)
    ids = torch.arange(12)[None]
    expected = causal.eval().base_model(input_ids=ids).last_hidden_state[0]
    network = moved(causal, Lora(rank=4, dropout=0.5)).train()
    causal.model.layers[0].eval()  # whatever it was
    before = [module.training for module in causal.modules()]
    trained = [weight.requires_grad for weight in causal.parameters()]
    random = torch.get_rng_state()
    torch.testing.assert_close(backbone_states(causal, ids, None, torch.arange(12)), expected)
    assert torch.equal(torch.get_rng_state(), random)
    with pytest.raises(IndexError):  # in the embedding, in mid-pass
        backbone_states(causal, ids + VOCABULARY, None, torch.arange(12))
    assert torch.is_grad_enabled()
    assert [module.training for module in causal.modules()] == before
    assert [weight.requires_grad for weight in causal.parameters()] == trained
    torch.manual_seed(0)
    assert not torch.allclose(network.base_model.model.base_model(input_ids=ids).last_hidden_state[0], expected)


def test_without_an_adapter_there_is_no_backbone_to_ask() -> None:
    with pytest.raises(TrainingError, match="this one has no adapter"), backbone_alone(llama(VOCABULARY, seed=1)):
        pass
