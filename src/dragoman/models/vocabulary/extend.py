"""A model's folder with a larger vocabulary: pieces learnt, put into its tokenizer, and given rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from dragoman.models.vocabulary.merge import merge_pieces
from dragoman.models.vocabulary.pieces import train_pieces
from dragoman.models.vocabulary.resize import Start, resize

MOST = 50_000_000
"""Characters of text that pieces are learnt from; what comes after is not read."""
SAMPLED = 1_000  # texts on which the two vocabularies are compared


@dataclass(frozen=True, slots=True)
class Extension:
    """What an extension made of a vocabulary."""

    pieces: int
    first: int
    """The id of the first new piece."""
    rows_before: int
    rows_after: int
    characters: int
    """How much text the pieces were learnt from."""
    tokens_before: int
    tokens_after: int
    """Of a part of that text, in the old vocabulary and in the new one."""
    samples: tuple[str, ...]
    """Some of the new pieces, as text."""


def extend(
    folder: Path,
    out: Path,
    texts: Iterable[str],
    count: int,
    *,
    start: Start = "pieces",
    multiple: int = 1,
    trust_remote_code: bool = False,
    bin_weights: bool = False,
) -> Extension:
    """Writes the model of a folder, extended by so many pieces of these texts, to `out`.

    DataError if the texts yield fewer, or the tokenizer is of a kind that can't be extended; EngineError if the model
    can't be.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=trust_remote_code)
    read: list[str] = []
    characters = 0
    for text in texts:
        read.append(text)
        characters += len(text)
        if characters >= MOST:
            break
    pieces = train_pieces(tokenizer, read, count)
    first = max(tokenizer.get_vocab().values()) + 1
    rows = resize(
        folder,
        out,
        pieces.old,
        first,
        start=start,
        multiple=multiple,
        trust_remote_code=trust_remote_code,
        bin_weights=bin_weights,
    )
    merge_pieces(tokenizer, folder, pieces, out)
    larger = AutoTokenizer.from_pretrained(out, trust_remote_code=trust_remote_code)
    some = read[:: max(1, len(read) // SAMPLED)][:SAMPLED]
    before, after = (
        sum(map(len, one(some, add_special_tokens=False)["input_ids"])) if some else 0 for one in (tokenizer, larger)
    )
    shown = tuple(larger.decode([first + place]) for place in islice(range(count), 20))
    return Extension(count, first, rows.before, rows.after, characters, before, after, shown)
