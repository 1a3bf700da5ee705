"""A small Llama with random weights, and tables of examples on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from dragoman.prompts.examples import Example, ExampleTable, write_examples
from tests.training.training_kit import VOCABULARY


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a two-layer Llama with grouped heads, in fp32."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Callable[[list[Example]], ExampleTable]:
    """Writes examples to disk, in two chunks, and opens them."""

    def write(made: list[Example]) -> ExampleTable:
        folder = tmp_path / "table"
        half = (len(made) + 1) // 2
        for chunk, part in enumerate((made[:half], made[half:])):
            write_examples(folder, chunk, part)
        return ExampleTable(folder)

    return write
