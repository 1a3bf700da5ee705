"""Recipes on the command line: checking one against the known methods and suites, describing it, running it."""

import json
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dragoman import suites
from dragoman.corpora.language import base
from dragoman.errors import RecipeError, StoreError
from dragoman.pipeline.forecast.calibration import calibrated
from dragoman.pipeline.forecast.geometry import hardware
from dragoman.pipeline.forecast.show import print_plan
from dragoman.pipeline.forecast.trial import Speeds, Trial
from dragoman.pipeline.plan import open_store, plan, read
from dragoman.pipeline.process import in_own_process
from dragoman.pipeline.rows import rows
from dragoman.pipeline.run import run
from dragoman.pipeline.stages.stage import Kind
from dragoman.pipeline.storage.needs import stale
from dragoman.progress import note
from dragoman.recipe.schema import Recipe
from dragoman.report.tables import own_language
from dragoman.report.tables.own_language import Taught, TaughtRun
from dragoman.report.tables.paper import tables
from dragoman.report.tables.table_formats import Format, written
from dragoman.report.terminal import show
from dragoman.scoring.scorecard.read import read_scorecard
from dragoman.scoring.scorecard.schema import Scorecard
from dragoman.screen import console

DEMO = Path(__file__).parents[1] / "lab" / "demo.yaml"
ONE_MODEL = Path(__file__).with_name("one_model.yaml")
ABSENT = {
    "translation": "it judges no translation",
    "benchmarks": "none of the families that it judges names a language, as qa-de does",
    "abilities": "it judges no abilities but benchmarks of the table `benchmarks`, or none",
    "ablation": "it does not compare several rows of a method with rationales, such as radis",
    "skill": "it judges no skill other than translation",
    "sequence": "none of its rows comes after another",
    "cost": "what its methods cost was not kept",
    "languages": "none of its rows was taught one language alone and asked a benchmark in it",
}


def recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in `path`. RecipeError with every fault at once; DataError if its own question files are faulty."""
    loaded = read(path, overrides)
    suites.notes(loaded)  # reads the question files, so that their faults show now
    return loaded


def of_model(model: str, overrides: Sequence[str]) -> Recipe:
    """A recipe that trains nothing, of one model. RecipeError with every fault of the overrides."""
    return recipe(ONE_MODEL, [f"backbone={json.dumps(model)}", *overrides])


def tell(recipe: Recipe, gpu: str = "", *, again: bool = False) -> None:
    """Prints what is done and what the rest costs; on accelerators such as `a100-80gb:4`, or on those of the recipe,
    or else on this machine, which is tried out once, or `again`.
    """
    named = hardware(gpu) if gpu else None
    planned = plan(recipe, open_store(recipe, note))
    calibrate = partial(calibrated, run=_try, again=again, say=note)
    print_plan(planned, hardware=named, calibrate=calibrate, remarks=stale(planned))


def _try(trial: Trial) -> Speeds:
    return in_own_process(trial, "the calibration").result


def go(recipe: Recipe, *, upto: Kind | None = None, part: tuple[int, int] | None = None, trust: bool = False) -> Path:
    """Runs what is not done yet, or one part of its generation, and returns the folder with the results."""
    return run(recipe, upto=upto, part=part, trust=trust)


def part(text: str) -> tuple[int, int]:
    """Reads `2/8`. RecipeError if it is not a part of a whole."""
    number, _, parts = text.partition("/")
    if not re.fullmatch("[0-9]{1,9}/[0-9]{1,9}", text) or not 1 <= int(number) <= int(parts):
        raise RecipeError(f"--shard: '{text}' should look like 2/8: the second of eight parts")
    return int(number), int(parts)


def finish(recipe: Recipe, *, trust: bool = False) -> None:
    """Runs everything in a recipe that is not done yet, and prints the comparison."""
    folder = go(recipe, trust=trust)
    screen = console()
    show(_card(folder), screen)
    screen.print(
        f"{folder / 'report.html'}: the same with pictures, translations and rationales to read\n"
        f"{folder / 'tables'}: the tables and the figure in the paper's layout, as Markdown, LaTeX and JSON",
        soft_wrap=True,
        highlight=False,
    )


def again(recipe: Recipe) -> None:
    """Prints the comparison of a finished recipe. StoreError if it is not finished."""
    _require_done(recipe)
    finish(recipe)


def done(recipe: Recipe) -> Path:
    """The folder with the results of a finished recipe, and nothing printed. StoreError if it is not finished."""
    _require_done(recipe)
    return run(recipe, say=lambda _: None)


def table(recipe: Recipe, key: str | None, form: Format) -> str:
    """One table of a finished recipe, or all of them, in the paper's layout.

    StoreError if the recipe is not finished, RecipeError if it has no such table.
    """
    found = tables(_card(done(recipe)))
    if key is None:
        return written(found, form)
    if key not in found:
        raise RecipeError(f"{recipe.name} has no table '{key}': {ABSENT[key]}. It has: {', '.join(found)}.")
    return written({key: found[key]}, form)


def several(first: Path, words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The recipes that a command line names, and its overrides."""
    more = [word for word in words if "=" not in word and word.endswith((".yaml", ".yml"))]
    return [first, *map(Path, more)], [word for word in words if word not in more]


def own_languages(recipes: Sequence[Recipe], form: Format) -> str:
    """The table of each model in the language that it was taught, for one or several finished recipes.

    StoreError if one is not finished, RecipeError if none of their rows was taught one language and asked in it.
    """
    parts = [TaughtRun(one.name, _card(done(one)), _taught(one)) for one in recipes]
    found = own_language.table(parts)
    if found is None:
        names = ", ".join(one.name for one in recipes)
        raise RecipeError(f"{names}: there is no table '{own_language.KEY}': {ABSENT[own_language.KEY]}.")
    return written({own_language.KEY: [found]}, form)


def _taught(recipe: Recipe) -> dict[str, Taught]:
    """The rows that were taught one language, with all other options of their methods."""
    found = {}
    for row, (method, options) in rows(recipe).items():
        how = {name: value for name, value in options.items() if name not in ("label", "languages")}
        if len(options.get("languages") or ()) == 1:
            found[row] = Taught(base(options["languages"][0]), json.dumps([method, how], sort_keys=True))
    return found


def _card(folder: Path) -> Scorecard:
    return read_scorecard(folder / "scorecard.json")


def _require_done(recipe: Recipe) -> None:
    """StoreError unless everything but the report is finished; the report may be made again, as it needs no model."""
    steps = plan(recipe, open_store(recipe, note)).steps
    todo = [step.stage.title for step in steps if not step.artifact]
    if todo and todo != ["report"]:
        raise StoreError(
            f"{recipe.name} is not done: {len(todo)} of {len(steps)} stages are to do, {todo[0]} next. "
            "`dragoman run` does them."
        )
