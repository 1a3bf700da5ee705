"""`dragoman scale`: a trained row at several strengths, and the highest that keeps enough."""

from typing import Annotated

import typer

from dragoman.commands.options import Overrides, Recipe, Trust
from dragoman.terminal import say


def scale(
    recipe: Recipe,
    row: Annotated[str, typer.Argument(help="The row, trained first if it is not yet.", show_default=False)],
    overrides: Overrides = None,
    strengths: Annotated[
        str, typer.Option(help="Times what was trained: 0 is the backbone, 1 the row as it is.")
    ] = "0.25,0.5,0.75,1,1.2",
    by_layer: Annotated[
        bool, typer.Option("--by-layer", help="Strengths are those of the first layer, rising to 1 at the last.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is done and what the rest takes.")] = False,
    trust: Trust = False,
) -> None:
    """Judge a row at several strengths, and pick the highest that keeps enough (pick.keep=0.98)."""
    from dragoman.commands import recipes
    from dragoman.pipeline.scale import frontier
    from dragoman.report.analyses.frontier import show
    from dragoman.screen import console

    loaded, wanted = recipes.recipe(recipe, overrides or ()), frontier.read_strengths(strengths, by_layer=by_layer)
    if dry_run:
        recipes.tell(frontier.at_strengths(loaded, row, wanted, by_layer=by_layer))
        return
    result, folder = frontier.frontier(loaded, row, wanted, by_layer=by_layer, trust=trust)
    screen = console()
    show(result, screen)
    screen.print(
        f"{folder / 'frontier.md'}: the same; frontier.svg is a picture, and report.html has all the rest",
        soft_wrap=True,
    )
    if result["picked"] is not None:
        for place in frontier.models(loaded, row):
            say(f"{place}: the model at strength {result['picked']:g}, to use as it is")
        said = f"{{first_layer: {result['picked']:g}}}" if by_layer else f"{result['picked']:g}"
        say(f"in a recipe: scale: {said} among the options of {row}")
