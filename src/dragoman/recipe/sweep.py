"""Sweeps: a row of the table becomes several, one for each value of an option.

    sweep: {method.crossalpaca.amount: [0, 0.25, 0.5, 0.75, 1.0]}
    sweep: {training.learning_rate: [1e-5, 1e-4], limit: [500, 2000]}

A key is `method.`, a row's name or its method's, and the option. An option that every method has may stand alone, and
then every row is swept. Several keys are combined, each value with each; a list of sweeps is applied one after the
other. The original row stays, and a copy that equals it is not added.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from itertools import product
from math import prod

from pydantic import BaseModel, ValidationError

from dragoman.json_values import Json, JsonObject
from dragoman.recipe.source import Fault, Keys, Source, spelled
from dragoman.recipe.training import Training

_EXAMPLE = "as in `method.crossalpaca.amount: [0, 0.5, 1]`"
_AMOUNT = "; how much a row learns from is its `limit`, as in `limit: [500, 2000]`"
MOST = 1000  # rows that a sweep makes of one
Axis = tuple[tuple[str, ...], list[Json]]  # the path of an option, and its values


def expand(source: Source, methods: Mapping[str, type[BaseModel]]) -> None:
    """Takes `sweep` out of a recipe and adds its rows to `methods`, in place; faults are noted in `source`."""
    sweep, entries = source.value.pop("sweep", None), source.value.get("methods")
    if sweep is None or not isinstance(entries, list):
        return  # the schema says what is wrong with methods
    rows = list(entries)
    for index, grid in enumerate(sweep if isinstance(sweep, list) else [sweep]):
        path: Keys = ("sweep", index) if isinstance(sweep, list) else ("sweep",)
        if not isinstance(grid, dict) or not grid:
            _fault(source, path, f"should name options and their values, {_EXAMPLE}")
            continue
        shared = set.intersection(*(set(schema.model_fields) for schema in methods.values())) - {"label"}
        for row, axes in _axes(source, rows, grid, path, shared).items():
            if (count := prod(len(values) for _, values in axes)) > MOST:
                _fault(source, path, f"would make {count:,} rows of one; at most {MOST:,} can be compared")
                continue
            for made in _rows(rows[row], axes, methods, source.value.get("training")):
                if made not in entries:
                    source.places[("methods", len(entries))] = source.place((*path, next(iter(grid))))
                    entries.append(made)


def _axes(
    source: Source, rows: Sequence[Json], grid: Mapping[str, Json], path: Keys, shared: Collection[str]
) -> dict[int, list[Axis]]:
    """Which options of which rows are swept; `shared` are those that every method has."""
    found: dict[int, list[Axis]] = {}
    for key, values in grid.items():
        about = (*path, key)
        first, *rest = key.split(".")
        if first not in shared and (first != "method" or len(rest) < 2):
            also = ", or of every row: " + ", ".join(f"`{name}`" for name in sorted(shared, reverse=True))
            more = _AMOUNT if key in ("data.train.limit", "data.limit") else also
            _fault(source, about, f"a sweep goes over an option of a method, {_EXAMPLE}{more}")
            continue
        if not isinstance(values, list) or not values:
            _fault(source, about, f"should be a list of values, {_EXAMPLE}")
            continue
        option, wanted = _meant(rows, rest) if first == "method" else (tuple(key.split(".")), list(range(len(rows))))
        if not wanted:
            names = ", ".join(dict.fromkeys(_label(row) for row in rows))
            _fault(source, about, f"no row or method '{rest[0]}' to sweep; there are {names}")
        for at in wanted:
            found.setdefault(at, []).append((option, values))
    return found


def _meant(rows: Sequence[Json], words: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
    """The option and the rows that a key means. A row's name may contain dots, so the longest match counts."""
    for end in range(len(words) - 1, 0, -1):
        name = ".".join(words[:end])
        wanted = [at for at, row in enumerate(rows) if name in (_parted(row)[0], _label(row))]
        if wanted:
            return tuple(words[end:]), wanted
    return (), []


def _rows(row: Json, axes: Sequence[Axis], methods: Mapping[str, type[BaseModel]], training: Json) -> list[JsonObject]:
    """What becomes of a row with each choice of values, but for the choice that changes nothing.

    `training` are the recipe's own settings.
    """
    method, given = _parted(row)
    rows: list[JsonObject] = []
    for chosen in product(*(values for _, values in axes)):
        options = deepcopy(given)
        for (path, _), value in zip(axes, chosen, strict=True):
            _set(options, path, value)
        if _same(options, given, methods.get(method), training):
            continue
        parts = (named(path, value) for (path, _), value in zip(axes, chosen, strict=True))
        options["label"] = "-".join([_label(row), *parts])
        rows.append({method: options})
    return rows


def _same(options: JsonObject, given: JsonObject, schema: type[BaseModel] | None, training: Json) -> bool:
    """Whether two choices of options are equal once defaults are filled in, and the recipe's settings of training."""
    if options == given or schema is None:
        return options == given
    try:
        whole = Training.model_validate(training or {})
        one, other = (schema.model_validate(some).model_dump() for some in (options, given))
        for said in (one, other):
            said["training"] = whole.changed(said.get("training"))
        return one == other
    except ValidationError:  # the fault is reported when the rows are checked
        return False


def _parted(row: Json) -> tuple[str, JsonObject]:
    """The method of a row and its options, as they were written."""
    if not isinstance(row, dict) or len(row) != 1:
        return str(row), {}
    ((method, options),) = row.items()
    return method, options if isinstance(options, dict) else {}


def _label(row: Json) -> str:
    method, options = _parted(row)
    return str(options.get("label") or method)


def _set(options: JsonObject, path: Sequence[str], value: Json) -> None:
    for part in path[:-1]:
        below = options.get(part)
        options[part] = options = below if isinstance(below, dict) else {}
    options[path[-1]] = value


def named(path: Sequence[str], value: Json) -> str:
    """A value as part of a row's name; what every method has with what it is, as in `rank=64`."""
    return f"{path[-1]}={_word(value)}" if path[0] in ("training", "limit", "scale", "after", "learn") else _word(value)


def _word(value: Json) -> str:
    if isinstance(value, list):
        return "_".join(map(_word, value))
    if isinstance(value, dict):
        return "_".join(f"{name}_{_word(said)}" for name, said in value.items())
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, float) and 0 < abs(value) < 0.01:  # 3e-4 and 1e-5, as people write them
        digits, _, power = f"{value:.15e}".partition("e")
        text = f"{float(digits):g}e{int(power)}"
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_")


def _fault(source: Source, path: Keys, text: str) -> None:
    source.faults.append(Fault(source.place(path), spelled(path), text))
