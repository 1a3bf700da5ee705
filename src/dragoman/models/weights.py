"""Weight files: which ones a model's weights are in, and whether they may be read. No torch: planning needs this too.

Safetensors hold only numbers. A `.bin` file is a pickle, which can hold anything; it is read only if somebody allowed
it, and then only for its tensors: torch refuses whatever else is in it.
"""

import json
from pathlib import Path
from typing import NamedTuple, TypedDict

from dragoman.errors import EngineError
from dragoman.models.config import read_json

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
BIN, BIN_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
LARGEST_INDEX = 256 << 20  # bytes; of a model with hundreds of experts in each layer it has twenty megabytes
BINS = "pytorch_model*.bin"
"""Weight files that are not safetensors."""
_COMPANIONS = (
    *("tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "*.jinja"),
    "generation_config.json",
)


class Tensor(NamedTuple):
    """A tensor as the header of a safetensors file describes it: its type, its shape, and its bytes."""

    kind: str
    shape: tuple[int, ...]
    size: int


def weight_files(folder: Path, bin_weights: bool = False, name: str = "") -> list[Path]:
    """The files to read a model's weights from: safetensors, or `.bin` if allowed and there are no others.

    EngineError if no file may be read, if the index names one that is missing, or one that is not in the folder
    itself. (A link in the folder may lead out of it, as in the hub's cache.)
    """
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    if (folder / INDEX).is_file():
        return _of_index(folder / INDEX)
    if others := sorted(path.name for path in folder.glob("*.safetensors")):
        raise EngineError(
            f"{name or folder} has no {WHOLE} and no {INDEX}, which would say what {', '.join(others[:3])} is part of."
        )
    bins = any(folder.glob(BINS))
    if bins and bin_weights:
        return [folder / BIN] if (folder / BIN).is_file() else _of_index(folder / BIN_INDEX)
    if bins:
        raise EngineError(
            f"{name or folder} has its weights in .bin files, and no .safetensors. Such files can hold code, so models "
            "are loaded from safetensors only, unless a recipe says `bin_weights: true` beside the model's name: then "
            "their tensors are read, and nothing else in them."
        )
    raise EngineError(f"{name or folder} has no .safetensors file, and models are loaded from safetensors only.")


def companions(folder: Path, *more: str) -> list[Path]:
    """What stands beside a model's weights and goes along with them: tokenizer, chat template, how it generates."""
    return sorted({path for pattern in (*_COMPANIONS, *more) for path in folder.glob(pattern)})


def deciding_files(folder: Path) -> list[Path]:
    """The files of a folder that a model's weights are in, whether or not they may be read, and their index."""
    for weights, index in (("*.safetensors", "*.safetensors.index.json"), (BINS, BIN_INDEX)):
        if found := list(folder.glob(weights)):
            return sorted({*found, *folder.glob(index)})
    return []


class _About(TypedDict):
    """A tensor in the header of a safetensors file."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def weight_bytes(folder: Path) -> int:
    """The total size of these files."""
    return sum(path.stat().st_size for path in deciding_files(folder) if path.suffix != ".json")


def header(path: Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file. Only the header is read."""
    try:  # a file from outside
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            found: dict[str, _About] = json.loads(file.read(length))
        tensors = {name: _tensor(about) for name, about in found.items() if name != "__metadata__"}
        if path.stat().st_size < 8 + length + sum(tensor.size for tensor in tensors.values()):
            raise ValueError("it is cut off; fetch it again")
        return tensors
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        MemoryError,
        OverflowError,
        RecursionError,
    ) as error:
        raise EngineError(f"{path} could not be read as a safetensors file: {error}") from error


def _tensor(about: _About) -> Tensor:
    start, end = about["data_offsets"]
    return Tensor(str(about["dtype"]), tuple(about["shape"]), end - start)


def _of_index(index: Path) -> list[Path]:
    if not index.is_file():
        raise EngineError(f"{index.parent} has parts of a model's weights, and no {index.name} that says which.")
    parts = read_json(index, LARGEST_INDEX).get("weight_map")
    files = [part for part in parts.values() if isinstance(part, str)] if isinstance(parts, dict) else []
    if not isinstance(parts, dict) or not parts or len(files) < len(parts):
        raise EngineError(f"{index}: weight_map does not say which file each tensor is in.")
    names = sorted(set(files))
    for name in names:
        if Path(name).name != name or name in ("", ".", "..") or "\\" in name or "\0" in name:
            raise EngineError(
                f"{index} names {name!r}, which is not a file of this folder. A model's weights lie in its own folder; "
                "the index was damaged, or made to read something else."
            )
        if Path(name).suffix != (".bin" if index.name == BIN_INDEX else ".safetensors"):
            raise EngineError(f"{index} names {name!r}, which is no file of the kind that it is for.")
        if not (index.parent / name).is_file():
            raise EngineError(f"{index} names {name}, which is not there. Fetch the model again.")
    return [index.parent / name for name in names]
