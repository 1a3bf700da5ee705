"""The weights of a GGUF file as bf16 in safetensors, with the configuration; transformers dequantises.

transformers refuses to save a model that was read from such a file, as it counts as quantised. So the numbers go into
a model that is built anew from the configuration.
"""

import hashlib
import json
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import torch

from dragoman.errors import EngineError, listed
from dragoman.models.config import ORIGIN
from dragoman.models.gguf.header import Header
from dragoman.models.outline import check_whole, outline, quiet, readable

_UNTOLD = ("transformers_version", "_name_or_path", "_model_name_or_path", "_from_model_config", "quantization_config")


def write_weights(header: Header, folder: Path) -> None:
    """Writes model.safetensors, config.json and generation_config.json into a folder.

    EngineError if a number of the file has no place in the model or the other way round, or if one is not finite.
    """
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM

    where, name = header.path.parent, header.path.name
    plain = {"quantization_config": transformers.GgufConfig(dequantize=True)}
    with readable(header.path), quiet():
        config = AutoConfig.from_pretrained(where, gguf_file=name)
        _check_positions(header, config.to_dict())
        with redirect_stderr(StringIO()):  # a progress bar that nothing else turns off
            read, info = AutoModelForCausalLM.from_pretrained(
                where, gguf_file=name, dtype=torch.bfloat16, output_loading_info=True, **plain
            )
        check_whole(header.path, info)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
        model.load_state_dict(read.state_dict(), assign=True)
        model.tie_weights()
    _check_numbers(header, model)
    with readable(header.path), quiet():
        model.generation_config = read.generation_config
        model.save_pretrained(folder)
    for file in ("config.json", "generation_config.json"):
        said = json.loads((folder / file).read_text(encoding="utf-8"))
        kept = {key: value for key, value in said.items() if key not in _UNTOLD}
        if file == "config.json" and header.quantised:
            kept[ORIGIN] = header.quantised
        (folder / file).write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")
    outline(folder)


def tensors_digest(folder: Path) -> str:
    """A hash of all tensors in a folder's safetensors: their names, types, shapes and numbers, however filed."""
    from safetensors import safe_open

    whole = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            for name in sorted(file.keys()):
                tensor = file.get_tensor(name)
                whole.update(f"{name}\x1f{tensor.dtype}\x1f{tuple(tensor.shape)}\n".encode())
                whole.update(tensor.contiguous().view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def check_supported(header: Header) -> None:
    """EngineError if transformers cannot read a model of this architecture from GGUF."""
    import transformers

    if not hasattr(transformers, "GgufConfig"):
        raise EngineError(
            f"GGUF files are read by transformers 5.19 or newer; {transformers.__version__} is installed. Install a "
            "newer one, or take the model's safetensors."
        )
    from transformers.integrations.gguf import is_gguf_arch_supported
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    known = header.architecture in GGUF_SUPPORTED_ARCHITECTURES or is_gguf_arch_supported(header.architecture)
    if not known and header.architecture.replace("-", "_") not in GGUF_SUPPORTED_ARCHITECTURES:
        raise EngineError(
            f"{header.path} is of the architecture {header.architecture!r}, which transformers "
            f"{transformers.__version__} cannot read from GGUF. Take the model's safetensors. It reads "
            f"{', '.join(sorted(GGUF_SUPPORTED_ARCHITECTURES))}."
        )


def _check_positions(header: Header, config: dict[str, object]) -> None:
    """EngineError if the file stretches positions and transformers' configuration does not say how."""
    said = header.text(f"{header.architecture}.rope.scaling.type")
    stretched = said not in ("", "none") or "rope_freqs.weight" in header.names
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if stretched and isinstance(rope, dict) and rope.get("rope_type", "default") == "default":
        raise EngineError(
            f"{header.path} stretches positions (rope scaling {said or 'by rope_freqs.weight'}), and transformers does "
            "not read how: the model would be another one. Take the model's safetensors."
        )


def _check_numbers(header: Header, model: torch.nn.Module) -> None:
    """EngineError unless the file has exactly the numbers that the model is made of, and all are finite."""
    parts = {tensor.data_ptr(): (name, tensor) for name, tensor in model.state_dict().items()}
    wrong = sorted(name for name, tensor in parts.values() if not bool(torch.isfinite(tensor).all()))
    if wrong:
        raise EngineError(f"{header.path} holds numbers that are not finite, in {listed(wrong)}. Fetch it again.")
    numbers = sum(tensor.numel() for _, tensor in parts.values())
    if numbers != header.numbers:
        raise EngineError(
            f"{header.path} holds {header.numbers:,} numbers, and the model that transformers reads from it "
            f"{numbers:,}: something was left out or made up. Take the model's safetensors."
        )
