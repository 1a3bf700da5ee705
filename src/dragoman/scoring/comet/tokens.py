"""Tokens for COMET's encoder: texts as token ids."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.errors import DataError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = list[int]
_HALF = re.compile("[\ud800-\udfff]")


class Tokens:
    """The tokenizer of an encoder with `positions` positions, whose padding token is `padding`."""

    def __init__(self, folder: Path, positions: int, padding: int, vocabulary: int):
        self._tokenizer = _tokenizer(folder)
        if self._tokenizer.token_to_id("<pad>") != padding or self._tokenizer.get_vocab_size() > vocabulary:
            raise DataError(
                f"The tokenizer in {folder} doesn't fit the encoder's config.json: {vocabulary:,} entries there, "
                f"{self._tokenizer.get_vocab_size():,} in the tokenizer; padding {padding} there, "
                f"{self._tokenizer.token_to_id('<pad>')} in the tokenizer. Name the encoder's own folder."
            )
        self._padding = padding
        self._joined = positions - 2
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(positions - 4)  # COMET leaves two places unused, but not in joined texts

    def of(self, texts: Sequence[str]) -> list[Ids]:
        """Each text alone: `<s>` … `</s>`."""
        encoded = self._tokenizer.encode_batch_fast([_unicode(text) for text in texts])
        return [one.ids for one in encoded]

    def joined(self, pairs: Sequence[tuple[str, str]]) -> list[Ids]:
        """Two texts as one: `<s>` … `</s> </s>` … `</s>`, cut off at the end if too long."""
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        known = dict(zip(texts, self.of(texts), strict=True))
        if any(self._padding in ids for ids in known.values()):
            known = {text: [token for token in ids if token != self._padding] for text, ids in known.items()}
        found = []
        for first, second in pairs:
            one, other = known[first], known[second]
            found.append([*one, one[-1], *other[1:]][: self._joined])
        return found


def _tokenizer(folder: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:  # whatever is wrong with somebody's file becomes a sentence
        return Tokenizer.from_file(str(path))
    except Exception as error:
        raise DataError(
            f"{path} is {'no tokenizer' if path.is_file() else 'missing'}: {error}. The encoder's folder needs "
            "`config.json` and `tokenizer.json`, as they are published with it."
        ) from error


def _unicode(text: str) -> str:
    """Replaces half characters, which models sometimes write, by the replacement character."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
