"""Drift: how far a tuned model has moved from its backbone, as the divergence of their next-token distributions.

At every position of a text both models say how likely each token of the vocabulary is to come next. The mean over
positions of KL(backbone || tuned) is what forgetting was found to follow when it is measured on inputs of the new
task (RL's Razor, arXiv 2509.04259); KL(tuned || backbone) is given beside it. No judge and no benchmark is needed.

With its adapter switched off a tuned model is the backbone, so the two need the memory of one. If all weights were
trained, there are two models.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dragoman.prompts.examples import AnsweredPrompt, ExampleRow
from dragoman.training.batching import Batcher, Micro, micros
from dragoman.training.losses.loss import Head, chunk_rows, make_head, teach_forward

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """A model as it is inside a context: with its adapter, or without."""

    causal: Any
    head: Head
    within: Callable[[], AbstractContextManager[object]]

    @property
    def vocabulary(self) -> int:
        """How many tokens it chooses among."""
        return int(self.causal.config.get_text_config().vocab_size)

    def hidden(self, micro: Micro) -> torch.Tensor:
        """The last hidden states at the positions that count, [places, width]."""
        with self.within():
            body = self.causal.base_model(input_ids=micro.ids, use_cache=False)
        states: torch.Tensor = body.last_hidden_state.flatten(0, 1)[micro.positions]
        return states

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        with self.within():
            return self.head(hidden).float()


def adapted(network: Any) -> tuple[View, View]:
    """Backbone and tuned model of one network with an adapter."""
    causal = network.get_base_model()
    teach_forward(causal)  # refuses a head that `make_head` does not understand
    head = make_head(causal)
    return View(causal, head, network.disable_adapter), View(causal, head, nullcontext)


def apart(backbone: Any, tuned: Any) -> tuple[View, View]:
    """Backbone and tuned model as two networks, if all weights were trained."""
    for causal in (backbone, tuned):
        teach_forward(causal)
    return tuple(View(causal, make_head(causal), nullcontext) for causal in (backbone, tuned))  # type: ignore[return-value]


@torch.inference_mode()
def drift(
    backbone: View,
    tuned: View,
    texts: Sequence[AnsweredPrompt],
    batch_tokens: int,
    done: Callable[[int], None] = lambda _: None,
) -> Floats:
    """For every text, its number of positions, and the sums over them of KL(backbone || tuned) and KL(tuned ||
    backbone); [texts, 3]. The positions that predict the answer's tokens count, from the first one on.

    In nats, over the whole vocabulary, in fp32 from the logits on. `done` is told how many texts are finished.
    """
    sums = np.zeros((len(texts), 3))
    for (base, moved), targets, places in _chunks((backbone, tuned), texts, batch_tokens, done):
        _add(sums, places, torch.ones_like(targets), *divergences(base, moved))
    return sums


@torch.inference_mode()
def losses(
    view: View, texts: Sequence[AnsweredPrompt], batch_tokens: int, done: Callable[[int], None] = lambda _: None
) -> Floats:
    """For every text, the sum of its answer's token losses, and how many tokens that are; [texts, 2]."""
    sums = np.zeros((len(texts), 2))
    for (logits,), targets, places in _chunks((view,), texts, batch_tokens, done):
        lost = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        _add(sums, places, lost, torch.ones_like(targets))
    return sums


def _chunks(
    views: Sequence[View], texts: Sequence[AnsweredPrompt], batch_tokens: int, done: Callable[[int], None]
) -> Iterator[tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]]:
    """The logits of each view at some of the positions that count, the tokens that follow there, and the numbers of the
    texts that they belong to.
    """
    device = next(views[0].causal.parameters()).device
    rows = chunk_rows(device, views[0].vocabulary)
    for micro in micros([_row(text, number) for number, text in enumerate(texts)], Batcher(batch_tokens), device):
        hidden = [view.hidden(micro) for view in views]
        parts = (tensor.split(rows) for tensor in (micro.targets, micro.segments, *hidden))
        for targets, places, *states in zip(*parts, strict=True):
            yield [view.logits(state) for view, state in zip(views, states, strict=True)], targets, places
        done(len(micro.ids))


def _add(sums: Floats, places: torch.Tensor, *columns: torch.Tensor) -> None:
    """Adds what was found at some positions to the sums of their texts."""
    np.add.at(sums, places.cpu().numpy(), torch.stack([column.double() for column in columns], 1).cpu().numpy())


def divergences(base: torch.Tensor, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """KL(base || moved) and KL(moved || base) of logits [places, vocabulary] → [places]."""
    p, q = base.log_softmax(-1), moved.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1), (q.exp() * (q - p)).sum(-1)


def _row(text: AnsweredPrompt, number: int) -> ExampleRow:
    length = len(text.prompt) + len(text.answer)
    weights = np.zeros(length, dtype=np.float32)
    weights[len(text.prompt) :] = 1
    return ExampleRow(np.array(text.prompt + text.answer, dtype=np.int32), np.full(length, number), weights)
