"""What a config.json says, and those that no model could be built with: a sentence each."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import EngineError
from dragoman.models.config import context_of, read_config
from dragoman.models.loading import load_model


@pytest.fixture
def saved(tiny: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tiny.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"max_position_embeddings": 96, "n_positions": 7}, 96),
        ({"n_positions": 1024}, 1024),  # GPT-2
        ({"max_seq_len": 2048}, 2048),  # MPT
        ({"seq_length": 512}, 512),
        ({"text_config": {"max_position_embeddings": 64}, "max_position_embeddings": 8}, 64),
        ({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}}, 131072),  # as Gemma 3 is published
        ({"model_type": "gpt2"}, 1024),
        ({"model_type": "nobody-knows-this"}, None),
        ({}, None),
    ],
)
def test_the_context_goes_by_several_names(tmp_path: Path, said: dict[str, Any], expected: int | None) -> None:
    (tmp_path / "config.json").write_text(json.dumps(said))
    assert context_of(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": ' * 50_000 + "1" + "}" * 50_000, "is nested too deeply"),
        ("[" * 900 + "NaN" + "]" * 900, "holds no JSON object"),
        ('{"model_type": "llama", "x": ' + '"' + "x" * (17 << 20) + '"}', "has 18 MB"),
        ("{", "is not valid JSON"),
        ("[]", "holds no JSON object"),
        ('{"vocab_size": ' + "9" * 5000 + "}", "is not valid JSON"),
    ],
)
def test_a_file_that_is_no_configuration(saved: Path, text: str, said: str) -> None:
    (saved / "config.json").write_text(text)
    for look in (read_config, context_of, load_model):
        with pytest.raises(EngineError, match=rf"config\.json.*{said}"):
            look(saved)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hidden_size": -32}, "hidden_size is -32; it must be at least 1"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000; it must be at least 1, and at most 10,000"),
        ({"num_hidden_layers": 2.5}, "num_hidden_layers is 2.5, and must be a whole number"),
        ({"vocab_size": float("inf")}, "vocab_size is inf, and must be a whole number"),
        ({"vocab_size": 10**15}, "vocab_size is 1000000000000000"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0"),
        ({"max_position_embeddings": float("nan")}, "max_position_embeddings is NaN"),
        (
            {"rope_parameters": {"rope_theta": float("nan"), "rope_type": "default"}},
            r"rope_parameters\.rope_theta is NaN",
        ),
        ({"rms_norm_eps": -1e-6}, "rms_norm_eps is -1e-06, and must be above 0"),
        ({"num_key_value_heads": 3}, "4 attention heads can't share 3"),
        ({"text_config": {"hidden_size": -1}}, "hidden_size is -1"),
    ],
)
def test_sizes_that_no_model_can_have(saved: Path, changed: dict[str, Any], said: str) -> None:
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(config | changed))
    for look in (read_config, load_model):
        with pytest.raises(EngineError, match=rf"config\.json: {said}"):
            look(saved)


@pytest.mark.parametrize(
    "changed",
    [
        {"hidden_size": "wide"},
        {"hidden_act": "no such thing"},
        {"rope_parameters": [[]]},
        {"architectures": 3},
        {"dtype": "float1000"},
        {"torch_dtype": {}},
        {"quantization_config": {"quant_method": "nothing"}},
        {"layer_types": ["a", "b"]},
        {"pad_token_id": 10**9},
        {"attention_bias": "x", "tie_word_embeddings": "y", "head_dim": 7},
    ],
)
def test_whatever_else_is_in_it_is_a_sentence_or_harmless(saved: Path, changed: dict[str, Any]) -> None:
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(config | changed))
    with suppress(EngineError):
        load_model(saved, device="cpu")


def test_sizes_that_differ_by_layer_and_bounds_without_end_are_none_of_its_business(tmp_path: Path) -> None:
    said = {"intermediate_size": [64, 128], "num_key_value_heads": None, "time_step_limit": [0.0, float("inf")]}
    (tmp_path / "config.json").write_text(json.dumps(said))
    assert read_config(tmp_path) == said


def test_no_torch_is_needed() -> None:
    code = "import sys, dragoman.models.config, dragoman.models.weights; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
