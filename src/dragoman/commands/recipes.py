"""A recipe from the command line: checked against the methods and suites that exist."""

from collections.abc import Sequence
from pathlib import Path

from dragoman.methods import available
from dragoman.recipe.load import load
from dragoman.recipe.schema import Recipe

DEMO = Path(__file__).parents[1] / "lab" / "demo.yaml"
SUITES = ("translation", "lab")


def recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in `path`. RecipeError with every fault at once."""
    options = {name: method.options for name, method in available().items()}
    return load(path, overrides, methods=options, suites=SUITES)
