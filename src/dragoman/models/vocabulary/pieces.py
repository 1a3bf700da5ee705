"""Learning pieces: byte-pair encoding goes on where the old vocabulary stopped.

A text is cut into old tokens first, and pairs of neighbours that are frequent become pieces, over and over. So every
new piece is a string of old tokens, the old merges come before the new ones, and a text without a new piece is cut as
before. Characters that a SentencePiece vocabulary spells in bytes become pieces of their own first.

To the library that counts pairs, each old token is shown as one letter of an alphabet made for it.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from dragoman.errors import DataError
from dragoman.models.vocabulary.kind import SPACE, Kind, kind_of, settings_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids = tuple[int, ...]

LEAST = 2  # how often a piece occurs at least
COVERED = 0.9995  # of the characters of a text, as SentencePiece has it; rarer ones stay in bytes
LONGEST = 16  # characters of a piece, as SentencePiece has it
LINES = 1000  # that are cut together
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_FIXED = re.compile(r"[!-@\[-`{-~\u0109\u010a\u010d]")  # digits, signs and ends of lines, which stay as they are
_JOINERS = "\u200c\u200d"  # within words of Persian and of India's scripts
_BREAK = "\n"


@dataclass(frozen=True, slots=True)
class Pieces:
    """New pieces as the vocabulary spells them, in the order of their ids, and how they come about."""

    kind: Kind
    texts: tuple[str, ...]
    old: tuple[Ids, ...]
    """Of each piece the ids of the old tokens that it is made of."""
    merges: tuple[tuple[str, str], ...]
    """Pairs that become one, the most important first."""


def train_pieces(tokenizer: "PreTrainedTokenizerBase", texts: Iterable[str], count: int) -> Pieces:
    """So many new pieces for a tokenizer, the most useful for these texts.

    DataError if the texts yield fewer, or none, and if the tokenizer is of a kind that can't be extended.
    """
    kind = kind_of(tokenizer)
    alphabet = _Alphabet(tokenizer)
    words: Counter[str] = Counter()
    cut = _words_of_bytes if kind == "byte-level" else _words_of_characters
    for line in cut(tokenizer, alphabet, texts):
        words.update(line)
    characters = _characters(words, alphabet, count)
    words = _without_others(words, alphabet, characters)
    new = {alphabet.spelt(sign): alphabet.old(sign) for sign in characters}
    merges: list[tuple[str, str]] = []
    made: set[str] = set()  # by a merge, in signs
    for left, right in _merged(words, count) if len(new) < count else ():
        both, text = left + right, alphabet.spelt(left + right)
        parts_there = all(len(part) == 1 or part in made for part in (left, right))
        if not parts_there or text in alphabet.known or (kind == "sentencepiece" and len(text) > LONGEST):
            continue  # an old token that is not reached so, or made of a pair that was left out
        if text not in new and len(new) == count:
            break
        made.add(both)
        merges.append((alphabet.spelt(left), alphabet.spelt(right)))
        new.setdefault(text, alphabet.old(both))
    _require(new, count, words)
    return Pieces(kind, tuple(new), tuple(new.values()), tuple(merges))


def _require(new: dict[str, Ids], count: int, words: Counter[str]) -> None:
    if not words:
        raise DataError("vocabulary: there is no text to learn pieces from. Name some that is not empty.")
    if not new:
        raise DataError(
            "vocabulary: it would add nothing: all that occurs twice in the text is one token already. Name more text, "
            "or one in the language that is to be learnt; or leave `vocabulary` out."
        )
    if len(new) < count:
        raise DataError(
            f"vocabulary: {count:,} pieces are asked for, and the text yields {len(new):,} that occur at least twice. "
            f"Name more text, or at most `pieces: {len(new)}`."
        )


class _Alphabet:
    """A letter, or sign, for every old token, and for every character that old tokens spell in bytes."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase"):
        vocabulary = settings_of(tokenizer)["model"]["vocab"]
        self.known: dict[str, int] = vocabulary
        self.texts = {token: text for text, token in vocabulary.items()}
        self.first: int = max(self.texts) + 1
        self.unknown: dict[str, int] = {}

    def token(self, token: int) -> str:
        return _sign(token)

    def character(self, character: str) -> str:
        number = self.unknown.setdefault(character, self.first + len(self.unknown))
        self.texts[number] = character
        return _sign(number)

    def is_unknown(self, sign: str) -> bool:
        return _number(sign) >= self.first

    def spelt(self, signs: str) -> str:
        return "".join(self.texts[_number(sign)] for sign in signs)

    def old(self, signs: str) -> Ids:
        found: list[int] = []
        for sign in signs:
            number = _number(sign)
            bytes_ = self.texts[number].encode() if number >= self.first else b""
            found += [self.known[f"<0x{byte:02X}>"] for byte in bytes_] or [number]
        return tuple(found)


def _sign(number: int) -> str:
    """A character of its own for each number, none of them a surrogate."""
    code = number + 0x100
    return chr(code if code < 0xD800 else code + 0x800)


def _number(sign: str) -> int:
    code = ord(sign)
    return code - 0x100 if code < 0xD800 else code - 0x900


def _encoded(tokenizer: "PreTrainedTokenizerBase", texts: Iterable[str]) -> Iterator[Any]:
    """The lines of some texts, cut by the old vocabulary. Special tokens that are spelt out stay text."""
    from tokenizers import Tokenizer

    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    lines = (line for text in texts for line in text.splitlines() if line.strip())
    while some := list(islice(lines, LINES)):
        yield from backend.encode_batch(some, add_special_tokens=False)


def _words_of_bytes(
    tokenizer: "PreTrainedTokenizerBase", alphabet: _Alphabet, texts: Iterable[str]
) -> Iterator[list[str]]:
    """The words of each line, in signs, as the vocabulary's own rule splits it."""
    added = set(tokenizer.added_tokens_decoder)
    for line in _encoded(tokenizer, texts):
        words: dict[int, list[str]] = {}
        for token, word in zip(line.ids, line.word_ids, strict=True):
            if word is not None and token not in added:
                fixed = _FIXED.search(alphabet.texts[token])
                words.setdefault(word, []).append(_BREAK if fixed else alphabet.token(token))
        yield [part for word in words.values() for part in "".join(word).split(_BREAK) if part]


def _words_of_characters(
    tokenizer: "PreTrainedTokenizerBase", alphabet: _Alphabet, texts: Iterable[str]
) -> Iterator[list[str]]:
    """The words of each line, in signs: letters with the space before them, and other characters each alone."""
    added = set(tokenizer.added_tokens_decoder)
    for line in _encoded(tokenizer, texts):
        words: list[str] = []
        within = False  # a word that may go on
        for sign, text in _units(line, alphabet, added):
            letters = bool(text) and _are_letters(text.removeprefix(SPACE))
            if sign == _BREAK:
                within = False
                continue
            if within and letters and not text.startswith(SPACE):
                words[-1] += sign
            else:
                words.append(sign)
            within = letters
        yield words


def _units(line: Any, alphabet: _Alphabet, added: set[int]) -> Iterator[tuple[str, str]]:
    """The tokens of a line, each with its text, and instead of bytes the characters that they spell."""
    spelt = bytearray()
    for token, text in zip(line.ids, line.tokens, strict=True):
        if found := _BYTE.fullmatch(text):
            spelt.append(int(found[1], 16))
            continue
        yield from _from_bytes(spelt, alphabet)
        yield (_BREAK, "") if token in added else (alphabet.token(token), text)
    yield from _from_bytes(spelt, alphabet)


def _from_bytes(spelt: bytearray, alphabet: _Alphabet) -> Iterator[tuple[str, str]]:
    for character in spelt.decode(errors="ignore"):
        wanted = unicodedata.category(character)[0] not in "CZ" or character in _JOINERS
        yield (alphabet.character(character), character) if wanted else (_BREAK, "")
    spelt.clear()


def _are_letters(text: str) -> bool:
    return all(unicodedata.category(one)[0] in "LM" or one in _JOINERS for one in text)


def _characters(words: Counter[str], alphabet: _Alphabet, most: int) -> list[str]:
    """The characters that become pieces, as signs: the most frequent of those spelt in bytes."""
    seen: Counter[str] = Counter()
    every = 0
    for word, times in words.items():
        every += times * len(alphabet.spelt(word))
        seen.update({sign: times * word.count(sign) for sign in {*word} if alphabet.is_unknown(sign)})
    found: list[str] = []
    left = sum(seen.values())
    for sign, times in sorted(seen.items(), key=lambda one: (-one[1], one[0])):
        if len(found) == most or times < LEAST or left <= (1 - COVERED) * every:
            break
        found.append(sign)
        left -= times
    return found


def _without_others(words: Counter[str], alphabet: _Alphabet, characters: Sequence[str]) -> Counter[str]:
    """The words cut where a character is that stays in bytes."""
    rest = {sign for word in words for sign in word if alphabet.is_unknown(sign)} - {*characters}
    breaks = str.maketrans(dict.fromkeys(rest, _BREAK))
    found: Counter[str] = Counter()
    for word, times in words.items():
        for part in filter(None, word.translate(breaks).split(_BREAK)):
            found[part] += times
    return found


def _merged(words: Counter[str], count: int) -> Iterator[tuple[str, str]]:
    """Pairs of signs that are merged one after the other, the most frequent first."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.Split(_BREAK, "removed")
    signs = {sign for word in words for sign in word}
    more = count + count // 4 + 100  # some are left out
    trainer = trainers.BpeTrainer(vocab_size=len(signs) + more, min_frequency=LEAST, show_progress=False)
    library.train_from_iterator(
        (_BREAK.join([word] * times) for word, times in words.items() if len(word) > 1), trainer
    )
    for pair in json.loads(library.to_str())["model"]["merges"]:
        left, right = pair if isinstance(pair, list) else pair.split(" ")
        yield left, right
