"""Files that are no COMET model, or not one that can be scored with: each is refused with what to do."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dragoman.errors import DataError
from dragoman.scoring.comet.encoder import Shape
from dragoman.scoring.comet.model import Triple, open_comet


@pytest.fixture
def copied(our_comet: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a tiny model that may be changed, its encoder beside it."""

    def copy(model: str = "regression") -> Path:
        for name in (model, "encoder"):
            shutil.copytree(our_comet / name, tmp_path / name, copy_function=shutil.copyfile)
        return tmp_path / model

    return copy


def edited(folder: Path, **told: Any) -> Path:
    """The same model with other settings; ... takes one away."""
    path = folder / "checkpoints" / "model.ckpt"
    data = torch.load(path, weights_only=True)
    data["hyper_parameters"] = {k: v for k, v in {**data["hyper_parameters"], **told}.items() if v is not ...}
    torch.save(data, path)
    return folder


def weighed(folder: Path, **weights: torch.Tensor | None) -> Path:
    path = folder / "checkpoints" / "model.ckpt"
    data = torch.load(path, weights_only=True)
    data["state_dict"] = {k: v for k, v in {**data["state_dict"], **weights}.items() if v is not None}
    torch.save(data, path)
    return folder


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no COMET model at .*nowhere"):
        open_comet(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"There is no COMET model at Unbabel/wmt99-none.*hf download"):
        open_comet("Unbabel/wmt99-none")
    with pytest.raises(DataError, match=r"it has no hparams\.yaml"):
        open_comet(tmp_path)


def test_a_folder_without_a_checkpoint(copied: Callable[..., Path]) -> None:
    folder = copied()
    (folder / "checkpoints" / "model.ckpt").unlink()
    with pytest.raises(DataError, match=r"it has no checkpoints/model\.ckpt"):
        open_comet(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class_identifier: xcomet_metric", "of class xcomet_metric; supported are regression_metric"),
        ("layer: mix", "no class_identifier"),
        ("a: [", "is no YAML"),
    ],
)
def test_settings_that_are_none(copied: Callable[..., Path], text: str, said: str) -> None:
    folder = copied()
    (folder / "hparams.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        open_comet(folder)


@pytest.mark.parametrize("keep", [0, 1000, 300_000, -10])
def test_a_checkpoint_that_is_cut_off(copied: Callable[..., Path], keep: int) -> None:
    path = copied() / "checkpoints" / "model.ckpt"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"cut off, damaged, or no checkpoint of torch\. Download it again"):
        open_comet(path)


def test_no_code_in_a_checkpoint_runs(copied: Callable[..., Path], tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "boom"),)

    path = copied() / "checkpoints" / "model.ckpt"
    data = torch.load(path, weights_only=True)
    torch.save({**data, "callbacks": Bomb()}, path)
    with pytest.raises(DataError, match=r"is refused: it holds more than weights and settings"):
        open_comet(path)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=r"model\.ckpt"):
        open_comet(path)
    assert not (tmp_path / "boom").exists()


def test_a_checkpoint_of_something_else(copied: Callable[..., Path]) -> None:
    path = copied() / "checkpoints" / "model.ckpt"
    torch.save({"model": torch.zeros(3)}, path)
    with pytest.raises(DataError, match="it has no state_dict and hyper_parameters"):
        open_comet(path)


def test_weights_without_a_name(copied: Callable[..., Path]) -> None:
    folder = copied()
    path = folder / "checkpoints" / "model.ckpt"
    data = torch.load(path, weights_only=True)
    data["state_dict"][3] = torch.zeros(1)
    torch.save(data, path)
    with pytest.raises(DataError, match="is no COMET checkpoint: it calls a weight 3, where names are text"):
        open_comet(folder)


def test_weights_are_named(copied: Callable[..., Path]) -> None:
    folder = weighed(
        copied(),
        **{
            "encoder.model.encoder.layer.1.output.dense.bias": None,
            "encoder.model.something": torch.zeros(1),
            "estimator.ff.6.weight": torch.zeros(1, 47),
            "layerwise_attention.dropout_mask": torch.zeros(5),
            "encoder.model.embeddings.position_ids": torch.arange(514)[None],
        },
    )
    with pytest.raises(DataError) as raised:
        open_comet(folder)
    lines = str(raised.value).split("\n")[1:]
    assert lines == [
        "  missing: encoder.model.encoder.layer.1.output.dense.bias",
        "  unknown: encoder.model.something",
        "  of another shape: estimator.ff.6.weight [1, 47] for [1, 48]",
    ]


@pytest.mark.parametrize(
    ("model", "told", "said"),
    [
        ("regression", {"encoder_model": "RemBERT"}, "has encoder_model 'RemBERT', which is not supported"),
        ("regression", {"pool": "cls"}, "has pool 'cls', which is not supported; 'avg' is"),
        ("regression", {"layer": 3}, "has layer 3, which is not supported; 'mix' is"),
        ("regression", {"activations": "Mish"}, "an activation 'Mish'; supported are Tanh, Sigmoid"),
        ("unified_qe", {"input_segments": ["mt", "src", "ref"]}, "unified model of the segments mt, src, ref; supp"),
        ("unified_qe", {"input_segments": ...}, "unified model of the segments mt, src, ref"),
        ("unified_qe", {"input_segments": None}, "unified model of the segments None; supported"),
        ("unified_qe", {"input_segments": [1, 2]}, "unified model of the segments 1, 2; supported"),
        ("regression", {"hidden_sizes": None}, "has hidden_sizes None; they should be a list of numbers"),
        ("regression", {"hidden_sizes": 144}, "has hidden_sizes 144; they should"),
        ("regression", {"hidden_sizes": ["144", "48"]}, "has hidden_sizes .'144', '48'.; they should"),
        ("unified_qe", {"word_level_training": True}, "has word_level_training True"),
    ],
)
def test_settings_that_are_not_supported(
    copied: Callable[..., Path], model: str, told: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        open_comet(edited(copied(model), **told))


def test_the_encoder_is_looked_for(copied: Callable[..., Path], tmp_path: Path) -> None:
    folder = copied()
    encoder = (tmp_path / "encoder").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"names \.\./encoder, which is no folder .* with `encoder`"):
        open_comet(folder)
    assert open_comet(folder, encoder).name == "regression"
    with pytest.raises(DataError, match="there is none at /no/encoder"):
        open_comet(folder, "/no/encoder")
    with pytest.raises(DataError, match=r"checkpoints has no config\.json"):
        open_comet(folder, folder / "checkpoints")
    (encoder / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"tokenizer\.json is missing"):
        open_comet(folder, encoder)


def test_an_encoder_that_does_not_fit(copied: Callable[..., Path], tmp_path: Path) -> None:
    folder = copied()
    config = tmp_path / "encoder" / "config.json"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"num_hidden_layers": 4', '"num_hidden_layers": 5'), encoding="utf-8")
    with pytest.raises(DataError, match=r"missing: encoder\.model\.encoder\.layer\.4\."):
        open_comet(folder)
    config.write_text(text.replace('"xlm-roberta"', '"bert"'), encoding="utf-8")
    with pytest.raises(DataError, match="says model_type bert; supported are encoders of XLM-RoBERTa"):
        open_comet(folder)
    config.write_text(text.replace('"hidden_size": 48,', ""), encoding="utf-8")
    with pytest.raises(DataError, match="has no hidden_size"):
        open_comet(folder)
    config.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="is no JSON"):
        open_comet(folder)
    config.write_text(text.replace('"pad_token_id": 1', '"pad_token_id": 3'), encoding="utf-8")
    with pytest.raises(DataError, match=r"tokenizer in .* doesn't fit"):
        open_comet(folder)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"num_attention_heads": 5}, "a hidden_size of 48, which does not divide into 5 num_attention_heads"),
        ({"num_attention_heads": 0}, "no whole numbers above 0: .*heads=0"),
        ({"num_hidden_layers": None}, "no whole numbers above 0: .*layers=None"),
        ({"pad_token_id": None}, "no whole numbers above 0: .*padding=None"),
        ({"layer_norm_eps": "1e-5"}, "a layer_norm_eps of '1e-5', not a number such as 1e-5"),
    ],
)
def test_an_encoder_whose_numbers_are_none(our_comet: Path, told: dict[str, Any], said: str) -> None:
    config = json.loads((our_comet / "encoder" / "config.json").read_text(encoding="utf-8"))
    with pytest.raises(DataError, match=said):
        Shape.of({**config, **told})


def test_a_model_of_the_hub_that_was_downloaded(
    copied: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Laid out as the hub's cache is; the checkpoint names its encoder by the name that it has there."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = edited(copied(), pretrained_model="xlm-roberta-large")
    for name, place in {"Unbabel/wmt22-tiny": folder, "FacebookAI/xlm-roberta-large": tmp_path / "encoder"}.items():
        kept = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        (kept / "refs").mkdir(parents=True)
        (kept / "refs" / "main").write_text("1" * 40, encoding="utf-8")
        shutil.copytree(place, kept / "snapshots" / ("1" * 40))
    comet = open_comet("Unbabel/wmt22-tiny")
    assert comet.name == "wmt22-tiny"
    assert len(comet.score([Triple("a", "b", "c")])) == 1


def test_numbers_that_are_none(copied: Callable[..., Path]) -> None:
    folder = weighed(copied(), **{"estimator.ff.6.bias": torch.tensor([float("nan")])})
    with pytest.raises(DataError, match="scores that are no numbers"):
        open_comet(folder).score([Triple("a", "b", "c")])
