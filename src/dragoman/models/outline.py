"""Outlines of models: a model built without its weights, to see whether its files hold all of it.

transformers fills a tensor that it does not find with random numbers, and says so in a warning at most. It renames
and joins tensors while loading, so only it can say what is missing: it is given the names and shapes from the files'
headers, on torch's `meta` device. That takes milliseconds, and reads no weights.
"""

import pickle
import warnings
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import torch

from dragoman.errors import EngineError, listed
from dragoman.models.adapters import check_adapter
from dragoman.models.config import context_in, read_config
from dragoman.models.weights import header, weight_files
from dragoman.progress import note

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PretrainedConfig, PreTrainedModel


class LoadingInfo(TypedDict):
    """What transformers says of loading a model: tensors by name, and their sizes in the files and in the model."""

    missing_keys: Collection[str]
    unexpected_keys: Collection[str]
    mismatched_keys: Collection[tuple[str, tuple[int, ...], tuple[int, ...]]]


class UnknownKind(EngineError):
    """transformers does not know this kind of model; vLLM knows some of its own."""


def outline(
    folder: Path, *, trust_remote_code: bool = False, bin_weights: bool = False, adapter: Path | None = None
) -> "PreTrainedModel":
    """The model in a folder as transformers builds it, without weights: it can be inspected, but not called.

    Raises EngineError if it is not a model that continues text, if its files do not hold all of it, and if `adapter`
    does not fit it or is incomplete. Of quantised weights, only the layers that they belong to are checked.
    """
    files = weight_files(folder, bin_weights)
    config, making = _kind(folder, trust_remote_code)
    with readable(folder), quiet():
        with torch.device("meta"):
            model = making.from_config(config, trust_remote_code=trust_remote_code)
        if getattr(config, "quantization_config", None) is None:
            empty = {name: tensor for path in files for name, tensor in _headers(path).items()}
            model, info = type(model).from_pretrained(
                None,
                config=model.config,
                state_dict=empty,
                device_map="meta",
                dtype=torch.bfloat16,
                ignore_mismatched_sizes=True,  # reported below
                output_loading_info=True,
            )
            check_whole(folder, info)
    if adapter is not None:
        weights = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
        check_adapter(folder, adapter, weights)
        check_adapter_whole(_adapted(model, adapter), adapter)
    return model


def check_kind(folder: Path, trust_remote_code: bool = False) -> None:
    """EngineError if a folder does not hold a model that continues text (encoders and encoder-decoders don't)."""
    from transformers import AutoModelForCausalLM

    config, making = _kind(folder, trust_remote_code)
    if making is not AutoModelForCausalLM:
        raise EngineError(
            f"{folder} is a model of text and pictures ({config.model_type}), which transformers does not load as one "
            "that continues text. vLLM may serve it (generation.engine: vllm); to be taught, take one of text alone."
        )


def check_whole(name: str | Path, info: LoadingInfo) -> None:
    """EngineError if transformers did not find all tensors of a model, or found some in other sizes.

    Tensors in the files that the model has no place for are reported in a sentence; they are ignored.
    """
    missing, misfits = sorted(info["missing_keys"]), sorted(info["mismatched_keys"])
    if missing or misfits:
        lines = [f"The files of {name} do not hold the model that its config.json describes."]
        if missing:
            lines.append(f"{len(missing)} of its tensors are not there: {listed(missing)}.")
        if misfits:
            told = [
                f"{key} is {_by(found)} in the files and {_by(wanted)} in the model" for key, found, wanted in misfits
            ]
            lines.append(f"{len(misfits)} have another size: {listed(told)}.")
        lines.append("They would be random numbers. Fetch the model again, or save it whole.")
        raise EngineError(" ".join(lines))
    if surplus := sorted(info["unexpected_keys"]):
        _say(
            f"{name}: {len(surplus)} tensors in its files are no part of the model, and are left out: "
            f"{listed(surplus)}."
        )


def check_adapter_whole(network: "PeftModel", adapter: Path) -> None:
    """EngineError if a PEFT file lacks a tensor of the adapter that is around `network`.

    PEFT would leave such a tensor at its initial value. Tensors that the adapter has no place for are reported in a
    sentence.
    """
    from peft import get_peft_model_state_dict

    wanted = set(get_peft_model_state_dict(network, save_embedding_layers=False))
    found = set(header(adapter / "adapter_model.safetensors"))
    if missing := sorted(wanted - found):
        raise EngineError(
            f"The adapter {adapter} is not whole: {len(missing)} of the tensors that its adapter_config.json speaks of "
            f"are not in adapter_model.safetensors: {listed(missing)}. They would be as before training. Fetch it "
            "again, or save it whole."
        )
    if surplus := sorted(name for name in found - wanted if ".lora_" in name):
        _say(
            f"{adapter}: {len(surplus)} tensors are for no layer of this adapter, and are left out: {listed(surplus)}."
        )


@contextmanager
def readable(name: str | Path) -> Iterator[None]:
    """Turns whatever is wrong with a model's files into an EngineError: every library raises its own kind of error."""
    try:
        yield
    except (EngineError, torch.OutOfMemoryError):
        raise
    except RecursionError as error:
        raise EngineError(f"The model {name} could not be loaded: one of its files is nested too deeply.") from error
    except pickle.UnpicklingError as error:
        raise EngineError(
            f"The model {name} could not be loaded: one of its .bin files holds more than tensors, or is damaged, and "
            "nothing else in it is read. Ask for its safetensors."
        ) from error
    except Exception as error:
        said = str(error).strip() or "nothing else is known"
        raise EngineError(f"The model {name} could not be loaded:\n  {type(error).__name__}: {said}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Hides transformers' progress bars and reports; what matters of them is raised as an error or said in a
    sentence.
    """
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def _kind(folder: Path, trust_remote_code: bool) -> tuple["PretrainedConfig", type["PreTrainedModel"]]:
    """transformers' reading of a config.json, and the class that builds a model that continues text from it."""
    said = read_config(folder)
    import transformers
    from transformers.models.auto import modeling_auto as auto

    own_code = trust_remote_code and isinstance(said.get("auto_map"), dict)
    name = said.get("model_type")
    if not own_code and name not in transformers.CONFIG_MAPPING:
        raise UnknownKind(
            f"{folder} is a kind of model ({name or 'config.json has no model_type'}) that transformers "
            f"{transformers.__version__} does not know."
            + (" It brings code of its own: `trust_remote_code: true` runs that." if "auto_map" in said else "")
        )
    with readable(folder), quiet():
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)
    kind = config.model_type
    if getattr(config, "is_encoder_decoder", False):
        raise EngineError(
            f"{folder} is an encoder-decoder ({kind}): it reads a text with one half and writes with the other. What "
            "is taught here continues a text: take a decoder, such as Llama, Mistral or Qwen."
        )
    encoder = kind in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(config, "is_decoder", False)
    if own_code or (type(config) in auto.MODEL_FOR_CAUSAL_LM_MAPPING and not encoder):
        return config, transformers.AutoModelForCausalLM
    if type(config) in auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return config, transformers.AutoModelForImageTextToText
    what = "an encoder, which reads a text and writes none" if encoder else "no model that continues a text"
    raise EngineError(f"{folder} is {what} ({kind}). Take a decoder, such as Llama, Mistral or Qwen.")


def _headers(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file without their contents."""
    if path.suffix == ".safetensors":
        return {name: torch.empty(one.shape, device="meta", dtype=torch.bfloat16) for name, one in header(path).items()}
    found = torch.load(path, map_location="meta", weights_only=True, mmap=zipfile.is_zipfile(path))
    return {name: tensor for name, tensor in found.items() if isinstance(tensor, torch.Tensor)}


def _adapted(model: "PreTrainedModel", adapter: Path) -> "PeftModel":
    """A model without weights, wrapped in the adapter that a folder describes."""
    from peft import PeftConfig, get_peft_model

    with readable(adapter), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = PeftConfig.from_pretrained(adapter)
        config.inference_mode = True
        return get_peft_model(model, config, low_cpu_mem_usage=True)


@cache
def _say(text: str) -> None:
    """Says a sentence once, even though a model is checked more than once."""
    note(text)


def _by(shape: Collection[int]) -> str:
    return "×".join(map(str, shape)) or "a single number"


def vocabulary_of(model: "PreTrainedModel") -> int:
    """The size of a model's vocabulary: the rows of its embedding."""
    return int(model.get_input_embeddings().weight.shape[0])


def places_of(model: "PreTrainedModel") -> int | None:
    """The number of positions in a model's position table: past its end there is nothing.

    None if positions are rotations (RoPE) or otherwise unlimited; beyond its context such a model only gets worse.
    """
    if any("rotary" in name.rpartition(".")[2] for name, _ in model.named_modules()):
        return None
    return context_in(model.config.get_text_config().to_dict())
