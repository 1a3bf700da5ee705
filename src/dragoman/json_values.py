"""JSON values as types, and functions that narrow a value whose form is known.

Files from outside are checked first, with messages that name the place; then these say to the type checker (and to
whoever forgot a check) what is there. They raise TypeError for anything else.
"""

from collections.abc import Iterable
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]


def as_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is expected, not {value!r:.60}")
    return value


def as_number(value: object) -> int | float:
    if not isinstance(value, int | float):
        raise TypeError(f"a number is expected, not {value!r:.60}")
    return value


def as_list(value: object) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError(f"a list is expected, not {value!r:.60}")
    return value


def as_object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError(f"an object is expected, not {value!r:.60}")
    return value


def as_texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"a list of texts is expected, not {value!r:.60}")
    return [as_text(one) for one in value]


def as_objects(value: object) -> list[JsonObject]:
    return [as_object(one) for one in as_list(value)]


def held(value: Json, at: Iterable[str | int]) -> Json:
    """The value at a place in another. KeyError, IndexError or TypeError if there is no such place."""
    for part in at:
        match value, part:
            case dict(), str():
                value = value[part]
            case list(), int():
                value = value[part]
            case _:
                raise TypeError(f"{value!r:.60} has no place {part!r}")
    return value
