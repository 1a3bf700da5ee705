"""Finding models, naming them by their contents (fingerprint), and loading them.

Finding and naming import neither torch nor transformers, so that planning a run and replaying finished work stay
quick.
"""

import hashlib
import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dragoman.errors import EngineError, from_here
from dragoman.models.adapters import shapes
from dragoman.models.catalog import without_hub
from dragoman.models.weights import BINS, deciding_files, weight_files
from dragoman.store import sha256

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Precision = Literal["auto", "bf16", "fp32"]

# What determines a model's answers to token ids. Tokenizers act before that, and prompts are ids already.
_DECIDING = ("config.json", "adapter_config.json", "*.py")
_NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")


def locate(
    name: str | Path,
    revision: str | None = None,
    trust_remote_code: bool = False,
    *,
    bin_weights: bool = False,
    fetch: bool = True,
) -> Path:
    """The directory of a model: the named one, or the local copy of a model from the Hugging Face hub.

    Without a network, with HF_HUB_OFFLINE=1, or with `fetch` off, an earlier download is used. Weight files other
    than safetensors are fetched only with `bin_weights`, and only if a model has no others. An EngineError says what
    is missing.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            if (folder / "adapter_config.json").is_file():
                raise EngineError(
                    f"{folder} holds no model, but an adapter: it has no config.json. Name its base as the model, and "
                    f"this beside it, as --adapter {folder}."
                )
            raise EngineError(f"{folder} holds no model: it has no config.json.")
        return folder
    text = str(name)
    if text.startswith((".", "/", "~")) or text.count("/") > 1:
        raise EngineError(
            f"There is no model at {folder}{from_here(folder)}. Name a directory that exists, or a model of the hub."
        )
    from huggingface_hub import snapshot_download

    logging.getLogger("huggingface_hub.utils._http").setLevel(logging.ERROR)  # a line for each attempt; we say it once
    wanted = [*_NEEDED, "*.py"] if trust_remote_code else list(_NEEDED)
    try:  # the edge to the network
        found = Path(snapshot_download(text, revision=revision, allow_patterns=wanted, local_files_only=not fetch))
        if bin_weights and not any(found.glob("*.safetensors")):
            wanted.append(BINS)
            found = Path(snapshot_download(text, revision=revision, allow_patterns=wanted, local_files_only=not fetch))
        return found
    except (OSError, ValueError) as error:
        at = f" at revision {revision}" if revision else ""
        raise EngineError(
            f"The model {text}{at} is neither a directory here nor could it be had from the Hugging Face hub. "
            f"Check the name, the network (HF_HUB_OFFLINE keeps it off) and, for gated models, HF_TOKEN. "
            f"{without_hub(text)}\n  {error}"
        ) from error


def fingerprint(folder: Path, *, adapter: Path | None = None, digest_of: Callable[[Path], str] = sha256) -> str:
    """A hash of a model's contents: its configuration, its weights, and those of the adapter.

    `digest_of` may remember the digests of files that have not changed (`store.Digests.of`), so that large weights
    are read only once.
    """
    whole = hashlib.sha256()
    for part, root in (("model", folder), ("adapter", adapter)):
        if root is None:
            continue
        for path in sorted({*deciding_files(root), *(path for pattern in _DECIDING for path in root.glob(pattern))}):
            whole.update(f"{part}\x1f{path.name}\x1f{digest_of(path)}\n".encode())
    return whole.hexdigest()


def pick_device(device: str = "auto") -> "torch.device":
    """The named device; `auto` takes an accelerator if there is one."""
    import torch

    if device != "auto":
        return torch.device(device)
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return torch.device("cpu") if accelerator is None else accelerator


def pick_dtype(precision: Precision, device: "torch.device") -> "torch.dtype":
    """bf16 or fp32; `auto` takes bf16 if the processor multiplies it in hardware."""
    import torch

    if precision != "auto":
        return torch.bfloat16 if precision == "bf16" else torch.float32
    if device.type == "cpu":
        can = torch.cpu.get_capabilities()
        fast = bool(can.get("avx512_bf16") or can.get("amx_bf16") or can.get("bf16"))
    elif device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = True
    return torch.bfloat16 if fast else torch.float32


def load_model(
    name: str | Path,
    *,
    precision: Precision = "auto",
    device: str = "auto",
    adapter: Path | None = None,
    trust_remote_code: bool = False,
    bin_weights: bool = False,
    revision: str | None = None,
) -> "PreTrainedModel":
    """A causal language model of transformers in evaluation mode, on its device, with all of its weights.

    It is read from safetensors, or with `bin_weights` from .bin files if there are no others. With `adapter`, the
    result is a PEFT model around it. An EngineError says which model could not be loaded and why; a missing tensor is
    such a reason.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from dragoman.models import outline as outlines

    folder = locate(name, revision, trust_remote_code, bin_weights=bin_weights)
    files = weight_files(folder, bin_weights, str(name))
    outlines.check_kind(folder, trust_remote_code)
    if adapter is not None:  # before anything large is read
        outlines.outline(folder, trust_remote_code=trust_remote_code, bin_weights=bin_weights, adapter=adapter)
    where = pick_device(device)
    dtype = pick_dtype(precision, where)
    try:
        with outlines.readable(name), outlines.quiet():
            model, info = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype,
                use_safetensors=files[0].suffix == ".safetensors",
                trust_remote_code=trust_remote_code,
                ignore_mismatched_sizes=True,  # reported by the next line
                output_loading_info=True,
            )
            outlines.check_whole(name, info)
            if adapter is not None:
                from peft import PeftModel

                model = PeftModel.from_pretrained(model, adapter)
                outlines.check_adapter_whole(model, adapter)
            return model.to(where).eval()
    except torch.OutOfMemoryError as error:
        raise EngineError(_too_large(name, folder, dtype, where)) from error


def memory_of(device: "torch.device") -> str:
    """A device's free memory, in words; empty if it cannot be told."""
    import torch

    if device.type != "cpu":
        free, total = torch.accelerator.get_memory_info(device)
    elif "SC_AVPHYS_PAGES" in os.sysconf_names:
        free, total = (os.sysconf("SC_PAGE_SIZE") * os.sysconf(f"SC_{pages}_PAGES") for pages in ("AVPHYS", "PHYS"))
    else:
        return ""
    return f"{device} has {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def _too_large(name: str | Path, folder: Path, dtype: "torch.dtype", device: "torch.device") -> str:
    weights = sum(math.prod(shape or ()) for path in folder.glob("*.safetensors") for shape in shapes(path).values())
    weights = weights or sum(path.stat().st_size for path in folder.glob(BINS)) // 2
    advice = [
        *(["set generation.precision to bf16, which halves that"] if dtype.itemsize == 4 else []),
        "end what else uses the GPU",
        "take one with more memory",
        "or spread it over several: generation.engine vllm with vllm.tensor_parallel",
    ]
    return (
        f"The model {name} does not fit: its weights take {weights * dtype.itemsize / 2**30:.1f} GiB in "
        f"{str(dtype).removeprefix('torch.')}, and {memory_of(device)}. What helps: {', '.join(advice)}."
    )
