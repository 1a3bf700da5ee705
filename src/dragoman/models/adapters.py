"""Adapters: whether one fits its backbone, told from the headers of their files (no weights, no torch).

PEFT finds out only after the backbone is loaded, and some misfits not at all: it leaves those modules out with a
warning.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from dragoman.errors import EngineError, listed
from dragoman.json_values import Json
from dragoman.models.config import read_json
from dragoman.models.weights import header

Shape = tuple[int, ...]
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

_PREFIX = "base_model.model."
_LORA = re.compile(r"(?P<module>.+)\.lora_(?P<part>A|B|embedding_A|embedding_B|magnitude_vector)(\.weight)?")
_ROWS = "trainable_tokens_delta"
"""What the rows of single tokens are called, where only these are trained."""
_PLAIN = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")  # quantised weights are packed in other shapes


def check_adapter(folder: Path, adapter: Path, loaded: Mapping[str, Shape] | None = None) -> None:
    """Raises EngineError if an adapter names modules that the backbone in `folder` lacks, or has other shapes.

    Only LoRA is checked; other kinds are left to PEFT. A checkpoint may name a module by another path than the loaded
    model does, so paths are compared from the layer's number on. `loaded` are the weights of the model as it is in
    memory, where known.
    """
    about = read_adapter(adapter)
    if str(about.get("peft_type", "LORA")).upper() != "LORA":
        return
    backbone = _modules(folder, loaded or {})
    turned = bool(about.get("fan_in_fan_out"))
    missing: dict[str, None] = {}
    misfits: dict[str, str] = {}
    for name, shape in shapes(adapter / WEIGHTS).items():
        lora = _LORA.fullmatch(name.removeprefix(_PREFIX))
        module = lora["module"] if lora else name.removeprefix(_PREFIX).rpartition(".")[0]
        if name.endswith(_ROWS):
            module, shape = module.removesuffix(".token_adapter"), shape and (_highest_row(about), *shape[1:])
        candidates = _find(module, backbone)
        if candidates is None:
            missing[module] = None
        elif shape and not any(
            _fits(lora["part"] if lora else name[-len(_ROWS) :], shape, known, turned) for known in candidates
        ):
            what = f"lora_{lora['part']}" if lora else "weight"
            misfits.setdefault(module, f"{module} ({what} is {_by(shape)}, for a weight of {_by(candidates[0])})")
    if missing or misfits:
        raise EngineError(_said(folder, adapter, about, [*missing], [*misfits.values()]))


def shapes(path: Path) -> dict[str, Shape | None]:
    """The shapes of the tensors in a safetensors file, None for packed ones. Only the header is read."""
    return {name: one.shape if one.kind in _PLAIN else None for name, one in header(path).items()}


def read_adapter(adapter: Path) -> Mapping[str, Json]:
    """What an adapter's config says. EngineError if the folder holds no adapter in safetensors."""
    path = adapter / CONFIG
    for needed in (path, adapter / WEIGHTS):
        if not needed.is_file():
            raise EngineError(
                f"{adapter} holds no adapter that can be loaded: it has no {needed.name}. Adapters are PEFT's, "
                "with their weights in safetensors."
            )
    return read_json(path)


def _modules(folder: Path, loaded: Mapping[str, Shape]) -> dict[str, list[Shape | None]]:
    """The shapes of the backbone's weights, keyed both by the module's full path and by its end (`_end`)."""
    found: dict[str, list[Shape | None]] = defaultdict(list)
    files = (path for path in sorted(folder.glob("*.safetensors")) if not path.name.startswith("adapter_model"))
    weights: list[Mapping[str, Shape | None]] = [*(shapes(path) for path in files), loaded]
    for name, shape in chain.from_iterable(part.items() for part in weights):
        module, _, kind = name.rpartition(".")
        if kind == "bias":
            continue
        for key in dict.fromkeys((module, _end(module))):
            found[key].append(shape if kind == "weight" else None)
    return found


def _find(module: str, backbone: Mapping[str, list[Shape | None]]) -> list[Shape | None] | None:
    module = module.replace(".base_layer", "")
    if "lm_head" in module and _end(module) not in backbone:  # tied to the embedding, and not saved twice
        module = "embed_tokens"
    if ".experts" in module:  # kept one by one in files, and as one tensor in memory
        return [None]
    return backbone.get(module) or backbone.get(_end(module))


def _end(module: str) -> str:
    """The end of a module's path, from the list of layers on: `layers.0.mlp.up_proj`; without a layer number, the
    last word.
    """
    parts = module.split(".")
    number = next((place for place, part in enumerate(parts) if part.isdigit()), len(parts))
    return ".".join(parts[max(0, number - 1) :])


def _fits(part: str, shape: Shape, weight: Shape | None, turned: bool) -> bool:
    if weight is None:
        return True
    if part == _ROWS:
        return shape[0] <= weight[0] and shape[1:] == weight[1:]
    if part not in ("A", "B", "embedding_A", "embedding_B", "magnitude_vector"):  # a module that was trained whole
        return shape == weight
    if len(weight) != 2 or len(shape) != 2 or part == "magnitude_vector":
        return True
    out, into = weight[::-1] if turned or part.startswith("embedding") else weight
    return shape[-1] == into if part.endswith("A") else shape[0] == out


def _said(folder: Path, adapter: Path, about: Mapping[str, Json], missing: list[str], misfits: list[str]) -> str:
    lines = [f"The adapter {adapter} does not fit the backbone {folder}."]
    if missing:
        lines.append(f"{len(missing)} of its modules are not in the backbone: {listed(missing)}.")
    if misfits:
        lines.append(f"{len(misfits)} have another size there: {listed(misfits)}.")
    base = about.get("base_model_name_or_path")
    lines.append(f"It was made for {base}. Take that backbone" if base else "Take the backbone that it was made for")
    return " ".join(lines) + ", or an adapter of this one."


def _highest_row(about: Mapping[str, Json]) -> int:
    """How many rows an embedding must have for an adapter that trains those of single tokens."""
    said = about.get("trainable_token_indices")
    every = said.values() if isinstance(said, dict) else [said]
    return 1 + max(
        (token for some in every if isinstance(some, list) for token in some if isinstance(token, int)), default=0
    )


def _by(shape: Shape | None) -> str:
    return "×".join(map(str, shape or ()))
