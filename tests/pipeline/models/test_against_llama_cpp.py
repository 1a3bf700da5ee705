"""Comparing with llama.cpp. A stand-in takes its place here: its binding is no dependency, and takes long to build."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from dragoman.errors import EngineError
from dragoman.models.loading import load_model
from dragoman.pipeline.models import against_llama_cpp, import_gguf
from dragoman.pipeline.models.against_llama_cpp import compare
from tests.gguf_files import write_gguf

TEXTS = [tuple(range(5, 45)), tuple(range(300, 320))]


class StandIn:
    """Has the interface of `llama_cpp.Llama`, and the logits of a model of transformers: shifted, and with noise."""

    def __init__(self, folder: Path, noise: float):
        self._model = load_model(folder, precision="fp32", device="cpu")
        self._noise = noise
        self.scores = np.zeros((256, 1), np.float32)

    def reset(self) -> None:
        self.scores[:] = np.nan

    def eval(self, tokens: Sequence[int]) -> None:
        with torch.inference_mode():
            logits = self._model(torch.tensor([list(tokens)])).logits[0].numpy()
        noise = np.random.default_rng(0).normal(0, self._noise, logits.shape)
        self.scores = np.zeros((256, logits.shape[1]), np.float32)
        self.scores[: len(tokens)] = logits + 3 + noise


@pytest.fixture
def made(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "model.gguf")
    import_gguf.import_gguf(tmp_path / "model.gguf", tmp_path / "made")
    return tmp_path / "made"


def test_the_same_model_agrees_and_another_is_refused(made: Path) -> None:
    found = compare(made, StandIn(made, noise=0), TEXTS)
    assert (found.places, found.same) == (60, 1)
    assert found.apart == pytest.approx(0, abs=1e-4)
    with pytest.raises(EngineError, match=r"is not the one that llama.cpp reads .*of 60 places"):
        compare(made, StandIn(made, noise=30), TEXTS)


def test_the_card_says_whether_it_was_compared(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not held against llama.cpp" in (made / "README.md").read_text()
    monkeypatch.setattr(against_llama_cpp, "load", lambda file, length: StandIn(made, noise=0))
    import_gguf.import_gguf(tmp_path / "model.gguf", tmp_path / "again")
    assert "the same likeliest token at 100.0% of" in (tmp_path / "again" / "README.md").read_text()
