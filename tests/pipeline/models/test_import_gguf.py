"""A GGUF file becomes a backbone with the same numbers and the same token ids, or is refused in a sentence."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, quants

from dragoman.errors import DragomanError, EngineError, TemplateError
from dragoman.models.gguf.header import read_header
from dragoman.models.loading import load_model
from dragoman.pipeline.models.import_gguf import QUESTIONS, import_gguf
from tests.gguf_files import write_gguf

KINDS = ("smollm-like", "llama-3-like", "qwen-2.5-like", "llama-2-like")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_comes_over(file: Path, tmp_path: Path, kind: str) -> None:
    written = write_gguf(file, kind)
    made = import_gguf(file, tmp_path / "made")
    assert made.weights == "as in the file, in bf16"
    assert [question for question, _ in made.answers] == list(QUESTIONS)
    read = load_model(tmp_path / "made", precision="bf16", device="cpu").state_dict()
    expected = written.to(torch.bfloat16).state_dict()
    assert read.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(read[name], tensor), name


def test_quantised_numbers_are_those_of_the_format(file: Path, tmp_path: Path) -> None:
    written = write_gguf(file, stored=GGMLQuantizationType.Q4_1)
    made = import_gguf(file, tmp_path / "made")
    assert made.weights == "dequantised from Q4_1"
    read = load_model(tmp_path / "made", precision="bf16", device="cpu").state_dict()
    name = "model.layers.1.mlp.down_proj.weight"
    array = written.state_dict()[name].numpy()
    stored = quants.dequantize(quants.quantize(array, GGMLQuantizationType.Q4_1), GGMLQuantizationType.Q4_1)
    assert torch.equal(read[name], torch.from_numpy(stored).to(torch.bfloat16))
    assert not torch.equal(read[name], torch.from_numpy(array).to(torch.bfloat16))
    card = (tmp_path / "made" / "README.md").read_text()
    assert "The weights are dequantised from Q4_1" in card
    assert '"dequantised_from": "Q4_1"' in (tmp_path / "made" / "config.json").read_text()
    assert not list(tmp_path.glob(".writing-*"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"general__architecture": "unheard-of"}, "is of the architecture 'unheard-of', which transformers"),
        ({"tokenizer__chat_template": None}, "has no chat template"),
        ({"tokenizer__ggml__model": None, "tokenizer__ggml__tokens": None}, "holds no tokenizer"),
        ({"tokenizer__ggml__model": "bert"}, "has a tokenizer of the kind 'bert'"),
        ({"tokenizer__ggml__pre": "unheard-of"}, "in a way that is not known here .*'unheard-of'"),
        ({"tokenizer__ggml__pre": None}, "in a way that is not known here .*'missing'"),
        ({"tokenizer__chat_template": "{{ messages[0]['content'] }}"}, "model.gguf does not render the assistant's"),
        ({"llama__rope__scaling__type": "yarn"}, r"stretches positions \(rope scaling yarn\)"),
        ({"tensors": {"rope_freqs.weight": np.ones(4, np.float32)}}, "by rope_freqs.weight"),
        ({"tensors": {"blk.0.extra.weight": np.ones(4, np.float32)}}, "something was left out or made up"),
        ({"tensors": {"blk.1.ffn_up.weight": None}}, r"1 of its tensors are not there: .*layers.1.mlp.up_proj"),
        ({"tensors": {"output_norm.weight": np.full(32, np.nan, np.float32)}}, "not finite, in model.norm.weight"),
    ],
)
def test_what_is_refused(file: Path, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    write_gguf(file, **changes)
    with pytest.raises((EngineError, TemplateError), match=said):
        import_gguf(file, tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_files_that_are_none_or_are_cut_off(file: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"There is no file .*model.gguf"):
        read_header(file)
    file.write_bytes(b"PK\3\4 and so on")
    with pytest.raises(EngineError, match=r"is not a GGUF file: it begins with b'PK"):
        read_header(file)
    write_gguf(file)
    whole = file.read_bytes()
    for share in (0.0001, 0.01, 0.3, 0.9):
        file.write_bytes(whole[: max(8, int(len(whole) * share))])
        with pytest.raises(EngineError, match=r"begins as a GGUF file and cannot be read on .*cut off"):
            read_header(file)


def test_nothing_is_overwritten(file: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    with pytest.raises(DragomanError, match="made exists already"):
        import_gguf(file, tmp_path / "made")


def test_too_little_disk(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_gguf(file)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(EngineError, match=r"made will take .*, and its disk has 1 kB left\. Make room, or name"):
        import_gguf(file, tmp_path / "made")
    assert list(tmp_path.iterdir()) == [file]
