"""Where models come from: finding them, naming them by their contents, loading them.

Finding and naming import neither torch nor transformers, so that planning a run and replaying
finished work stay quick.
"""

import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dragoman.errors import EngineError
from dragoman.generation.adapters import check_adapter, shapes
from dragoman.store import sha256

if TYPE_CHECKING:
    import torch

Precision = Literal["auto", "bf16", "fp32"]

# What determines a model's answers to token ids. Tokenizers act before that, and prompts are ids already.
_DECIDING = ("config.json", "*.safetensors", "*.safetensors.index.json", "adapter_config.json", "*.py")
_NEEDED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")


def locate(
    name: str | Path, revision: str | None = None, trust_remote_code: bool = False, *, fetch: bool = True
) -> Path:
    """The directory of a model: the one that is named, or the local copy of a model of the Hugging Face hub.

    Without a network, with HF_HUB_OFFLINE=1, or with `fetch` off, the copy of an earlier download
    serves. An EngineError says what is missing.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
            raise EngineError(f"{folder} holds no model: it has no config.json.")
        return folder
    text = str(name)
    if text.startswith((".", "/", "~")) or text.count("/") > 1:
        raise EngineError(f"There is no model at {folder}. Name a directory that exists, or a model of the hub.")
    from huggingface_hub import snapshot_download

    wanted = [*_NEEDED, "*.py"] if trust_remote_code else list(_NEEDED)
    try:  # the edge to the network
        return Path(snapshot_download(text, revision=revision, allow_patterns=wanted, local_files_only=not fetch))
    except (OSError, ValueError) as error:
        at = f" at revision {revision}" if revision else ""
        raise EngineError(
            f"The model {text}{at} is neither a directory here nor could it be had from the Hugging Face hub. "
            f"Check the name, the network (HF_HUB_OFFLINE keeps it off) and, for gated models, HF_TOKEN.\n  {error}"
        ) from error


def fingerprint(folder: Path, *, adapter: Path | None = None, digest_of: Callable[[Path], str] = sha256) -> str:
    """A hash of the contents of a model: its configuration, its weights, and those of the adapter.

    `digest_of` may remember the digests of files that have not changed (`store.Digests.of`), so that
    large weights are read once.
    """
    whole = hashlib.sha256()
    for part, root in (("model", folder), ("adapter", adapter)):
        if root is None:
            continue
        for path in sorted({path for pattern in _DECIDING for path in root.glob(pattern)}):
            whole.update(f"{part}\x1f{path.name}\x1f{digest_of(path)}\n".encode())
    return whole.hexdigest()


def pick_device(device: str = "auto") -> "torch.device":
    """The device that a word names; `auto` takes an accelerator where there is one."""
    import torch

    if device != "auto":
        return torch.device(device)
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return torch.device("cpu") if accelerator is None else accelerator


def pick_dtype(precision: Precision, device: "torch.device") -> "torch.dtype":
    """bf16 or fp32; `auto` takes bf16 where the processor multiplies it in hardware."""
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
    revision: str | None = None,
) -> Any:
    """A causal language model of transformers in evaluation mode, on its device, from safetensors only.

    With `adapter`, a PEFT model around it. An EngineError says which model could not be loaded and why.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    folder = locate(name, revision, trust_remote_code)
    if not any(folder.glob("*.safetensors")):
        raise EngineError(
            f"{name} has no *.safetensors file. Models are loaded from safetensors only: other formats can run code."
        )
    if adapter is not None:
        check_adapter(folder, adapter)
    where = pick_device(device)
    dtype = pick_dtype(precision, where)
    try:  # whatever is wrong with somebody's files becomes a sentence
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=trust_remote_code
        )
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter)
        return model.to(where).eval()
    except torch.OutOfMemoryError as error:
        raise EngineError(_too_large(name, folder, dtype, where)) from error
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise EngineError(f"The model {name} could not be loaded:\n  {error}") from error


def memory_of(device: "torch.device") -> str:
    """How much memory a device has free, in words; empty where it does not tell."""
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
