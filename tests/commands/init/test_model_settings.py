"""Learning rates and lengths by a model's size."""

import json
from pathlib import Path

import pytest

from dragoman.commands.init.model_settings import settings_for


@pytest.mark.parametrize(
    ("backbone", "rate", "size"),
    [
        ("lab", "3e-3", "4.07 million"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "5e-4", "135 million"),
        ("Qwen/Qwen2.5-0.5B-Instruct", "5e-4", "500 million"),
        ("Qwen/Qwen2.5-1.5B-Instruct", "2e-4", "1.54 billion"),
        ("mistralai/Mistral-7B-Instruct-v0.2", "1e-4", "7.24 billion"),
        ("somebody/mixtral-8x7B", "1e-4", ""),
        ("somebody/a-model", "1e-4", ""),
    ],
)
def test_rates(backbone: str, rate: str, size: str) -> None:
    found = settings_for(backbone)
    assert (found.learning_rate, found.size) == (rate, size)


@pytest.mark.parametrize(("context", "expected"), [(32768, (1024, 256)), (1024, (768, 256)), (256, (192, 64))])
def test_examples_and_a_rationale_fit_into_the_context(tmp_path: Path, context: int, expected: tuple[int, int]) -> None:
    sizes = {"num_hidden_layers": 2, "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4}
    config = {"model_type": "llama", "vocab_size": 1000, "max_position_embeddings": context, **sizes}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = settings_for(str(tmp_path))
    assert (found.max_tokens, found.rationale) == expected
    assert sum(expected) <= context
