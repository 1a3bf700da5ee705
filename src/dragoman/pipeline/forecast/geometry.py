"""A model's geometry (sizes), from its config.json if it is here, otherwise from a small table of models.

Everything else is computed from it: parameters, adapters, and the size of a token in the key-value cache.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import yaml

from dragoman.errors import RecipeError
from dragoman.json_values import Json
from dragoman.models.config import context_in, read_config, text_part
from dragoman.recipe.engines import Hardware
from dragoman.recipe.training import Lora

BF16 = 2  # bytes
ATTENTION, MLP = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True)
class Geometry:
    """A present-day decoder: attention with shared keys and values, a gated MLP, RMS norms."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int
    head: int = 0
    """The width of a head; hidden / heads when 0."""
    tied: bool = False
    """Whether the embedding is also the head."""
    biases: str = ""
    """`qkv`: queries, keys and values have biases; `all`: the attention's output too."""
    head_norms: bool = False
    """Whether queries and keys are normalised in each head."""
    tokenizer: str = ""
    """The tokenizer's family in `bytes_a_token` of machines.yaml; unknown when empty."""

    @property
    def width(self) -> int:
        return self.head or self.hidden // self.heads

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Input and output sizes of the linear layers of one block."""
        queries, keys = self.heads * self.width, self.kv_heads * self.width
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def blocks(self) -> int:
        """The parameters of all linear layers except the head: those that every token is multiplied with."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.shapes.values())

    @property
    def head_parameters(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def parameters(self) -> int:
        biased = {"": (), "qkv": ATTENTION[:3], "all": ATTENTION}[self.biases]
        biases = sum(self.shapes[name][1] for name in biased)
        norms = 2 * self.hidden + (2 * self.width if self.head_norms else 0)
        return self.blocks + self.layers * (biases + norms) + self.hidden + self.embeddings

    @property
    def embeddings(self) -> int:
        """The parameters of the embedding and the head, which may be one."""
        return self.head_parameters * (1 if self.tied else 2)

    @property
    def weights(self) -> int:
        """Bytes of all parameters in bf16."""
        return self.parameters * BF16

    @property
    def cached(self) -> int:
        """Bytes of the keys and values of one token."""
        return 2 * self.layers * self.kv_heads * self.width * BF16

    def adapter(self, lora: Lora) -> int:
        """The parameters of an adapter; layers that this kind of model does not have are not counted."""
        presets = {"attention": ATTENTION, "mlp": MLP}
        if isinstance(lora.targets, str) and lora.targets not in {*self.shapes, *presets}:  # all-linear, or a pattern
            wanted = set(self.shapes)
        else:
            named = [lora.targets] if isinstance(lora.targets, str) else lora.targets
            wanted = {name for target in named for name in presets.get(target, (target,))}
        return self.layers * lora.rank * sum(sum(shape) for name, shape in self.shapes.items() if name in wanted)


@dataclass(frozen=True, slots=True)
class Accelerator:
    name: str
    memory: float  # bytes
    flops: float  # a second, dense bf16 products
    bandwidth: float  # bytes a second


def geometry_of(name: str, folder: Path | None) -> Geometry | None:
    """The geometry of a model; None if it is neither here nor in the table, or is of another kind."""
    if folder is not None and (folder / "config.json").is_file():
        return _of_config(read_config(folder))
    known = machines()["models"].get(name)
    return Geometry(**known) if known else None


def _of_config(config: Mapping[str, Json]) -> Geometry | None:
    config = text_part(config)
    kind = config.get("model_type", "")
    needed = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "vocab_size")
    experts = any("experts" in key and config[key] for key in config)
    sizes = {key: value for key, value in config.items() if isinstance(value, int)}
    if experts or not sizes.keys() >= set(needed):
        return None
    heads = sizes["num_attention_heads"]
    biases = "qkv" if kind == "qwen2" else "all" if config.get("attention_bias") else ""
    return Geometry(
        layers=sizes["num_hidden_layers"],
        hidden=sizes["hidden_size"],
        intermediate=sizes["intermediate_size"],
        heads=heads,
        kv_heads=sizes.get("num_key_value_heads") or heads,
        vocabulary=sizes["vocab_size"],
        context=context_in(config) or 0,
        head=sizes.get("head_dim") or 0,
        tied=bool(config.get("tie_word_embeddings")),
        biases=biases,
        head_norms=kind == "qwen3",
    )


def accelerator(named: Hardware) -> Accelerator:
    """The accelerator that a recipe or the command line names. RecipeError lists the known ones."""
    known = machines()["accelerators"]
    if named.gpu not in known:
        raise RecipeError(
            f"hardware: nothing is known of '{named.gpu}'. Known are {', '.join(known)}; name one that is like it."
        )
    facts = known[named.gpu]
    return Accelerator(named.gpu, facts["memory"] * 2**30, facts["flops"] * 1e12, facts["bandwidth"] * 1e9)


def hardware(text: str) -> Hardware:
    """Reads `a100-80gb:4`. RecipeError if it is neither a name nor a name and a count."""
    name, colon, count = text.partition(":")
    if not name or (colon and not re.fullmatch("[1-9][0-9]{0,5}", count)):
        raise RecipeError(f"--gpu: '{text}' should look like a100-80gb, or a100-80gb:4 for four of them")
    named = Hardware(gpu=name.lower(), count=int(count) if colon else 1)
    accelerator(named)
    return named


@cache
def machines() -> Mapping[str, Any]:
    """The contents of machines.yaml."""
    text = package_files("dragoman.pipeline.forecast").joinpath("machines.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found
