"""Suites by name: what models are judged by. A suite is one file here, or a folder with a `suite.py`.

That module has `SUITES`, its suite classes (`_suite.py` says what a class must define); nothing else has to know
them. Names that begin with `_` are helpers. `docs/evaluation.md` shows how to add one.
"""

import importlib
import pkgutil
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache

from dragoman.errors import RecipeError
from dragoman.recipe.judging import Benchmark, Judge
from dragoman.recipe.schema import Recipe
from dragoman.suites._graded import Graded, GradedJson, Item, Side
from dragoman.suites._saved import Mean, OfGraded, Saved, SavedTask, Share
from dragoman.suites._suite import (
    Asking,
    Count,
    JudgedOptions,
    JudgedSuite,
    Material,
    MaterialSuite,
    ModelFiles,
    Notes,
    OutsideSuite,
    Part,
    QuestionSuite,
    Shown,
    Speaker,
    Suite,
)

__all__ = [
    "Asking",
    "Count",
    "Graded",
    "GradedJson",
    "Item",
    "JudgedOptions",
    "JudgedSuite",
    "Material",
    "MaterialSuite",
    "Mean",
    "ModelFiles",
    "Notes",
    "OfGraded",
    "OutsideSuite",
    "Part",
    "QuestionSuite",
    "Saved",
    "SavedTask",
    "Share",
    "Shown",
    "Side",
    "Speaker",
    "Suite",
    "available",
    "fault",
    "find",
    "is_skill",
    "judges",
    "kinds",
    "lacking",
    "near",
    "near_to",
    "notes",
    "of",
    "parts",
    "reserved",
    "saved_tasks",
    "shown",
]


@cache
def available() -> Mapping[str, type[Suite]]:
    """All suites in this folder by kind, in the order of their files' names."""
    found = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if not module.name.startswith("_"):
            place = f"{__name__}.{module.name}{'.suite' if module.ispkg else ''}"
            suites: tuple[type[Suite], ...] = importlib.import_module(place).SUITES
            found.update({suite.kind: suite for suite in suites})
    return found


def find(name: str) -> Suite | None:
    """The suite that a name in `evaluate` stands for; None if there is none. An exact name takes precedence."""
    first = [available()[name]] if name in available() else []
    for suite in (*first, *available().values()):
        if (options := suite.match(name)) is not None:
            return suite(name, options)
    return None


def of(recipe: Recipe) -> tuple[Suite, ...]:
    """The suites that a recipe asks; its own definitions (`benchmarks`) take precedence."""
    return tuple(_named(recipe, name) for name in recipe.evaluate)


def _named(recipe: Recipe, name: str) -> Suite:
    if said := recipe.benchmarks.get(name):
        return available()[said.kind](name, said)
    found = find(name)
    if found is None:
        raise RecipeError(f"evaluate: {fault(name, recipe.benchmarks)}")
    return found


# What recipes are checked against


def kinds() -> dict[str, type[Benchmark]]:
    """The options that are possible under `benchmarks`, by kind."""
    return {kind: suite.takes for kind, suite in available().items() if suite.takes is not None}


def reserved(name: str) -> bool:
    """Whether a name is a suite's own, so that a benchmark of another kind can't have it."""
    return name in available() and available()[name].match(name) is not None


def fault(name: str, own: Collection[str]) -> str | None:
    """What is wrong with a suite's name, or None; `own` are the benchmarks that the recipe itself describes."""
    if name in own or find(name):
        return None
    suites = available().values()
    told = f"no suite '{name}'; "
    like = {*own, *(one for suite in suites for one in suite.like())}
    near = get_close_matches(name, sorted(like), n=1, cutoff=0.6)
    if hint := next((hint for suite in suites if (hint := suite.hint(name))), None):
        told += f"{hint}; a file of one's own goes under `benchmarks`"
    elif near:
        told += f"did you mean '{near[0]}'?"
    else:
        listed = ", ".join(sorted({*own, *(one for suite in suites for one in suite.names())}))
        others = ", ".join(one for suite in suites for one in suite.examples())
        told += f"there are: {listed}, and others, as in {others}"
    return f"{told} (a file of questions ends in .jsonl)"


def lacking(recipe: Recipe) -> list[str]:
    """What the recipe lacks for its suites, in words."""
    return list(dict.fromkeys(told for suite in of(recipe) if (told := suite.fault(recipe))))


def near(recipe: Recipe) -> frozenset[str]:
    """Kinds of general prompts that ask for what the recipe's suites ask."""
    return frozenset(kind for suite in of(recipe) for kind in (suite.name, suite.kind, *suite.near()))


def near_to(recipe: Recipe, kinds: Collection[str], scores: Collection[str]) -> list[str]:
    """Which of these scores of the recipe's suites are near to general prompts of these kinds, in their order."""
    found = set(kinds)
    for suite in of(recipe):
        known = {suite.kind: (suite.name, *suite.shown()), **suite.near()}
        found.update(name for kind in kinds for name in known.get(kind, ()))
    return [name for name in scores if name in found]


def notes(recipe: Recipe) -> dict[str, Notes]:
    """For each suite by its name, counts of what of the user's own question files will be left out.

    DataError, with file and line, if such a file is faulty.
    """
    return {suite.name: suite.notes(recipe.evaluation) for suite in of(recipe)}


# Who judges


def judges(recipe: Recipe) -> dict[str, Judge]:
    """All judges by name: `judge` and `guard` of `evaluation` if a suite needs them, and each
    `benchmarks.SUITE.judge`.
    """
    asked = {suite.who[1]: suite.asked_of(recipe.evaluation) for suite in of(recipe) if suite.who}
    return {name: judge for name, judge in asked.items() if judge}


def parts(recipe: Recipe) -> dict[str, Part]:
    """The part that each judge plays (`judge` or `guard`), by the names of `judges`."""
    return {suite.who[1]: suite.who[0] for suite in of(recipe) if suite.who}


# What scores are called, and what they are about


@cache
def saved_tasks() -> Mapping[str, SavedTask]:
    """The benchmarks whose saved outputs can be scored, by name."""
    return {task.name: task for suite in available().values() for task in suite.saved}


@cache
def shown() -> Mapping[str, Shown]:
    """How the scores of all suites are shown, by their names."""
    return {name: how for suite in available().values() for name, how in suite.shown().items()}


def is_skill(family: str, patterns: Iterable[str] = ()) -> bool:
    """Whether a family of questions is to be learnt rather than kept: always, or by a recipe's pattern (`*-de`)."""
    suite = available().get(family)
    always = suite is not None and issubclass(suite, QuestionSuite) and suite.side == "skill"
    return always or any(fnmatchcase(family, pattern) for pattern in patterns)
