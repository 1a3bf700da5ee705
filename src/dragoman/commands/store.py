"""The `store` commands: verifying what is kept."""

from pathlib import Path
from typing import Annotated

import typer

from dragoman.commands.options import Overrides
from dragoman.terminal import say

app = typer.Typer(help="What is kept of finished work: verify.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def store() -> None:
    """What is kept of finished work."""


@app.command("verify")
def verify(
    where: Annotated[
        Path, typer.Argument(help="A recipe, or a folder of runs.", metavar="[RECIPE|FOLDER]", show_default=True)
    ] = Path("runs"),
    overrides: Overrides = None,
) -> None:
    """Read all that is kept, and tell what is damaged: it is set aside, and the next run makes it again."""
    from dragoman.commands import recipes
    from dragoman.pipeline import verify_store

    cache = None
    if where.suffix in (".yaml", ".yml"):
        recipe = recipes.recipe(where, overrides or ())
        where, cache = Path(recipe.runs), recipe.generation.cache
    folder = verify_store.store_at(where)
    found = verify_store.verify(folder, cache, say)
    say(
        f"{folder}: read {found.artifacts:,} artifacts with {found.files:,} files, {found.groups:,} groups of "
        f"completions, and {found.others:,} files from elsewhere: {found.damaged or 'nothing'} damaged"
    )
    if found.damaged:
        raise typer.Exit(1)
