"""Gradients of a loss's two terms, and whether they pull the same way: their cosine, layer by layer.

Each example has two terms: the translation, -log P(y|x), and the regulariser, which in Seq-KD is -log P(y'|x) for the
backbone's own translation y', and in RaDis -log P(r|y, x) for the rationale r (equations 4 and 5 of the RaDis paper).
Both are sums over tokens, as in the equations, so the two add up to the loss that is trained on.

Gradients are taken one example and one term at a time. As soon as a parameter's gradient is there it is projected and
freed, so besides the weights there is only one parameter's gradient in memory, never a whole model's.

The report has separate numbers for each layer (transformer block), the embeddings (with the head, if they share
weights), the head, and the rest (the last norm):

- the cosine of the *mean* gradients of the two terms: what a large batch would feel. Its 95 %
  interval is a jackknife over groups of examples, widened by the error of the projection;
- the mean over examples of each example's own cosine, with its 95 % interval, and the share of
  examples in which it is negative;
- both for each direction by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from dragoman.analysis.agreement import Agreement, Features
from dragoman.analysis.projection import Projection
from dragoman.analysis.results import Agreed
from dragoman.errors import TrainingError
from dragoman.prompts.examples import Ids

APART = ("embeddings", "head", "rest")  # parts of a model that are not layers


@dataclass(frozen=True, slots=True)
class Term:
    """A loss term: -log P of some tokens of a sequence, each given everything before it."""

    ids: Ids
    trained: tuple[int, ...]  # places of those tokens in `ids`; the first token is never one


@dataclass(frozen=True, slots=True)
class Case:
    """One example: the translation term and the regulariser."""

    direction: str
    translation: Term
    regulariser: Term


class Gradients:
    """Hooks that turn each parameter's gradient into its part of the layer's vector, and free it at once.

    A context manager. `losses.loss.teach_forward` must have been applied to `network`; the parameters that require
    a gradient are measured.
    """

    def __init__(self, network: nn.Module, projection: Projection):
        self.network, self.projection = network, projection
        self.device = next(network.parameters()).device
        self.entries: dict[str, int] = {}
        self._at: dict[str, tuple[str, int]] = {}  # a parameter's group, and where it begins in there
        weights, named = dict(network.named_parameters()), parts(network)
        for name, group in sorted(named.items(), key=lambda item: _place(item[1])):
            self._at[name] = (group, self.entries.get(group, 0))
            self.entries[group] = self.entries.get(group, 0) + weights[name].numel()
        self._found: Features = {}
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> Self:
        for name, weight in self.network.named_parameters():
            if name in self._at:
                self._hooks.append(weight.register_post_accumulate_grad_hook(partial(self._take, name)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._hooks:
            self._hooks.pop().remove()

    def of(self, case: Case) -> tuple[Features, Features]:
        """The vectors of both terms by group; if they share a sequence, it is computed once."""
        translation, regulariser = case.translation, case.regulariser
        if translation.ids != regulariser.ids:
            return self._backward(self._losses(translation).sum()), self._backward(self._losses(regulariser).sum())
        both = self._losses(Term(translation.ids, translation.trained + regulariser.trained))
        cut = len(translation.trained)
        return self._backward(both[:cut].sum(), again=True), self._backward(both[cut:].sum())

    def _losses(self, term: Term) -> torch.Tensor:
        ids = torch.tensor([term.ids], device=self.device)
        places = torch.tensor(term.trained, device=self.device)
        losses: torch.Tensor = self.network(
            input_ids=ids, position_ids=None, positions=places - 1, targets=ids[0, places]
        )
        return losses

    def _backward(self, loss: torch.Tensor, again: bool = False) -> Features:
        sizes = {group: self.projection.size(entries) for group, entries in self.entries.items()}
        self._found = {group: torch.zeros(size, device=self.device) for group, size in sizes.items()}
        loss.backward(retain_graph=again)  # type: ignore[no-untyped-call]
        return self._found

    def _take(self, name: str, weight: torch.Tensor) -> None:
        assert weight.grad is not None
        group, at = self._at[name]
        self.projection.add(weight.grad, name, self._found[group], at)
        weight.grad = None


def parts(network: Any) -> dict[str, str]:
    """The group of every parameter that requires a gradient: a layer by its number, or one of `APART`.

    Embeddings and a head that share weights count as `embeddings`.
    """
    causal = network.get_base_model() if hasattr(network, "get_base_model") else network
    groups = {id(weight): "head" for weight in causal.get_output_embeddings().parameters()}
    groups |= {id(weight): "embeddings" for weight in causal.get_input_embeddings().parameters()}
    groups |= {id(weight): str(number) for number, block in enumerate(_blocks(causal)) for weight in block.parameters()}
    named = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    return {name: groups.get(id(weight), "rest") for name, weight in named}


def _place(group: str) -> int:
    return int(group) if group.isdigit() else APART.index(group) + 1_000_000


def _blocks(causal: Any) -> nn.ModuleList:
    count = causal.config.get_text_config().num_hidden_layers
    for module in causal.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise TrainingError(
        f"The {count} layers of {type(causal).__name__} were not found: it keeps them in no list of modules. "
        "Teach dragoman/analysis/gradients.py (_blocks) where they are."
    )


def compare(
    cases: Iterable[Case],
    directions: Sequence[str],
    gradients: Gradients,
    done: Callable[[], None] = lambda: None,
) -> dict[str, Agreed]:
    """`Agreement.report` for each part of the model. `done` is called after each example."""
    agreement = Agreement(directions, gradients.projection.error)
    with gradients:
        for case in cases:
            agreement.add(case.direction, *gradients.of(case))
            done()
    return agreement.report()
