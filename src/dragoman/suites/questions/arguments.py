"""Arguments of checks, compared with the parameters of the check's function before any model starts."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Literal, get_args, get_origin, get_type_hints

from dragoman.errors import DataError

CALLED = {
    str: "some text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    NoneType: "null",
}
"""What a value of each type is called in messages."""


def fitted(check: str, function: Callable[..., object], given: Mapping[str, object]) -> dict[str, object]:
    """A check's arguments as its function takes them: a text where a list of texts belongs becomes a list of one.

    Raises `DataError` if one is unknown or missing, or is of another type than the function's parameter.
    """
    known, needed = _parameters(function)
    if unknown := sorted(set(given) - set(known)):
        raise DataError(
            f"Check {check!r} takes no {', '.join(unknown)}. It takes: {', '.join(sorted(known)) or 'nothing'}."
        )
    if missing := sorted(set(needed) - set(given)):
        raise DataError(f"Check {check!r} needs {', '.join(missing)} as well.")
    found = {name: _value(f"Check {check!r}: {name}", known[name], value) for name, value in given.items()}
    if empty := [name for name in sorted(needed) if found[name] == []]:
        raise DataError(f"Check {check!r}: {empty[0]} is empty, so no answer could be right.")
    return found


def suggestion(name: str, known: Sequence[str]) -> str:
    """`Did you mean …?` with a blank after it, if one of the known names is like this one; otherwise nothing."""
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}? " if near else ""


@cache
def _parameters(function: Callable[..., object]) -> tuple[dict[str, object], tuple[str, ...]]:
    """The types of a check's arguments by name, and the names of those that must be given."""
    parameters = list(inspect.signature(function).parameters.values())[1:]  # the first is the answer
    hints: dict[str, object] = get_type_hints(function)
    needed = tuple(parameter.name for parameter in parameters if parameter.default is parameter.empty)
    return {parameter.name: hints[parameter.name] for parameter in parameters}, needed


def _value(what: str, kind: object, value: object) -> object:
    """An argument's value; DataError if it is of another kind."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise DataError(f"{what} must be {' or '.join(get_args(kind))}, not {value!r:.60}.")
        return value
    if get_origin(kind) is Sequence:
        return _items(what, get_args(kind)[0], value)
    if get_origin(kind) is UnionType:
        if not isinstance(value, (*get_args(kind), int)):
            raise DataError(f"{what} must be {' or '.join(CALLED[one] for one in get_args(kind))}, not {value!r:.60}.")
        return value
    if kind is float:
        return _number(what, value)
    if isinstance(kind, type) and not _is(kind, value):
        raise DataError(f"{what} must be {CALLED[kind]}, not {value!r:.60}.")
    return value


def _items(what: str, kind: object, value: object) -> list[object]:
    """The items of a list. A text, or a whole number, where a list of texts belongs is one item of it."""
    if kind is not str:
        if not isinstance(value, list | tuple):
            raise DataError(f"{what} must be a list, not {value!r:.60}.")
        return list(value)
    return [_text(what, item) for item in (value if isinstance(value, list | tuple) else [value])]


def _text(what: str, value: object) -> str:
    if _is(int, value):
        return str(value)
    if not isinstance(value, str):
        raise DataError(f"{what} must be a list of texts, in quotes; {value!r:.60} is none.")
    return value


def _number(what: str, value: object) -> float:
    """A number, which may be written as text."""
    try:
        number = value if isinstance(value, int | float) else float(str(value))
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise DataError(f"{what} must be a number, not {value!r:.60}.")
    return number


def _is(kind: type, value: object) -> bool:
    """Whether a value is of a kind; true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
