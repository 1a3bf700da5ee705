"""`dragoman tune`: a short search of the learning rate, whose outcome is written into the recipe."""

from typing import Annotated

import typer

from dragoman.commands.options import Overrides, Recipe
from dragoman.terminal import say


def tune(
    recipe: Recipe,
    overrides: Overrides = None,
    method: Annotated[
        str | None, typer.Option(help="Row or method to train; the recipe's first when absent.", show_default=False)
    ] = None,
    pairs: Annotated[int, typer.Option(min=50, help="About so many training pairs for each rate.")] = 1000,
    write: Annotated[bool, typer.Option(help="Write the rate into the recipe.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what the search begins with and takes.")] = False,
) -> None:
    """Find the learning rate by short trainings on a part of the data, and write it into the recipe."""
    from dragoman.commands import recipes
    from dragoman.commands.init.model_settings import settings_for
    from dragoman.pipeline.rows import settings_of
    from dragoman.pipeline.tune import search
    from dragoman.pipeline.tune.write_rate import target_of
    from dragoman.progress import note
    from dragoman.report.analyses.tuning import show
    from dragoman.screen import console

    loaded, row = search.only(recipes.recipe(recipe, overrides or ()), method)
    usual = float(settings_for(loaded.backbone).learning_rate)
    if settings_of(loaded, row).lora is None:
        usual /= 10  # every weight moves
    if dry_run:
        search.foresee(loaded, row, pairs, usual)
        return
    target = target_of(recipe, loaded, row)
    obstacle = target.obstacle() if write else ""
    if obstacle:
        note(f"{recipe}: {obstacle}; the rate will be printed, not written")
    result, folder = search.search(loaded, row, pairs, usual, note)
    screen = console()
    show(result, screen)
    screen.print(f"{folder / 'tune.svg'}: the curve; tune.json and tune.md have the numbers", soft_wrap=True)
    rate = result["chosen"]
    if obstacle or not write:
        say(f"{'not written' if obstacle else 'found'}: {target.line(rate)}")
    elif target.write(rate):
        say(f"{recipe}: {target.line(rate)} is written")
    else:
        say(f"{recipe}: {target.line(rate)} was there already")
