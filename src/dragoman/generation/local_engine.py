"""The local engine that `engine: auto` stands for on this machine."""

import importlib.util
from typing import Literal

Local = Literal["hf", "vllm"]


def best_engine() -> tuple[Local, str]:
    """The engine that `auto` stands for here, and why."""
    if importlib.util.find_spec("vllm") is None:
        return "hf", "vllm is not installed"
    import torch

    if not torch.accelerator.is_available():
        return "hf", "vllm is installed, but there is no accelerator"
    return "vllm", "vllm is installed, and there is an accelerator"
