"""Kinds of tokenizers: how each spells its pieces, which of them can learn more, and its settings as JSON."""

import json
from typing import TYPE_CHECKING, Any, Literal

from dragoman.errors import DataError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Kind = Literal["byte-level", "sentencepiece"]
SPACE = "\u2581"
"""How SentencePiece spells a space."""


def kind_of(tokenizer: "PreTrainedTokenizerBase") -> Kind:
    """`byte-level` as Qwen, Llama-3 and SmolLM2 have, or `sentencepiece` as Llama-2, Mistral and Gemma have: both BPE.

    DataError for all others.
    """
    name = str(tokenizer.name_or_path) or "the backbone"
    if not tokenizer.is_fast:
        raise DataError(f"{name} has a tokenizer in code of its own, to which no pieces can be added. {_ADVICE}")
    settings = settings_of(tokenizer)
    model, around = settings["model"], json.dumps([settings[part] for part in ("pre_tokenizer", "decoder")])
    if model["type"] != "BPE":
        raise DataError(f"{name} has a tokenizer of the kind {model['type']}, to which no pieces are added. {_ADVICE}")
    if "ByteLevel" in around:
        return "byte-level"
    if model.get("byte_fallback") and SPACE in json.dumps(settings, ensure_ascii=False):
        return "sentencepiece"
    raise DataError(f"{name} has a BPE tokenizer that spells neither bytes nor {SPACE} for a space. {_ADVICE}")


_ADVICE = (
    "A vocabulary can be extended where it is byte-level BPE (Qwen, Llama-3, SmolLM2) or SentencePiece's BPE (Llama-2, "
    "Mistral, Gemma): take such a backbone, or leave `vocabulary` out."
)


def settings_of(tokenizer: "PreTrainedTokenizerBase") -> dict[str, Any]:
    """What a tokenizer.json of it says."""
    found: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return found
