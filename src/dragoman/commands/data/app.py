"""The `data` commands: corpora of the catalogue, and the user's own files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dragoman.commands.data.demonstrations import demonstrations
from dragoman.commands.data.translate import translate
from dragoman.commands.files import parallel_text
from dragoman.commands.options import COLOURS, Languages, Overrides, Source, Table, Target
from dragoman.terminal import say

app = typer.Typer(
    help="Corpora: list, get, inspect, check questions, make demonstrations, translate.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_corpora() -> None:
    """List the corpora that a recipe can name."""
    from dragoman.commands.data import corpora

    for name, text in corpora.entries():
        say(name, bold=True)
        say(f"  {text}")


@app.command("get")
def get(name: Annotated[str, typer.Argument(help="A corpus of the catalogue.", show_default=False)]) -> None:
    """Fetch a corpus, verify it where its checksum is known, and tell where its files are."""
    from dragoman.commands.data import corpora

    for path in corpora.get(name):
        say(path)
    for file in corpora.unchecked(name):
        say(f"{file} could not be checked: the catalogue has no checksum of it.", err=True)


@app.command("inspect")
def inspect(
    recipe: Annotated[
        Path | None, typer.Argument(help="A recipe: show what was generated for it.", show_default=False)
    ] = None,
    overrides: Overrides = None,
    source: Source = None,
    target: Target = None,
    table: Table = None,
    direction: Languages = "",
    count: Annotated[int, typer.Option(min=1, help="Completions to show of each kind.")] = 3,
) -> None:
    """Look at completions of a recipe, or count what looks odd in your own parallel files."""
    if recipe is not None:
        _completions(recipe, overrides or (), count)
        return
    from dragoman.commands.data import corpora

    found = corpora.inspect(parallel_text(source, target, table, direction))
    say(f"{found.pairs} pairs")
    for reason, count in found.dropped.items():
        say(f"{count} left out: {reason}")
    for side, (median, most, longest) in zip(("source", "target"), found.lengths, strict=True):
        say(f"{side}: half have at most {median} characters, 99 % at most {most}, the longest {longest}")
    say(f"{found.copies} have the same text on both sides, {found.lopsided} a side over 3 times as long as the other")
    for pair in found.samples:
        say(f"\n{pair.source}\n→ {pair.target}")


@app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(help="Question files (.jsonl).", show_default=False)],
) -> None:
    """Check question files: for each family how many, how many distinct, which checks, and whether answers pass."""
    from dragoman.commands.data.check import checked

    sound = [checked(path) for path in files]
    if not all(sound):
        raise typer.Exit(1)


app.command("demonstrations")(demonstrations)
app.command("translate")(translate)


def _completions(recipe: Path, overrides: Sequence[str], count: int) -> None:
    from dragoman.commands import recipes
    from dragoman.commands.data.completions import generated_for

    for group in generated_for(recipes.recipe(recipe, overrides), count):
        say(f"\n{group.title}", bold=True)
        for shown in group.completions:
            say()
            for name, text in shown.parts:
                say(f"  [{name}]", dim=True)
                say(text, fg=COLOURS.get(name, "cyan"))
            say(f"  ({shown.ending})", dim=True)
