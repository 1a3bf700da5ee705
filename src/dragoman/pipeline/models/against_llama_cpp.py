"""Holding an imported model against llama.cpp on the same file: the ids that each thinks likeliest, and how far apart.

Only where llama.cpp's Python binding is installed; it is no dependency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dragoman.errors import EngineError
from dragoman.generation.ask import Ids

if TYPE_CHECKING:
    import numpy as np

AGREE = 0.9
"""The least share of places at which both must think the same id likeliest: four-bit products and bf16 round apart."""


class LlamaCpp(Protocol):
    """What is used of `llama_cpp.Llama`."""

    scores: "np.ndarray"  # [places, vocabulary], of what was evaluated last

    def reset(self) -> None: ...

    def eval(self, tokens: Sequence[int]) -> None: ...


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two models' logits are, over all places of some texts."""

    places: int
    same: float
    """The share of places with the same likeliest id."""
    apart: float
    """The mean difference of log probabilities of llama.cpp's likeliest id."""

    def __str__(self) -> str:
        return (
            f"held against llama.cpp on the same file: the same likeliest token at {self.same:.1%} of {self.places} "
            f"places, whose log probability differs by {self.apart:.3f} on average"
        )


def load(file: Path, length: int) -> LlamaCpp | None:
    """The file in llama.cpp, for texts of up to so many tokens; None if its Python binding is not installed."""
    if find_spec("llama_cpp") is None:
        return None
    from llama_cpp import Llama

    made: LlamaCpp = Llama(model_path=str(file), n_ctx=length, logits_all=True, n_gpu_layers=0, verbose=False)
    return made


def compare(folder: Path, other: LlamaCpp, texts: Sequence[Ids]) -> Agreement:
    """Both models' logits on some texts. EngineError if they are too far apart to be the same model."""
    import torch

    from dragoman.models.loading import load_model

    model = load_model(folder, precision="fp32", device="cpu")
    same: list[bool] = []
    apart: list[float] = []
    for ids in texts:
        other.reset()
        other.eval(ids)
        theirs = torch.log_softmax(torch.from_numpy(other.scores[: len(ids)].copy()).float(), -1)
        with torch.inference_mode():
            ours = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
        best = theirs.argmax(-1)
        same += (ours.argmax(-1) == best).tolist()
        apart += (ours - theirs).gather(-1, best[:, None]).abs().flatten().tolist()
    found = Agreement(len(same), sum(same) / len(same), sum(apart) / len(apart))
    if found.same < AGREE:
        raise EngineError(
            f"The model made of this file is not the one that llama.cpp reads from it: they were {found}, and at least "
            f"{AGREE:.0%} are asked for. Nothing was kept."
        )
    return found
