"""Faults as sentences: turns pydantic's errors into what is wrong, what was meant, and what the field is for."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dragoman.json_values import Json, held
from dragoman.recipe.source import Fault, Keys, Source, spelled

LONGEST = 200  # characters shown of what was said


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?` if something known is close; otherwise the known words."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names)}"


def faults(error: ValidationError, model: type[BaseModel], source: Source, prefix: Keys = ()) -> list[Fault]:
    """Everything that pydantic found wrong with the values at `prefix`, each with its place."""
    found: dict[Keys, Fault] = {}
    value = held(source.value, prefix)
    for details in error.errors(include_url=False):
        path = _existing(value, details)
        text = _sentence(details, model, path, beside={"extends", "sweep"} if prefix + path == path[:1] else set())
        if path not in found:  # a union reports once for each of its members: the first one will do
            whole = (*prefix, *path)
            found[path] = Fault(source.place(whole), spelled(whole), text)
    return list(found.values())


def _existing(value: Json, details: ErrorDetails) -> Keys:
    """The part of pydantic's location that was really written: it also contains the names of union members."""
    location, found = details["loc"], []
    for part in location:
        try:
            value = held(value, (part,))
        except (TypeError, LookupError):
            continue
        found.append(part)
    absent = details["type"] == "missing" and location[-1:]
    return (*found, *(absent or ()))


def _sentence(details: ErrorDetails, model: type[BaseModel], path: Keys, beside: set[str]) -> str:
    """What is wrong, in words; `beside` are keys that are valid there without being fields."""
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    help_text = _help(model, path)
    if kind == "extra_forbidden":
        known = set(_model_at(model, path[:-1]).model_fields)
        return f"no such key; {suggestion(str(path[-1]), known | beside)}"
    if kind == "missing":
        return f"is missing{help_text or '; add it'}"
    if kind == "literal_error":
        return f"{quoted(given)} is not one of {context['expected']}{help_text}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "too_short":
        return f"is empty; give at least {context['min_length']}{help_text}"
    wanted = _WANTED.get(kind, "")
    if wanted:
        return f"should be {wanted.format(**context)}, not {quoted(given)}{help_text}"
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}, not {quoted(given)}{help_text}"


_WANTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "tuple_type": "a list such as [a, b]",
    "list_type": "a list such as [a, b]",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
}


def quoted(value: object) -> str:
    """A value as messages show it."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    shown = repr(value)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"


def _help(model: type[BaseModel], path: Keys) -> str:
    names = [index for index, part in enumerate(path) if isinstance(part, str)]
    if not names:
        return ""
    field = _model_at(model, path[: names[-1]]).model_fields.get(str(path[names[-1]]))
    return f". {field.description}" if field and field.description else ""


def _model_at(model: type[BaseModel], path: Keys) -> type[BaseModel]:
    """The model that describes the mapping at `path`."""
    for part in path:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field:
            model = next(_models(field.annotation), model)
    return model


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
