"""Checking a recipe's suites: their names, and the fields of each kind under `benchmarks`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from pydantic import ValidationError

from dragoman.json_values import Json, JsonObject
from dragoman.recipe.faults import faults, quoted, suggestion
from dragoman.recipe.judging import Benchmark
from dragoman.recipe.schema import Recipe
from dragoman.recipe.source import Fault, Source, spelled


class Suites(Protocol):
    """What recipes are checked against: `dragoman.suites`."""

    def kinds(self) -> Mapping[str, type[Benchmark]]:
        """The options that are possible under `benchmarks`, by kind."""

    def reserved(self, name: str) -> bool:
        """Whether a suite already has this name."""

    def fault(self, name: str, own: Collection[str]) -> str | None:
        """What is wrong with a name in `evaluate`; `own` are those that the recipe itself describes."""

    def lacking(self, recipe: Recipe) -> Sequence[str]:
        """What the recipe lacks for its suites."""


def check_suites(source: Source, suites: Suites) -> tuple[dict[str, Benchmark | Json], list[Fault]]:
    """Faults in suites' names and options. Each benchmark is replaced by the options of its kind, in place."""
    named, described = source.value.get("evaluate"), source.value.get("benchmarks")
    own = described if isinstance(described, dict) else {}
    found: list[Fault] = []
    made: dict[str, Benchmark | Json] = {
        str(name): _options(str(name), given, source, suites, found) if isinstance(given, dict) else given
        for name, given in own.items()
    }
    for index, name in enumerate(named if isinstance(named, list) else ()):
        if isinstance(name, str) and (text := suites.fault(name, made)):
            found.append(Fault(source.place(("evaluate", index)), spelled(("evaluate", index)), text))
    return made, found


def check_needs(source: Source, recipe: Recipe, suites: Suites) -> list[Fault]:
    """What an otherwise valid recipe lacks for its suites."""
    return [Fault(source.place(()), "", text) for text in suites.lacking(recipe)] if not source.faults else []


def _options(name: str, given: JsonObject, source: Source, suites: Suites, found: list[Fault]) -> Benchmark:
    """A benchmark's options, with defaults for what the recipe leaves out; faults are added to `found`."""
    kinds, path = suites.kinds(), ("benchmarks", name)
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        about = (*path, "kind") if "kind" in given else path
        text = (
            f"{quoted(kind)} is no kind of benchmark; " if "kind" in given else "has no kind, which says what it is; "
        )
        found.append(Fault(source.place(about), spelled(about), text + suggestion(str(kind or ""), kinds)))
        return Benchmark(kind="")
    if suites.reserved(name) and kind != name:
        found.append(
            Fault(source.place(path), spelled(path), f"'{name}' is a suite already; give the benchmark another name")
        )
    takes, kept = kinds[kind], dict(given)
    for key in given:
        others = [other for other, fields in kinds.items() if key in fields.model_fields]
        if key in takes.model_fields or not others:
            continue
        if given[key] is not None:  # recipes that were written out in full have empty ones of all kinds
            text = f"is a field of {', '.join(others)}; {kind} has none"
            found.append(Fault(source.place((*path, key)), spelled((*path, key)), text))
        del kept[key]
    try:
        return takes.model_validate(kept)
    except ValidationError as error:
        found += faults(error, takes, source, path)
        return Benchmark(kind=kind)
