"""The `store` commands: what takes room, removing what no run needs, verifying what is kept."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.commands.options import Overrides
from dragoman.terminal import say

if TYPE_CHECKING:
    from dragoman.pipeline.storage.usage import Opened

app = typer.Typer(help="What is kept of finished work: list, prune, verify.", rich_markup_mode=None)

RUNS = Path("runs")
Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        help="A folder of runs (or a recipe, whose runs are meant); several, where they share one store. By default "
        "`runs`.",
        metavar="[FOLDER]...",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def store(context: typer.Context) -> None:
    """What is kept of finished work. Alone, lists what takes room in `runs`."""
    if context.invoked_subcommand is None:
        list_(None)


@app.command("list")
def list_(folders: Folders = None) -> None:
    """List what takes room: by run and kind of stage, completions, work in progress, what is damaged."""
    from dragoman.pipeline.storage import prune as pruning
    from dragoman.pipeline.storage.show import show_usage

    opened = _open(folders or [RUNS])
    found = opened.look()
    show_usage(found, pruning.prunable(opened.store, found, pruning.Wanted()))


@app.command("prune")
def prune(
    folders: Folders = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; otherwise a terminal asks, and nothing goes.")] = False,
    completions: Annotated[
        bool, typer.Option("--completions", help="Also all cached completions, which cost the most to make again.")
    ] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Also what interrupted runs would go on from.")] = False,
) -> None:
    """Remove what no run needs. Says first what would go, and how much room that frees."""
    from dragoman.disk import in_bytes
    from dragoman.pipeline.storage import prune as pruning
    from dragoman.pipeline.storage.show import show_pruning

    opened = _open(folders or [RUNS])
    opened.require_runs()
    wanted = pruning.Wanted(completions, partial)
    going = pruning.prunable(opened.store, opened.look(), wanted)
    show_pruning(going)
    if not going.every:
        say(f"{opened.store.folder}: there is nothing to remove")
        return
    say(f"{_folders(len(going.every))}, {in_bytes(going.size)} in {opened.store.folder}")
    if opened.store.folder.is_symlink():
        say(
            f"{opened.store.folder} leads to {opened.store.folder.resolve()}. What runs in other folders need of it "
            "goes as well: name those too, as in `dragoman store prune runs ../other/runs`."
        )
    if not yes and not (sys.stdin.isatty() and typer.confirm("Remove them?")):
        say("Nothing was removed; --yes does it.")
        return
    went = pruning.prune(opened.store, opened.look, wanted)
    say(f"removed {_folders(len(went.every))}, {in_bytes(went.size)}")


@app.command("verify")
def verify(
    where: Annotated[
        Path, typer.Argument(help="A recipe, or a folder of runs.", metavar="[RECIPE|FOLDER]", show_default=True)
    ] = RUNS,
    overrides: Overrides = None,
) -> None:
    """Read all that is kept, and tell what is damaged: it is set aside, and the next run makes it again."""
    from dragoman.commands import recipes
    from dragoman.pipeline.storage import verify as verifying

    cache = None
    if where.suffix in (".yaml", ".yml"):
        recipe = recipes.recipe(where, overrides or ())
        where, cache = Path(recipe.runs), recipe.generation.cache
    folder = verifying.store_at(where)
    found = verifying.verify(folder, cache, say)
    say(
        f"{folder}: read {found.artifacts:,} artifacts with {found.files:,} files, {found.groups:,} groups of "
        f"completions, and {found.others:,} files from elsewhere: {found.damaged or 'nothing'} damaged"
    )
    if found.damaged:
        raise typer.Exit(1)


def _open(places: Sequence[Path]) -> "Opened":
    from dragoman.commands import recipes
    from dragoman.pipeline.storage.usage import opened

    folders = [Path(recipes.recipe(place).runs) if place.suffix in (".yaml", ".yml") else place for place in places]
    return opened(folders, recipes.recipe, say)


def _folders(count: int) -> str:
    return "1 folder" if count == 1 else f"{count:,} folders"
