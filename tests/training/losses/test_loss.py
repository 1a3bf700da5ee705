import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

from dragoman.errors import TrainingError
from dragoman.training.losses import loss
from dragoman.training.losses.loss import teach_forward, token_nll


@pytest.mark.parametrize("chunk", [1, 40, 10**6])  # one row, two rows and all rows at a time
def test_nll_and_its_gradient_are_those_of_the_textbook(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loss.CHUNK, "cpu", chunk)
    torch.manual_seed(0)
    head = nn.Linear(8, 20).requires_grad_(False)
    hidden = torch.randn(7, 8, requires_grad=True)
    targets = torch.randint(0, 20, (7,))
    weights = torch.tensor([1.0, 0.5, 0.0, 2.0, 1.0, 1.0, 0.25])

    nll = token_nll(hidden, targets, head, 20, frozen=True)
    (found,) = torch.autograd.grad((nll * weights).sum(), hidden)

    logits = head(hidden)
    chosen = torch.stack([logits[row, target] for row, target in enumerate(targets)])
    expected = torch.log(torch.exp(logits).sum(1)) - chosen
    (slope,) = torch.autograd.grad((expected * weights).sum(), hidden)
    torch.testing.assert_close(nll, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found, slope, rtol=1e-5, atol=1e-6)


def test_a_head_that_is_trained_gets_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loss.CHUNK, "cpu", 40)
    torch.manual_seed(0)
    head = nn.Linear(8, 20)
    hidden, targets = torch.randn(7, 8, requires_grad=True), torch.randint(0, 20, (7,))
    found = torch.autograd.grad(token_nll(hidden, targets, head, 20, frozen=False).sum(), [hidden, head.weight])
    expected = torch.autograd.grad(
        functional.cross_entropy(head(hidden), targets, reduction="sum"), [hidden, head.weight]
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_logits_that_are_capped_stay_capped() -> None:
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "head_dim": 8}
    model = Gemma2ForCausalLM(
        Gemma2Config(**sizes, num_attention_heads=2, num_key_value_heads=1, final_logit_softcapping=0.5)
    ).requires_grad_(False)
    ids = torch.randint(0, 50, (2, 9))
    expected = functional.cross_entropy(model(input_ids=ids).logits[:, 3], ids[:, 4], reduction="none")
    teach_forward(model)
    found = model(input_ids=ids, position_ids=None, positions=torch.tensor([3, 12]), targets=ids[:, 4])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


class Doubled(LlamaForCausalLM):
    """An architecture that does something of its own to its logits."""

    def forward(self, **inputs):  # type: ignore[no-untyped-def]
        out = super().forward(**inputs)
        out.logits = out.logits * 2
        return out


def test_an_architecture_with_unknown_logits_is_refused() -> None:
    config = LlamaConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    with pytest.raises(TrainingError, match="Doubled does something to its logits"):
        teach_forward(Doubled(config))
