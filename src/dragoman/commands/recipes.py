"""A recipe from the command line: checked against the methods and suites that exist, told, and done."""

from collections.abc import Sequence
from pathlib import Path

from dragoman.methods import available
from dragoman.pipeline.plan import Kind, plan
from dragoman.pipeline.run import run
from dragoman.pipeline.show import print_plan
from dragoman.pipeline.sources import SUITES
from dragoman.recipe.load import load
from dragoman.recipe.schema import Recipe

DEMO = Path(__file__).parents[1] / "lab" / "demo.yaml"


def recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in `path`. RecipeError with every fault at once."""
    options = {name: method.options for name, method in available().items()}
    return load(path, overrides, methods=options, suites=SUITES)


def tell(recipe: Recipe) -> None:
    """Prints what is done and what the rest takes."""
    print_plan(plan(recipe))


def go(recipe: Recipe, *, upto: Kind | None = None) -> Path:
    """Does what is not done yet, and returns the folder with the results."""
    return run(recipe, upto=upto)


def finish(recipe: Recipe) -> Path:
    """Does all of a recipe, and returns the folder with the results."""
    return go(recipe)
