"""What a GGUF file says of itself: architecture, metadata, and how each tensor is stored. No tensor is read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.errors import EngineError, from_here

if TYPE_CHECKING:
    from gguf import GGUFReader

MAGIC = b"GGUF"
PLAIN = {"F32", "F16", "BF16", "F64"}
"""Types of numbers that are stored as they are; all others are quantised."""


@dataclass(frozen=True, slots=True)
class Header:
    """A GGUF file without its tensors."""

    path: Path
    architecture: str
    metadata: Mapping[str, object]
    """Its entries without lists: a list is told by its length."""
    tokens: tuple[str, ...]
    """The vocabulary, in the order of the ids."""
    kinds: tuple[int, ...]
    """The kind of each token (`gguf.TokenType`)."""
    scores: tuple[float, ...]
    """Of each token, in SentencePiece's vocabularies."""
    merges: tuple[str, ...]
    """Two tokens each, with a space between them, in the order in which they are applied."""
    types: Mapping[str, int]
    """How many tensors are stored in each type, the most frequent first."""
    numbers: int
    """How many numbers all tensors have together."""
    names: tuple[str, ...]
    """Of the tensors."""

    @property
    def quantised(self) -> str:
        """The types that do not store numbers as they are, as in `Q4_K, Q6_K`; empty if there are none."""
        return ", ".join(kind for kind in self.types if kind not in PLAIN)

    def text(self, key: str) -> str:
        """An entry of the metadata that is text; empty if it is missing or something else."""
        found = self.metadata.get(key)
        return found if isinstance(found, str) else ""


def read_header(path: Path) -> Header:
    """What a GGUF file says of itself. EngineError if it is none, is cut off, or cannot be read."""
    if not path.is_file():
        raise EngineError(f"There is no file {path}{from_here(path)}.")
    with path.open("rb") as file:
        if (begins := file.read(4)) != MAGIC:
            raise EngineError(f"{path} is not a GGUF file: it begins with {begins!r} instead of {MAGIC!r}.")
    from gguf import GGUFReader

    try:  # a file from outside, and a reader that trusts it
        reader = GGUFReader(path)
        architecture = _value(reader, "general.architecture")
        numbers = sum(int(tensor.n_elements) for tensor in reader.tensors)
        found = Header(
            path=path,
            architecture=architecture if isinstance(architecture, str) else "",
            metadata={key: _value(reader, key) for key in reader.fields},
            tokens=_list(reader, "tokens"),
            kinds=_list(reader, "token_type"),
            scores=_list(reader, "scores"),
            merges=_list(reader, "merges"),
            types=dict(Counter(tensor.tensor_type.name for tensor in reader.tensors).most_common()),
            numbers=numbers,
            names=tuple(tensor.name for tensor in reader.tensors),
        )
    except Exception as error:  # numpy's errors of all kinds, where lengths lead beyond the end
        raise EngineError(
            f"{path} begins as a GGUF file and cannot be read on ({type(error).__name__}: {error}). Most likely it was "
            "cut off: fetch it again, and compare its checksum."
        ) from error
    if not found.architecture:
        raise EngineError(f"{path} does not say which architecture it is of (general.architecture).")
    if not found.types:
        raise EngineError(f"{path} holds no tensors: it is a vocabulary alone. Take the file with the weights.")
    return found


def _list(reader: "GGUFReader", key: str) -> tuple[Any, ...]:
    field = reader.fields.get(f"tokenizer.ggml.{key}")
    return tuple(field.contents()) if field else ()


def _value(reader: "GGUFReader", key: str) -> object:
    """An entry of the metadata; the length of a list."""
    from gguf import GGUFValueType

    field = reader.fields.get(key)
    if field is None:
        return None
    return len(field.data) if field.types[0] == GGUFValueType.ARRAY else field.contents()
