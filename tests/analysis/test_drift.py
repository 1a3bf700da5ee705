"""Drift: divergences by hand, nothing where nothing moved, and the same by one model with an adapter as by two."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from dragoman.analysis.drift import adapted, apart, divergences, drift
from dragoman.pipeline.analyses.measuring import drawn
from dragoman.prompts.examples import AnsweredPrompt
from dragoman.recipe.training import Lora
from dragoman.training.adapters import adapt
from dragoman.training.losses import loss
from tests.tiny_models import llama

TEXTS = [
    AnsweredPrompt((3, 4, 5), (6, 7, 8, 2)),
    AnsweredPrompt((9, 10), (11,)),
    AnsweredPrompt((12, 13, 14, 15, 16), (17, 18, 2)),
]


def tiny() -> Any:
    return llama(50, hidden_size=16, intermediate_size=32, num_attention_heads=2)


def moved(network: Any) -> Any:
    """The same network with an adapter that does something."""
    torch.manual_seed(5)
    for name, weight in network.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(0, 0.2)
    return network.eval()


def test_divergences_of_two_coins() -> None:
    base, tuned = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.9, 0.1]]).log() + 3.0
    forward, reverse = divergences(base, tuned)
    assert float(forward) == pytest.approx(0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1), abs=1e-6)
    assert float(reverse) == pytest.approx(0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5), abs=1e-6)


def test_an_untrained_adapter_has_not_moved() -> None:
    found = drift(*adapted(adapt(tiny(), Lora(rank=2)).eval()), TEXTS, 64)
    assert found[:, 0].tolist() == [4, 1, 3]
    assert (found[:, 1:] == 0).all()


def test_one_model_with_its_adapter_off_and_on_is_two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = tiny()
    plain = copy.deepcopy(backbone)
    network = moved(adapt(backbone, Lora(rank=2)))
    merged = copy.deepcopy(network).merge_and_unload()
    expected = np.array([directly(plain, merged, text) for text in TEXTS])
    found = drift(*adapted(network), TEXTS, 64)
    assert found == pytest.approx(expected, rel=1e-3)
    assert expected[:, 1:].min() > 0.01
    assert not np.allclose(expected[:, 1], expected[:, 2], rtol=0.01), "the two divergences are told apart"
    monkeypatch.setattr(loss, "CHUNK", {"cpu": 50})
    done: list[int] = []
    assert drift(*apart(plain, merged), TEXTS, 8, done.append) == pytest.approx(expected, rel=1e-3)
    assert sum(done) == 3


def directly(plain: Any, tuned: Any, text: AnsweredPrompt) -> list[float]:
    """From whole logits of each model."""
    ids = torch.tensor([text.prompt + text.answer])
    places = slice(len(text.prompt) - 1, ids.shape[1] - 1)
    with torch.no_grad():
        p, q = (functional.log_softmax(model(input_ids=ids).logits[0, places], -1) for model in (plain, tuned))
    forward, reverse = (functional.kl_div(to, of, log_target=True, reduction="sum") for to, of in ((q, p), (p, q)))
    return [len(text.answer), float(forward), float(reverse)]


def test_texts_are_drawn_evenly() -> None:
    items = [*((("a", str(n))) for n in range(9)), *(("b", str(n)) for n in range(2)), ("c", "0")]
    taken = drawn(items, lambda item: item, 7, seed=0)
    assert sorted(name for name, _ in taken) == ["a", "a", "a", "a", "b", "b", "c"]
    assert taken == drawn(items[::-1], lambda item: item, 7, seed=0)
    assert len(drawn(items, lambda item: item, 100, seed=0)) == 12
