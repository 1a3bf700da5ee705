"""New pieces in a tokenizer's files: tokenizer.json, vocab.json and merges.txt, and tokenizer.model.

The ids of all old pieces and special tokens stay; the new ones come after the last. New merges come after all old
ones.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragoman.errors import DataError
from dragoman.models.vocabulary.kind import settings_of
from dragoman.models.vocabulary.pieces import Pieces
from dragoman.models.vocabulary.sentencepiece import append_pieces

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

JSON, MODEL, VOCAB, MERGES = "tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"


def merge_pieces(tokenizer: "PreTrainedTokenizerBase", folder: Path, pieces: Pieces, out: Path) -> int:
    """Writes the tokenizer of a model's folder with these pieces to `out`, where copies of its files are; returns the
    id of the first piece.

    A tokenizer.model that is not SentencePiece's, or does not agree with tokenizer.json, is taken out.
    """
    path = folder / JSON
    settings: dict[str, Any] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else settings_of(tokenizer)
    )
    model = settings["model"]
    vocabulary: dict[str, int] = model["vocab"]
    added = {token["content"]: token["id"] for token in settings["added_tokens"]}
    added |= {str(what): token for token, what in tokenizer.added_tokens_decoder.items()}
    old = dict(sorted((vocabulary | added).items(), key=lambda item: item[1]))
    if twice := [text for text in pieces.texts if text in old]:
        raise DataError(f"the tokenizer of {folder} has {len(twice):,} of these pieces already, such as {twice[0]!r}")
    first: int = max(old.values()) + 1
    new = {text: first + place for place, text in enumerate(pieces.texts)}
    model["vocab"] = old | new  # special tokens as well: ids are counted from the size of this
    merges = [*_merges(pieces, old | new)]
    as_text = bool(model["merges"]) and isinstance(model["merges"][0], str)
    model["merges"] += [" ".join(pair) if as_text else list(pair) for pair in merges]
    _write(out / JSON, settings)
    if (folder / VOCAB).is_file():
        _write(out / VOCAB, old | new)
    if (folder / MERGES).is_file():
        before = (folder / MERGES).read_text(encoding="utf-8").rstrip("\n")
        (out / MERGES).write_text("\n".join([before, *map(" ".join, merges)]) + "\n", encoding="utf-8")
    if (folder / MODEL).is_file():
        special = {token for token, what in tokenizer.added_tokens_decoder.items() if what.special}
        larger = append_pieces((folder / MODEL).read_bytes(), old, special, pieces.texts)
        (out / MODEL).unlink(missing_ok=True)
        if larger is not None:
            (out / MODEL).write_bytes(larger)
    return first


def _merges(pieces: Pieces, vocabulary: dict[str, int]) -> Iterator[tuple[str, str]]:
    """The new merges in their order. SentencePiece merges any two pieces that are a third, so all are named there."""
    if pieces.kind == "byte-level":
        yield from pieces.merges
        return
    for text in pieces.texts:
        for place in range(1, len(text)):
            left, right = text[:place], text[place:]
            if left in vocabulary and right in vocabulary:
                yield left, right


def _write(path: Path, value: object) -> None:
    path.unlink(missing_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
