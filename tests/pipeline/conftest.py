"""A recipe small enough to be run whole in a test: real text, real tokenizer, a tiny model with random weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from dragoman.lab import BACKBONE
from tests.pipeline.running import RECIPE


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of random weights behind the lab's tokenizer and chat template."""
    folder = tmp_path_factory.mktemp("backbone")
    tokenizer = AutoTokenizer.from_pretrained(BACKBONE)
    tokenizer.save_pretrained(folder, save_jinja_files=False)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def small_recipe(tiny_backbone: Path) -> Callable[[Path], Path]:
    """Writes the small recipe into a folder, with its results below it."""

    def write(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / "recipe.yaml"
        path.write_text(RECIPE.format(backbone=tiny_backbone, folder=folder))
        return path

    return write
