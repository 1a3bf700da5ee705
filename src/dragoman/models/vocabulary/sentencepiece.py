"""SentencePiece's tokenizer.model: its list of pieces is read, and made longer.

The file is a protocol buffer, in which what is repeated may go on at the end: new pieces are appended, and all that
was there stays byte for byte.
"""

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # how a field is written
_PIECES, _TRAINER = 1, 2  # fields of the model
_TEXT, _SCORE, _TYPE = 1, 2, 3  # fields of a piece
_SIZE = 4  # field of the trainer's settings: how many pieces there are
NORMAL, CONTROL, OWN = 1, 3, 4
"""Types of pieces: ordinary ones, those that no text is cut into, and those that a text always is."""


def pieces_of(model: bytes) -> list[tuple[str, float]] | None:
    """The pieces of a model with their scores; None if it is not SentencePiece's."""
    try:  # a file from outside
        found = []
        for field, value in _fields(model):
            if field == _PIECES:
                piece = dict(_fields(bytes(value) if isinstance(value, bytes) else b""))
                score = piece.get(_SCORE, b"\0\0\0\0")
                text = piece[_TEXT]
                assert isinstance(text, bytes)
                assert isinstance(score, bytes)
                found.append((text.decode(), float(struct.unpack("<f", score)[0])))
        return found or None
    except (ValueError, IndexError, KeyError, AssertionError, struct.error):
        return None


def append_pieces(model: bytes, old: Mapping[str, int], special: Collection[int], new: Sequence[str]) -> bytes | None:
    """The model with new pieces after the `old` ones, which are named with their ids; None if these are not its own.

    Old pieces that the file lacks, as those that were added later, get their place before the new ones. New pieces are
    less important than any old one, in their order.
    """
    there = pieces_of(model)
    if there is None or any(old.get(text) != place for place, (text, _) in enumerate(there)):
        return None
    by_id = {token: text for text, token in old.items()}
    last = max(by_id)
    if by_id.keys() != {*range(last + 1)}:
        return None
    lowest = min(-1.0, *(score for _, score in there))
    more = [(by_id[token], 0.0, CONTROL if token in special else OWN) for token in range(len(there), last + 1)]
    more += [(text, _below(lowest, 1 + place), NORMAL) for place, text in enumerate(new)]
    size = _field(_TRAINER, _BYTES, _field(_SIZE, _VARINT, _varint(len(there) + len(more))))
    return model + b"".join(_piece(*one) for one in more) + size


def _below(score: float, steps: int) -> float:
    """The number so many steps of its precision below a negative one."""
    (bits,) = struct.unpack("<I", struct.pack("<f", score))
    found: float = struct.unpack("<f", struct.pack("<I", bits + steps))[0]
    return found


def _piece(text: str, score: float, kind: int) -> bytes:
    said = _field(_TEXT, _BYTES, text.encode()) + _field(_SCORE, _FIXED32, struct.pack("<f", score))
    return _field(_PIECES, _BYTES, said + (_field(_TYPE, _VARINT, _varint(kind)) if kind != NORMAL else b""))


def _field(number: int, how: int, value: bytes) -> bytes:
    return _varint(number << 3 | how) + (_varint(len(value)) if how == _BYTES else b"") + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field; ValueError or IndexError if it is no protocol buffer."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, how = tag >> 3, tag & 7
        if how == _VARINT:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        if how == _BYTES:
            size, at = _read_varint(data, at)
        elif how in (_FIXED32, _FIXED64):
            size = 4 if how == _FIXED32 else 8
        else:
            raise ValueError(f"no field is written as {how}")
        if at + size > len(data):
            raise ValueError("a field reaches beyond the end")
        yield number, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, at
        shift += 7
