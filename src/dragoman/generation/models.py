"""Where models come from: finding them, naming them by their contents, loading them.

Finding and naming import neither torch nor transformers, so that planning a run and replaying
finished work stay quick.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dragoman.errors import EngineError
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
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    folder = locate(name, revision, trust_remote_code)
    if not any(folder.glob("*.safetensors")):
        raise EngineError(
            f"{name} has no *.safetensors file. Models are loaded from safetensors only: other formats can run code."
        )
    where = pick_device(device)
    try:  # whatever is wrong with somebody's files becomes a sentence
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=pick_dtype(precision, where), use_safetensors=True, trust_remote_code=trust_remote_code
        )
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise EngineError(f"The model {name} could not be loaded:\n  {error}") from error
    return model.to(where).eval()
