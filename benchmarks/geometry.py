"""The models that benchmarks run on: the lab's backbone, or the shape of a 7B with random weights.

Speed does not depend on what the weights are, so random ones measure a 7B as well as trained ones.
"""

import argparse
from typing import Any

from dragoman.lab import BACKBONE

GEOMETRIES = ("lab", "7b")


def add_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--geometry", choices=GEOMETRIES, default="lab", help="the model's shape")


def config_of(geometry: str) -> Any:
    """The configuration of a shape; `7b` is Mistral-7B's with multi-head attention of Llama's kind."""
    from transformers import AutoConfig, LlamaConfig

    if geometry == "lab":
        return AutoConfig.from_pretrained(BACKBONE)
    return LlamaConfig(
        vocab_size=32000,
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=4096,
        eos_token_id=2,
        pad_token_id=0,
    )


def model_of(geometry: str) -> Any:
    """A model of that shape, on the device and in the precision that the engine would choose."""
    import torch
    from transformers import AutoModelForCausalLM

    from dragoman.models.loading import load_model, pick_device, pick_dtype

    if geometry == "lab":
        return load_model(BACKBONE)
    torch.manual_seed(0)
    device = pick_device()
    with device:
        return AutoModelForCausalLM.from_config(config_of(geometry), dtype=pick_dtype("auto", device)).eval()
