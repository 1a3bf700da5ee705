"""The commands. Thin: parse, call, print. Everything heavy is imported in the command that needs it."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dragoman.errors import DragomanError

Recipe = Annotated[Path, typer.Argument(help="A recipe (YAML).", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...", help="Fields to say otherwise, as in training.epochs=1", show_default=False
    ),
]
Model = Annotated[str, typer.Argument(help="A directory, a name on the Hugging Face hub, or lab.", show_default=False)]
Longest = Annotated[int, typer.Option("--max-tokens", min=1, help="Longest answer.")]


class Sentences(typer.core.TyperGroup):
    """The edge of the process: what went wrong becomes a sentence; DRAGOMAN_DEBUG=1 shows where."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (DragomanError, OSError) as fault:
            if isinstance(fault, OSError) and fault.errno == errno.EPIPE:
                raise
            if os.environ.get("DRAGOMAN_DEBUG"):
                raise
            typer.secho(_sentence(fault), fg="red", err=True)
            raise typer.Exit(2 if isinstance(fault, ValueError) else 1) from None
        except KeyboardInterrupt:
            typer.secho("stopped; what was finished is kept; run again to go on", fg="yellow", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Sentences,
    name="dragoman",
    help="Teach an instruct LLM to translate, and let it stay the assistant it was.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _sentence(fault: DragomanError | OSError) -> str:
    if isinstance(fault, DragomanError):
        return str(fault)
    what = "the disk is full; make room and run again" if fault.errno == errno.ENOSPC else fault.strerror or str(fault)
    return f"{fault.filename}: {what}" if fault.filename else what


def _version(wanted: bool) -> None:
    if wanted:
        from dragoman import __version__

        typer.echo(f"dragoman {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Teach an instruct LLM to translate, and let it stay the assistant it was."""


@app.command()
def init(
    source: Annotated[Path | None, typer.Option(help="Source sentences, one a line.", show_default=False)] = None,
    target: Annotated[Path | None, typer.Option(help="Their translations, line by line.", show_default=False)] = None,
    table: Annotated[
        Path | None, typer.Option(help="Or both in one .tsv, .jsonl or .json.", show_default=False)
    ] = None,
    direction: Annotated[str, typer.Option(help="Languages, as in de-en; file names such as a.de tell.")] = "",
    backbone: Annotated[str, typer.Option(help="The model to teach.")] = "Qwen/Qwen2.5-1.5B-Instruct",
    output: Annotated[Path, typer.Option(help="The recipe to write.")] = Path("recipe.yaml"),
    data: Annotated[Path, typer.Option(help="Folder for the training and the test part.")] = Path("data"),
    test: Annotated[int | None, typer.Option(min=1, help="Source sentences to hold out; a tenth, at most 500.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a starter recipe for your own parallel files."""
    from dragoman.commands import init as starter

    files = starter.files(source, target, table, direction)
    made = starter.write_starter(files, backbone, output, data, test_pairs=test, force=force)
    typer.echo(f"{made.train} pairs to learn from and {made.test} to be judged on, in {made.folder}")
    typer.echo(f"{made.recipe}: look it over, then: dragoman run {made.recipe} --dry-run")


@app.command()
def doctor() -> None:
    """Tell what this machine can do, and what is missing."""
    from dragoman.commands.doctor import findings

    missing = False
    for finding in findings():
        colour = {"ok": "green", "note": "yellow", "missing": "red"}[finding.verdict]
        advice = f" → {finding.advice}" if finding.advice and finding.verdict != "ok" else ""
        typer.echo(f"{typer.style(f'{finding.verdict:8}', fg=colour)}{finding.about:14}{finding.text}{advice}")
        missing |= finding.verdict == "missing"
    if missing:
        raise typer.Exit(1)


@app.command()
def translate(
    model: Model,
    direction: Annotated[str, typer.Option(help="Languages, as in de-en.", show_default=False)],
    file: Annotated[Path | None, typer.Argument(help="One sentence a line; standard input when absent.")] = None,
    max_tokens: Longest = 512,
) -> None:
    """Translate lines of text."""
    from dragoman.commands.talk import Talker

    text = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    for line in Talker(model, max_tokens=max_tokens).translate(text.removesuffix("\n").split("\n"), direction):
        typer.echo(line)


@app.command()
def chat(
    model: Model,
    system: Annotated[str | None, typer.Option(help="System prompt.")] = None,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 0.0,
    max_tokens: Longest = 512,
) -> None:
    """Talk with a model. An empty line begins anew, Ctrl-D ends."""
    from dragoman.commands.talk import Talker
    from dragoman.corpora.records import Turn

    talker = Talker(model, system=system, max_tokens=max_tokens)
    turns: list[Turn] = []
    while True:
        try:
            said = input("you: ").strip()
        except EOFError:
            return
        if not said:
            turns = []
            typer.echo("(a new conversation)")
            continue
        answer = talker.answer([*turns, Turn("user", said)], temperature)
        typer.echo(f"{model}: {answer}")
        turns += [Turn("user", said), Turn("assistant", answer)]


def main() -> None:
    """The entry point: one command, and its exit code (0 done, 1 failed, 2 asked wrongly, 130 stopped)."""
    app()
