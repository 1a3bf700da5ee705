"""Drift: how far a tuned model has moved from its backbone, as the divergence of their next-token distributions.

At every position of a text both models say how likely each token of the vocabulary is to come next. The mean over
positions of KL(backbone || tuned) is what forgetting was found to follow when it is measured on inputs of the new
task (RL's Razor, arXiv 2509.04259); KL(tuned || backbone) is given beside it. No judge and no benchmark is needed.

With its adapter switched off a tuned model is the backbone, so the two need the memory of one. If all weights were
trained, there are two models.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dragoman.analysis.results import Divergence, TextDrift
from dragoman.prompts.examples import ExampleRow, Ids
from dragoman.scoring.statistics import interval, resample
from dragoman.training.batching import Micro, pad, split
from dragoman.training.loss import Head, make_head, teach_forward

# Logits of one chunk and one model, in entries.
CHUNK = {"cpu": 1 << 20}
ACCELERATOR_CHUNK = 1 << 26
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnsweredPrompt:
    """A prompt and what was answered; the positions that predict the answer's tokens count, from the first one on."""

    prompt: Ids
    answer: Ids


@dataclass(frozen=True, slots=True)
class View:
    """A model as it is inside a context: with its adapter, or without."""

    causal: Any
    head: Head
    within: Callable[[], AbstractContextManager[object]]

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
    backbone); [texts, 3].

    In nats, over the whole vocabulary, in fp32 from the logits on. `done` is told how many texts are finished.
    """
    device = next(backbone.causal.parameters()).device
    lengths = np.array([len(text.prompt) + len(text.answer) for text in texts])
    sums = np.zeros((len(texts), 3))
    for group in split(lengths, batch_tokens, packed=False):
        micro = pad([_row(texts[index], number) for number, index in enumerate(group)]).to(device)
        hidden = backbone.hidden(micro), tuned.hidden(micro)
        rows = max(1, CHUNK.get(device.type, ACCELERATOR_CHUNK) // backbone.causal.config.get_text_config().vocab_size)
        for base, moved, places in zip(
            *(states.split(rows) for states in hidden), micro.segments.split(rows), strict=True
        ):
            both = divergences(backbone.logits(base), tuned.logits(moved))
            counted = torch.stack((torch.ones_like(both[0]), *both), 1).double().cpu().numpy()
            np.add.at(sums, np.array(group)[places.cpu().numpy()], counted)
        done(len(group))
    return sums


@torch.inference_mode()
def losses(
    view: View, texts: Sequence[AnsweredPrompt], batch_tokens: int, done: Callable[[int], None] = lambda _: None
) -> Floats:
    """For every text, the sum of its answer's token losses, and how many tokens that are; [texts, 2]."""
    device = next(view.causal.parameters()).device
    lengths = np.array([len(text.prompt) + len(text.answer) for text in texts])
    sums = np.zeros((len(texts), 2))
    for group in split(lengths, batch_tokens, packed=False):
        micro = pad([_row(texts[index], number) for number, index in enumerate(group)]).to(device)
        rows = max(1, CHUNK.get(device.type, ACCELERATOR_CHUNK) // view.causal.config.get_text_config().vocab_size)
        parts = (states.split(rows) for states in (view.hidden(micro), micro.targets, micro.segments))
        for hidden, targets, places in zip(*parts, strict=True):
            lost = torch.nn.functional.cross_entropy(view.logits(hidden), targets.long(), reduction="none")
            counted = torch.stack((lost, torch.ones_like(lost)), 1).double().cpu().numpy()
            np.add.at(sums, np.array(group)[places.cpu().numpy()], counted)
        done(len(group))
    return sums


def divergences(base: torch.Tensor, moved: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """KL(base || moved) and KL(moved || base) of logits [places, vocabulary] → [places]."""
    p, q = base.log_softmax(-1), moved.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1), (q.exp() * (q - p)).sum(-1)


def _row(text: AnsweredPrompt, number: int) -> ExampleRow:
    length = len(text.prompt) + len(text.answer)
    weights = np.zeros(length, dtype=np.float32)
    weights[len(text.prompt) :] = 1
    return ExampleRow(np.array(text.prompt + text.answer, dtype=np.int32), np.full(length, number), weights)


def summed_up(trainings: Sequence[Floats], count: int) -> TextDrift:
    """Means per token over trainings with several seeds, with intervals from `count` resamples of the texts.

    `forward` is KL(backbone || tuned), `reverse` the opposite; `seeds` has each training's own mean, `sd` their
    standard deviation.
    """
    mean = np.mean(trainings, axis=0)
    sums = resample(mean, count)

    def divergence(column: int) -> Divergence:
        seeds = [float(training[:, column].sum() / training[:, 0].sum()) for training in trainings]
        return {
            "mean": float(np.mean(seeds)),
            "interval": list(interval(sums[:, column] / sums[:, 0])),
            "seeds": seeds,
            "sd": float(np.std(seeds, ddof=1)) if len(seeds) > 1 else None,
        }

    return {
        "texts": len(mean),
        "tokens": int(mean[:, 0].sum()),
        "forward": divergence(1),
        "reverse": divergence(2),
    }
