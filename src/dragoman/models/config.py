"""A model's config.json, read with care since it is somebody else's file. No torch here."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from dragoman.errors import EngineError
from dragoman.json_values import Json, JsonObject

ORIGIN = "dequantised_from"
"""The key that says which types the weights had before they were made larger; merged models inherit it."""
TAUGHT_ALONE = "taught_translation_alone"
"""The key that says that a model learnt to give the translation alone where asked to; merged models inherit it."""
EXTENDED = "new_tokens"
"""The key that says which ids an extended vocabulary added, from the first to the one after the last; merged models
inherit it.
"""
LARGEST = 16 << 20  # bytes; the largest that are published have a few hundred kilobytes
# The same sizes under the names that architectures have for them.
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_CONTEXT = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_WIDTHS = ("hidden_size", "n_embd", "d_model", "intermediate_size", "ffn_dim", "n_inner", "head_dim")
_SIZES = (*_LAYERS, *_HEADS, *_CONTEXT, *_WIDTHS, "num_key_value_heads", "vocab_size")
_POSITIVE = ("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "rope_theta")
_MOST_LAYERS, _MOST = 10_000, 1 << 31


def read_config(folder: Path) -> JsonObject:
    """The contents of a model's config.json. EngineError if it is invalid, or has sizes that no model can have."""
    path = folder / "config.json"
    config = read_json(path)
    for name, value in _numbers(config):
        if math.isnan(value):
            raise EngineError(f"{path}: {name} is NaN, which is no number that a model could be built with.")
    for part in (config, text_part(config)):
        _check_sizes(path, part)
    return config


def taught_alone(folder: Path) -> bool:
    """Whether the model in a folder learnt to give the translation alone where it is asked to."""
    return (folder / "config.json").is_file() and read_config(folder).get(TAUGHT_ALONE) is True


def read_json(path: Path, largest: int = LARGEST) -> JsonObject:
    """A model's file that holds a JSON object. EngineError if it does not."""
    try:
        size = path.stat().st_size
        if size > largest:
            raise EngineError(
                f"{path} has {size / 1e6:,.0f} MB, and a file of this kind has far less than {largest / 1e6:,.0f}. "
                "It is not read."
            )
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EngineError(f"{path} could not be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise EngineError(f"{path} is nested too deeply to be read.") from error
    except ValueError as error:
        raise EngineError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise EngineError(f"{path} holds no JSON object, {{…}}, but {type(found).__name__}.")
    return found


def text_part(config: Mapping[str, Json]) -> Mapping[str, Json]:
    """The part of the configuration about text, for a model that also handles images or sound."""
    part = config.get("text_config")
    return part if isinstance(part, dict) else config


def context_in(config: Mapping[str, Json]) -> int | None:
    """The model's context length in tokens, according to its configuration; None if it sets no limit."""
    part = text_part(config)
    return next((length for name in _CONTEXT if isinstance(length := part.get(name), int)), None)


def context_of(folder: Path) -> int | None:
    """The context length, in tokens, of the model in a folder.

    If the file leaves it out, transformers' default for that kind of model counts; transformers is imported only
    then.
    """
    config = read_config(folder)
    found = context_in(config)
    if found is not None or "model_type" not in config:
        return found
    from transformers import AutoConfig

    try:  # code of the model's own is not run for this
        return context_in(AutoConfig.from_pretrained(folder, trust_remote_code=False).get_text_config().to_dict())
    except Exception:  # loading it will say what is wrong
        return None


def _check_sizes(path: Path, config: Mapping[str, Json]) -> None:
    for name in _SIZES:
        value = config.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue  # None, or one for each layer
        most = _MOST_LAYERS if name in _LAYERS else _MOST
        if not (math.isfinite(value) and value == int(value)):
            raise EngineError(f"{path}: {name} is {value}, and must be a whole number.")
        if not 1 <= value <= most:
            raise EngineError(f"{path}: {name} is {value}; it must be at least 1, and at most {most:,}.")
    for name in _POSITIVE:
        value = config.get(name)
        if isinstance(value, int | float) and not (value > 0 and math.isfinite(value)):
            raise EngineError(f"{path}: {name} is {value}, and must be above 0.")
    heads, shared = next((config[name] for name in _HEADS if config.get(name)), None), config.get("num_key_value_heads")
    if isinstance(heads, int) and isinstance(shared, int) and heads % shared:
        raise EngineError(f"{path}: {heads} attention heads can't share {shared} heads of keys evenly.")


def _numbers(value: Json, name: str = "") -> Iterator[tuple[str, float]]:
    """All floating-point numbers in a value, with their names."""
    waiting = [(name, value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, float):
            yield name, value
        elif isinstance(value, dict):
            waiting += [(f"{name}.{key}" if name else str(key), part) for key, part in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{name}[{place}]", part) for place, part in enumerate(value)]
