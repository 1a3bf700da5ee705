"""Opening a model in lm-evaluation-harness: which backend, with which arguments, in which chat format."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import EngineError
from dragoman.models.config import context_of
from dragoman.models.loading import pick_device, pick_dtype
from dragoman.prompts.formats import chat_template
from dragoman.recipe.engines import Generation
from dragoman.recipe.judging import Chat, Harness

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SEED = 1234
KEY = "OPENAI_API_KEY"
"""The environment variable in which the harness looks for a server's key."""
THINKING = "enable_thinking"


@dataclass(frozen=True, slots=True)
class Backend:
    """A model as the harness opens it."""

    name: str
    """The harness's name for it: `hf`, `vllm`, `local-completions`, `local-chat-completions`."""
    arguments: Mapping[str, object]
    how: Mapping[str, str]
    """Its part of a signature."""
    context: int | None
    batch_size: int | str = 1
    device: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None
    """A chat template to use instead of the tokenizer's own."""
    key: str = field(default="", repr=False)
    """A server's key, which is never shown."""
    served: str = ""
    """A model on a server, whose address and name stand for its contents."""


def backend(
    model: Path,
    settings: Harness,
    *,
    chat: Chat,
    system: str | None,
    trust_remote_code: bool,
    generation: Generation,
    say: Callable[[str], None],
) -> Backend:
    """The backend that the settings name, for this machine. EngineError if a server is needed and not there."""
    own, template = _template(model, chat, trust_remote_code) if settings.chat_template else (None, None)
    said = {"chat": _short(template or own or "") if settings.chat_template else "off"}
    if settings.chat_template:
        said["examples"] = "turns"
    if system is not None:
        said["system"] = _short(system)
    word = settings.backend if settings.backend != "auto" else _best()
    if word == "openai":
        return _server(model, settings, generation, trust_remote_code, said, template, say)
    device = pick_device()
    dtype = str(pick_dtype(generation.precision, device)).removeprefix("torch.")
    arguments: dict[str, object] = {"pretrained": str(model), "dtype": dtype, "trust_remote_code": trust_remote_code}
    how = {"backend": word, "dtype": dtype, **said}
    if word == "hf":
        return Backend("hf", arguments, how, context_of(model), settings.batch_size, str(device), template=template)
    vllm = generation.vllm
    arguments |= {
        "tensor_parallel_size": vllm.tensor_parallel,
        "data_parallel_size": vllm.data_parallel,
        "max_model_len": vllm.max_length,
        "max_num_seqs": vllm.sequences,
        "enforce_eager": device.type == "cpu" if vllm.eager is None else vllm.eager,
        "seed": SEED,
    }
    if device.type != "cpu":
        arguments["gpu_memory_utilization"] = vllm.memory
    context = min(filter(None, (context_of(model), vllm.max_length)), default=None)
    room = {"VLLM_CPU_KVCACHE_SPACE": str(vllm.cpu_cache)} if "VLLM_CPU_KVCACHE_SPACE" not in os.environ else {}
    return Backend("vllm", arguments, how, context, "auto", environment=room, template=template)


def _best() -> str:
    from dragoman.generation.local_engine import best_engine

    return best_engine()[0]


def _server(
    model: Path,
    settings: Harness,
    generation: Generation,
    trust_remote_code: bool,
    said: Mapping[str, str],
    template: str | None,
    say: Callable[[str], None],
) -> Backend:
    from dragoman.generation.openai.connect import GREETING, connect

    if find_spec("tenacity") is None:
        raise EngineError(
            "lm-evaluation-harness asks servers with the package tenacity, which is not installed. Install it with the "
            "rest: pip install 'dragoman[harness]'."
        )
    server = generation.openai
    tokenizer = _tokenizer(model, trust_remote_code)
    found = connect(server, tuple(tokenizer(GREETING)["input_ids"]), say=say)
    talks = found.way.api == "chat"
    if talks and not settings.chat_template:
        raise EngineError(
            f"{found.address} takes conversations alone, and `evaluation.harness.chat_template` is off. Set it, or "
            "take a server that completes text."
        )
    context = min(filter(None, (context_of(model), found.context)), default=None)
    begins = tokenizer("Hello")["input_ids"][:1] == [tokenizer.bos_token_id]
    arguments: dict[str, object] = {
        "model": found.way.model,
        "base_url": f"{found.address}/{'chat/completions' if talks else 'completions'}",
        "num_concurrent": server.concurrency,
        "max_retries": server.retries + 1,
        "timeout": int(server.timeout),
        "seed": SEED,
        **({"max_length": context} if context else {}),
    }
    if talks:
        how = {"backend": "local-chat-completions", **said, "chat": "the server's"}
    else:
        arguments |= {
            "tokenizer": str(model),
            "tokenizer_backend": "huggingface",
            "tokenized_requests": found.way.ids,
            "add_bos_token": begins and not settings.chat_template,
            "trust_remote_code": trust_remote_code,
        }
        how = {"backend": "local-completions", **said}
    name = how["backend"]
    return Backend(
        name,
        arguments,
        {**how, "served": found.way.model},
        context,
        environment={KEY: found.key or "none"},
        template=None if talks else template,
        key=found.key,
        served=f"{found.address} {found.way.model}",
    )


def _template(model: Path, chat: Chat, trust_remote_code: bool) -> tuple[str, str | None]:
    """The model's own chat template, and one to replace it so that prompts are the same as ours.

    A template that lets a model think first unless told otherwise is told otherwise, as our renderer does.
    """
    tokenizer = _tokenizer(model, trust_remote_code)
    if chat != "own":
        text = chat_template(chat, tokenizer)
        return text, text
    own = tokenizer.chat_template
    if not own:
        raise EngineError(
            f"{model} has no chat template. Set `evaluation.harness.chat_template: false`, or `chat: alpaca`."
        )
    text = own if isinstance(own, str) else own["default"]
    return text, f"{{%- set {THINKING} = false %}}{text}" if THINKING in text else None


def _tokenizer(model: Path, trust_remote_code: bool) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(str(model), trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise EngineError(f"The tokenizer of {model} could not be loaded: {error}") from error


def with_template(model: Path, template: str, trust_remote_code: bool, folder: Path) -> Path:
    """A copy of a model's tokenizer with another chat template."""
    tokenizer = _tokenizer(model, trust_remote_code)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
