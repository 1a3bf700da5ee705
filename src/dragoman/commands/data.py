"""The `data` commands: corpora of the catalogue, and one's own files."""

from typing import Annotated

import typer

from dragoman.commands.options import Languages, Source, Table, Target

app = typer.Typer(help="Corpora: list, get, inspect.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_corpora() -> None:
    """List the corpora that a recipe can name."""
    from dragoman.commands import corpora

    for name, text in corpora.entries():
        typer.echo(f"{typer.style(name, bold=True)}\n  {text}")


@app.command("get")
def get(name: Annotated[str, typer.Argument(help="A corpus of the catalogue.", show_default=False)]) -> None:
    """Fetch a corpus, verify it, and tell where its files are."""
    from dragoman.commands import corpora

    for path in corpora.get(name):
        typer.echo(path)


@app.command("inspect")
def inspect(source: Source = None, target: Target = None, table: Table = None, direction: Languages = "") -> None:
    """Count pairs, lengths and what looks odd in your own parallel files."""
    from dragoman.commands import corpora
    from dragoman.commands.files import parallel_text

    found = corpora.inspect(parallel_text(source, target, table, direction))
    typer.echo(f"{found.pairs} pairs")
    for reason, count in found.dropped.items():
        typer.echo(f"{count} left out: {reason}")
    for side, (median, most, longest) in zip(("source", "target"), found.lengths, strict=True):
        typer.echo(f"{side}: half have at most {median} characters, 99 % at most {most}, the longest {longest}")
    typer.echo(
        f"{found.copies} have the same text on both sides, {found.lopsided} a side over 3 times as long as the other"
    )
    for pair in found.samples:
        typer.echo(f"\n{pair.source}\n→ {pair.target}")
