"""Plain values as JSON and back, so that only plain values get from one process to the other.

Anything else, such as an object of a user-defined class, arrives as something that equals nothing.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

Plain: TypeAlias = bool | int | float | str | list["Plain"] | None  # a list begins with the name of its kind

_MOST = 100_000  # items taken from an iterator
_LONGEST = 1_000_000  # range: whoever makes a list of it should have room
_TAGS = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_MAKERS = {name: kind for kind, name in _TAGS.items()}


class Opaque:
    """Stands for a value that is not plain. It equals nothing, and yields its items one by one if it had any."""

    def __init__(self, kind: str, items: list[object] | None = None):
        self.kind = kind
        self.items = items

    def __iter__(self) -> Iterator[object]:
        if self.items is None:
            raise TypeError(f"{self.kind!r} object is not iterable")
        return iter(self.items)


def told(value: object) -> Plain:
    """A value in a form that JSON can hold. Subclasses are reduced to what they inherit, without their own `==`."""
    if value is None or isinstance(value, (bool, str, float)):
        return value
    if isinstance(value, int):
        return value if -(1 << 63) < value < 1 << 63 else ["int", hex(value)]
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, dict):
        return ["dict", [[told(key), told(held)] for key, held in dict.items(value)]]
    for kind, name in _TAGS.items():
        if isinstance(value, kind):
            return [name, [told(item) for item in kind.__iter__(value)]]
    name = type(value).__name__
    if (type(value).__module__, name) in (("decimal", "Decimal"), ("fractions", "Fraction")):
        return [name, str(value)]
    if isinstance(value, range):
        return ["range", value.start, value.stop, value.step]
    return ["object", name, [told(item) for item in islice(value, _MOST)] if hasattr(value, "__iter__") else None]


def read(data: object) -> object:
    """The value again. Raises ValueError for anything that `told` does not produce."""
    if not isinstance(data, list):
        if data is None or isinstance(data, (bool, str, float, int)):
            return data
        raise ValueError("an object of JSON")
    match data:
        case ["int", str(text)]:
            return int(text, 16)
        case ["complex", float(real), float(imaginary)]:
            return complex(real, imaginary)
        case ["bytes", str(text)]:
            return bytes.fromhex(text)
        case ["dict", list(items)]:
            return {read(key): read(held) for key, held in items}
        case [str(name), list(items)] if name in _MAKERS:
            return _MAKERS[name](read(item) for item in items)
        case ["Decimal", str(text)]:
            import decimal

            return decimal.Decimal(text, decimal.Context(traps=[]))  # no number: NaN
        case ["Fraction", str(text)] if re.fullmatch(r"-?[0-9]+(/0*[1-9][0-9]*)?", text):  # not 1e999999999
            import fractions

            return fractions.Fraction(text)
        case ["range", int(start), int(stop), int(step)]:
            if (found := range(start, stop, step))[_LONGEST:]:
                raise ValueError("a range that is too long")
            return found
        case ["object", str(kind), items]:
            return Opaque(kind, None if items is None else [read(item) for item in items])
    raise ValueError("no value")
