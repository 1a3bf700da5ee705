"""Published COMET checkpoints: finding them, reading them without running anything in them, and checking them."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dragoman.corpora.formats.values import yaml_file
from dragoman.errors import DataError, listed
from dragoman.scoring.comet.head import ACTIVATIONS

if TYPE_CHECKING:
    import torch

Kind = Literal["regression_metric", "unified_metric"]
SUPPORTED = "regression_metric (as wmt22-comet-da) and unified_metric without references (as wmt22-cometkiwi-da)"
LAYOUT = "A published model is a directory with hparams.yaml and checkpoints/model.ckpt"
_OTHERWISE = {"xlm-roberta-large": "FacebookAI/xlm-roberta-large", "xlm-roberta-base": "FacebookAI/xlm-roberta-base"}
_IGNORED = (
    "layerwise_attention.dropout_mask",  # used in training only
    "layerwise_attention.dropout_fill",
    "encoder.model.embeddings.position_ids",  # a constant that old versions of transformers wrote
    "encoder.model.pooler.",  # no part of the score
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a checkpoint that determine its scores."""

    kind: Kind
    encoder: str
    sizes: tuple[int, ...]
    activation: str
    final: str | None
    mix: Literal["sparsemax", "softmax"]
    normed: bool


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The files of a model; `weights` stay on disk until they are used."""

    name: str
    folder: Path
    settings: Settings
    weights: "Mapping[str, torch.Tensor]"

    @property
    def files(self) -> tuple[Path, Path]:
        return self.folder / "hparams.yaml", self.folder / "checkpoints" / "model.ckpt"


def open_checkpoint(where: str | Path) -> Checkpoint:
    """The model in a folder, or of that name on the hub if it was downloaded; a DataError if it is not one."""
    folder, name = _located(where)
    plain = _hparams(folder / "hparams.yaml")
    identifier = plain["class_identifier"]
    if identifier not in ("regression_metric", "unified_metric"):
        raise DataError(f"{folder} is a COMET model of class {identifier}; supported are {SUPPORTED}.")
    path = folder / "checkpoints" / "model.ckpt"
    data = _read(path)
    weights, told = ((data if isinstance(data, dict) else {}).get(part) for part in ("state_dict", "hyper_parameters"))
    if not isinstance(weights, Mapping) or not isinstance(told, Mapping):
        raise DataError(f"{path} is no COMET checkpoint: it has no state_dict and hyper_parameters. {LAYOUT}.")
    if other := [name for name in weights if not isinstance(name, str)]:
        raise DataError(f"{path} is no COMET checkpoint: it calls a weight {other[0]!r}, where names are text.")
    if plain.get("layer_transformation") == "sparsemax_patch":
        told = {**told, "layer_transformation": "softmax"}  # such models were trained before the setting had an effect
    return Checkpoint(name, folder, _settings(identifier, told, path), weights)


def find_encoder(checkpoint: Checkpoint, encoder: str | Path | None) -> Path:
    """The folder with the configuration and the tokenizer of a checkpoint's encoder.

    `encoder` if given; otherwise what the checkpoint names: a path relative to its folder, or a model of the hub that
    was downloaded before.
    """
    if encoder is not None:
        folder = Path(encoder).expanduser()
        found = folder if folder.is_dir() else _cached(str(encoder), ["config.json", "tokenizer.json"])
        named = f"there is none at {encoder}, nor a local copy of a model of that name"
    else:
        wanted = checkpoint.settings.encoder
        places = [checkpoint.folder / wanted, Path(wanted)]
        names = [wanted, *([_OTHERWISE[wanted]] if wanted in _OTHERWISE else [])]
        found = next((place for place in places if (place / "config.json").is_file()), None) or next(
            (copy for name in names if (copy := _cached(name, ["config.json", "tokenizer.json"]))), None
        )
        named = f"the checkpoint names {wanted}, which is no folder and was not downloaded before"
    if found is None or not (found / "config.json").is_file():
        raise DataError(
            f"The COMET model {checkpoint.name} needs the configuration and the tokenizer of its encoder: "
            f"{named if found is None else f'{found} has no config.json'}. Name a folder with config.json and "
            f"tokenizer.json of {checkpoint.settings.encoder} with `encoder`; its weights are in the checkpoint."
        )
    return found


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of an encoder; a DataError if it is not XLM-RoBERTa's."""
    path = folder / "config.json"
    try:  # somebody's file
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no JSON: {error}. It should be the encoder's configuration.") from error
    told = config if isinstance(config, dict) else {}
    wanted = {"model_type": "xlm-roberta", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    wrong = {name: told.get(name, value) for name, value in wanted.items() if told.get(name, value) != value}
    if wrong or "model_type" not in told:
        said = ", ".join(f"{name} {value}" for name, value in wrong.items()) or "no model_type"
        raise DataError(f"{path} says {said}; supported are encoders of XLM-RoBERTa (model_type xlm-roberta).")
    return told


def check_weights(checkpoint: Checkpoint, expected: Mapping[str, tuple[int, ...]]) -> None:
    """A DataError that lists missing and unknown weights, and those of another shape."""
    known = {name: weight for name, weight in checkpoint.weights.items() if not name.startswith(_IGNORED)}
    shapes = {name: tuple(getattr(weight, "shape", ())) for name, weight in known.items()}
    missing = [name for name in expected if name not in known]
    unknown = [name for name in known if name not in expected]
    other = [
        f"{name} {list(shapes[name])} for {list(shape)}"
        for name, shape in expected.items()
        if name in known and shapes[name] != shape
    ]
    faults = {"missing": missing, "unknown": unknown, "of another shape": other}
    if any(faults.values()):
        said = "\n".join(f"  {fault}: {listed(names, 20)}" for fault, names in faults.items() if names)
        raise DataError(
            f"The weights in {checkpoint.files[1]} are not those of a {checkpoint.settings.kind} with this encoder. Is "
            f"it the encoder that the checkpoint was made with ({checkpoint.settings.encoder})?\n{said}"
        )


def _located(where: str | Path) -> tuple[Path, str]:
    folder = Path(where).expanduser()
    if folder.is_file() and folder.name == "model.ckpt":
        folder = folder.absolute().parent.parent
    if not folder.is_dir():
        copy = _cached(str(where), ["hparams.yaml", "checkpoints/model.ckpt"])
        if copy is None:
            raise DataError(
                f"There is no COMET model at {where}, nor a local copy of a model of that name on the hub. "
                f"{LAYOUT}; `hf download Unbabel/wmt22-comet-da` gets one."
            )
        folder = copy
    for part in ("hparams.yaml", "checkpoints/model.ckpt"):
        if not (folder / part).is_file():
            raise DataError(f"{folder} is no COMET model: it has no {part}. {LAYOUT}.")
    names = [part.rpartition("--")[2] for part in folder.absolute().parts if part.startswith("models--")]
    return folder, names[-1] if names else folder.resolve().name


def _cached(name: str, files: list[str]) -> Path | None:
    """The local copy of a model of the hub, without using the network."""
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        return None
    from huggingface_hub import snapshot_download

    try:  # the edge to the hub's cache
        return Path(snapshot_download(name, allow_patterns=files, local_files_only=True))
    except (OSError, ValueError):
        return None


def _hparams(path: Path) -> dict[str, Any]:
    found = yaml_file(path)
    if not isinstance(found, dict) or "class_identifier" not in found:
        raise DataError(f"{path} has no class_identifier, so it is not the settings of a COMET model.")
    return found


def _read(path: Path) -> Any:
    """The contents of a checkpoint, its tensors left on disk; nothing in it is run."""
    import pickle

    import torch

    try:  # whatever is wrong with somebody's file becomes a sentence
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(path):
            said = str(error).split("Please file an issue")[0].strip()
            raise DataError(
                f"{path} is refused: it holds more than weights and settings, and such a file can run code when it is "
                f"read. Take the checkpoint as its makers publish it.\n  {said}"
            ) from error
        raise DataError(_broken(path)) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError) as error:
        raise DataError(f"{_broken(path)}\n  {error}") from error


def _broken(path: Path) -> str:
    return (
        f"{path} ({path.stat().st_size:,} bytes) cannot be read: it is cut off, damaged, or no checkpoint of torch. "
        "Download it again."
    )


def _settings(identifier: Kind, told: Mapping[str, Any], path: Path) -> Settings:
    """The settings; the official package's defaults apply where an older checkpoint leaves one out."""
    unified = identifier == "unified_metric"
    allowed: dict[str, tuple[object, object]] = {
        "encoder_model": ("XLM-RoBERTa", "XLM-RoBERTa"),
        "sent_layer" if unified else "layer": ("mix", "mix"),
        **({"word_level_training": (False, False)} if unified else {"pool": ("avg", "avg")}),
    }
    for name, (default, supported) in allowed.items():
        if told.get(name, default) != supported:
            raise DataError(f"{path} has {name} {told[name]!r}, which is not supported; {supported!r} is.")
    segments = told.get("input_segments", ["mt", "src", "ref"])
    parts = [str(part) for part in segments] if isinstance(segments, list | tuple) else [str(segments)]
    if unified and sorted(parts) != ["mt", "src"]:
        raise DataError(
            f"{path} is a unified model of the segments {', '.join(parts)}; supported are {SUPPORTED}, which "
            "reads mt and src."
        )
    activation, final = told.get("activations", "Tanh"), told.get("final_activation")
    for one in (activation, *([final] if final is not None else [])):
        if one not in ACTIVATIONS:
            raise DataError(f"{path} has an activation {one!r}; supported are {', '.join(ACTIVATIONS)}.")
    sizes = told.get("hidden_sizes", (3072, 1024))
    if not isinstance(sizes, list | tuple) or not all(type(size) is int and size > 0 for size in sizes):
        raise DataError(f"{path} has hidden_sizes {sizes!r}; they should be a list of numbers, such as [3072, 1024].")
    transformation = told.get("layer_transformation", "sparsemax" if unified else "softmax")
    default = "microsoft/infoxlm-large" if unified else "xlm-roberta-large"
    return Settings(
        kind=identifier,
        encoder=str(told.get("pretrained_model", default)),
        sizes=tuple(sizes),
        activation=activation,
        final=final,
        mix="sparsemax" if transformation == "sparsemax" else "softmax",
        normed=bool(told.get("layer_norm", True)),
    )
