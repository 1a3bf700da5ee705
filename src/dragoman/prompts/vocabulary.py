"""The spelling of a vocabulary's tokens, in bytes: which tokens begin with which.

A tokenizer's own `decode` can't tell: a token may be half a character, and SentencePiece drops a leading space. So
the spelling is read from the vocabulary itself.
"""

import re
from bisect import bisect_left, bisect_right
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = tuple[int, ...]

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Spellings:
    """The bytes of every ordinary token, sorted. Special and added tokens are not included."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase"):
        added = tokenizer.added_tokens_decoder
        special = {*tokenizer.all_special_ids, *added}
        spell = _byte_level if _is_byte_level(tokenizer) else _sentence_piece
        self._of = {token: spell(text) for text, token in tokenizer.get_vocab().items() if token not in special}
        table = sorted((text, token) for token, text in self._of.items())
        self._texts = [text for text, _ in table]
        self._tokens = [token for _, token in table]
        self._known: dict[int, Ids] = {}

    def __getitem__(self, token: int) -> bytes:
        return self._of[token]

    def extensions(self, token: int) -> Ids:
        """All ordinary tokens that begin with this one's bytes, including itself; for a special token, only itself."""
        if token not in self._known:
            self._known[token] = self._beginning_with(self._of.get(token, b"")) or (token,)
        return self._known[token]

    def _beginning_with(self, text: bytes) -> Ids:
        if not text:  # every token begins with an empty text
            return ()
        first = bisect_left(self._texts, text)
        end = bisect_right(self._texts, text, lo=first, key=lambda longer: longer[: len(text)])
        return tuple(sorted(self._tokens[first:end]))


def _is_byte_level(tokenizer: "PreTrainedTokenizerBase") -> bool:
    return tokenizer.is_fast and "ByteLevel" in repr(tokenizer.backend_tokenizer.decoder)


def _byte_level(text: str) -> bytes:
    letters = _letters()
    if letters.keys() >= set(text):
        return bytes(letters[letter] for letter in text)
    return text.encode()


def _sentence_piece(text: str) -> bytes:
    found = _BYTE.fullmatch(text)
    return bytes([int(found[1], 16)]) if found else text.replace("\u2581", " ").encode()


@cache
def _letters() -> dict[str, int]:
    """The letter that byte-level vocabularies write for each byte (GPT-2's scheme)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}
