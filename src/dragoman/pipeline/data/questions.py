"""Questions of a recipe's suites, gathered: each draw's questions, other suites' material, and the files they need.

If a suite's questions can be drawn anew, other draws give the backbone's noise floor; fixed sets are asked once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from dragoman import suites
from dragoman.corpora import catalog
from dragoman.corpora.records import Question
from dragoman.errors import from_here, refuse
from dragoman.recipe.schema import Recipe
from dragoman.store import Digests
from dragoman.suites import Material, MaterialSuite, OutsideSuite, QuestionSuite


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of questions, the one that counts first, and what each suite had to repair or leave out."""

    draws: list[list[Question]]
    notes: dict[str, dict[str, int]] = field(default_factory=dict)


class StoredMaterial(TypedDict):
    """What a suite asks besides questions with a rule, as stored between the stages under the suite's name."""

    kind: str
    options: dict[str, object]
    """The recipe's options that may change an answer or a score."""
    material: Material


def asked(recipe: Recipe) -> Draws:
    """The questions that every model is asked, and the other draws for the backbone's noise floor.

    The other draws have only abilities that can be drawn anew: skills need not be kept, so they have no noise floor.
    """
    settings = recipe.evaluation
    notes: dict[str, dict[str, int]] = {}
    draws: list[list[Question]] = []
    for number in range(1 + settings.noise_seeds):
        drawn: list[Question] = []
        origins: dict[str, str] = {}
        for suite in suites.of(recipe):
            if not isinstance(suite, QuestionSuite) or (number and suite.fixed):
                continue
            questions, told = suite.questions(number, settings)
            for one in questions:  # families of one name in two files of questions are one family
                if origins.setdefault(one.key, suite.name) != suite.name:
                    told[f"left out: {origins[one.key]} asks the same"] += 1
            questions = [one for one in questions if origins[one.key] == suite.name]
            drawn += [one for one in questions if not (number and suites.is_skill(one.family, settings.skills))]
            kept = {what: many for what, many in told.items() if many}
            if kept and not number:
                notes[suite.name] = kept
        draws.append(drawn)
    return Draws(draws, notes)


def materials(recipe: Recipe) -> dict[str, StoredMaterial]:
    """What suites ask besides questions with a rule, by the suites' names."""
    return {
        suite.name: {
            "kind": suite.kind,
            "options": suite.options.model_dump(mode="json", exclude={"path", "judge"}),
            "material": suite.material(recipe.evaluation),
        }
        for suite in suites.of(recipe)
        if isinstance(suite, MaterialSuite)
    }


def prompts(recipe: Recipe, found: Mapping[str, StoredMaterial]) -> dict[str, Sequence[str]]:
    """What is asked besides questions with a rule, by the suites' names; `found` is the result of `materials`."""
    texts: dict[str, Sequence[str]] = {suite: one["material"]["texts"] for suite, one in found.items()}
    for kind, some in outside(recipe).items():
        texts |= kind.texts(some, recipe.evaluation)
    return texts


def outside(recipe: Recipe) -> dict[type[OutsideSuite], list[OutsideSuite]]:
    """The suites that other programs run, by the class that runs them together."""
    found: dict[type[OutsideSuite], list[OutsideSuite]] = {}
    for suite in suites.of(recipe):
        if isinstance(suite, OutsideSuite):
            found.setdefault(type(suite), []).append(suite)
    return found


def inputs(recipe: Recipe, digests: Digests) -> dict[str, object]:
    """Everything that determines what is asked, by contents; files of the catalogue are fetched if necessary.

    Raises DataError if a file is missing.
    """
    found = {f"benchmark {suite.name}": suite.inputs(recipe, digests) for suite in suites.of(recipe)}
    return {name: told for name, told in found.items() if told is not None}


def wanted(recipe: Recipe) -> list[tuple[catalog.Entry, tuple[str, ...]]]:
    """The files of the catalogue that the suites need."""
    return [files for suite in suites.of(recipe) for files in suite.wanted()]


def require_files(recipe: Recipe) -> None:
    """Raises DataError if files that suites or replay name do not exist, before anything is fetched."""
    named = [place for suite in suites.of(recipe) for place in suite.places().items()]
    named += [
        ("data.replay", one.file) for one in (recipe.data.replay.prompts if recipe.data.replay else ()) if one.file
    ]
    refuse([f"{where}: there is no {path}{from_here(path)}" for where, path in named if not Path(path).exists()])


def spelled_out(recipe: Recipe) -> Recipe:
    """The recipe with every benchmark that it asks written out under `benchmarks`, wording and extraction included."""
    found = {suite.name: suite.spelled_out() for suite in suites.of(recipe)}
    said = {name: options for name, options in found.items() if options}
    return recipe.model_copy(update={"benchmarks": {**recipe.benchmarks, **said}})
