"""The suites whose answers are judged by another model or a rule about refusals: what each reads, and how it asks.

Each is two functions. `read` turns a benchmark's files into plain data that JSON can hold (its material, of which
`texts` are compared with what is learnt from); `make` is a generator that yields asks and returns what was judged:

    read(kind, place: Sequence[Path]) -> Material
    make(model, material, speak, settings) -> Generator[Ask, list[Completion], list[Graded]]

Asks go to `model`, whose name is `backbone` for the backbone, and to `judge` or `guard`, to whom `speak.of` speaks.
"""

import importlib
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.evaluation.graded import Graded
from dragoman.generation.ask import Ask, Completion

Material = Mapping[str, Any]
Asking = Generator[Ask, list[Completion], list[Graded]]


@dataclass(frozen=True, slots=True)
class Judged:
    """A suite: its entry in the catalogue, its two functions by name, and who else is asked."""

    entry: str
    read: str
    make: str
    asks: tuple[str, ...] = ()
    """Besides the model that is judged: `judge`, `guard`, `backbone`."""
    drawn: bool = False
    """Answers are drawn and not greedy, so that another seed gives others: a noise floor can be measured."""


KINDS: Mapping[str, Judged] = {
    "mt-bench": Judged("mt-bench", "corpora.mt_bench.read", "evaluation.mt_bench.mt_bench", ("judge",), drawn=True),
    "alpaca-eval": Judged("alpaca-eval", "corpora.alpaca_eval.read", "evaluation.alpaca_eval.alpaca_eval", ("judge",)),
    "alpaca-eval-2": Judged(
        "alpaca-eval", "corpora.alpaca_eval.read", "evaluation.alpaca_eval.alpaca_eval_2", ("judge",)
    ),
    "pairwise": Judged(
        "alpaca-eval", "corpora.alpaca_eval.read", "evaluation.pairwise.pairwise", ("judge", "backbone")
    ),
    "safety": Judged("advbench", "corpora.harmful.read", "evaluation.safety.safety", ("guard",)),
    "xstest": Judged("xstest", "corpora.harmful.read", "evaluation.safety.over_refusal"),
}


def read(kind: str, place: Sequence[Path]) -> Material:
    """The material of a suite from its files, or from one folder. `DataError` where they are not what it takes."""
    found: Material = _function(KINDS[kind].read)(kind, place)
    return found


def make(kind: str, model: str, material: Material, speak: Any, settings: Any) -> Asking:
    """The suite as a generator of asks."""
    asking: Asking = _function(KINDS[kind].make)(model, material, speak, settings)
    return asking


def _function(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(f"dragoman.{module}"), name)
    return found
