"""The local engine that answers for a model on this machine, or in each actor of a Ray cluster."""

import importlib.util
from typing import Literal, get_args

from dragoman.recipe.engines import Generation

Local = Literal["hf", "vllm"]
KINDS: tuple[Local, ...] = get_args(Local)


def best_engine() -> tuple[Local, str]:
    """The engine that `auto` stands for here, and why."""
    if importlib.util.find_spec("vllm") is None:
        return "hf", "vllm is not installed"
    import torch

    if not torch.accelerator.is_available():
        return "hf", "vllm is installed, but there is no accelerator"
    return "vllm", "vllm is installed, and there is an accelerator"


def local_kind(settings: Generation) -> Local:
    """The engine that a recipe names; the best one for `auto`, and for a model that its server does not answer for."""
    word = settings.ray.engine if settings.engine == "ray" else settings.engine
    return next((kind for kind in KINDS if kind == word), None) or best_engine()[0]
