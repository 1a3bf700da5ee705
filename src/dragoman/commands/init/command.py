"""The command `dragoman init`; what is missing is asked for where there is a person at a terminal."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.commands.files import parallel_text
from dragoman.commands.options import Languages, Source, Table, Target
from dragoman.corpora.formats.text import ending
from dragoman.errors import DataError
from dragoman.terminal import ask, say

if TYPE_CHECKING:  # it reads files, which --help does without
    from dragoman.corpora.formats.parallel import ParallelText

BACKBONE = "Qwen/Qwen2.5-1.5B-Instruct"
TABLES = (".tsv", ".jsonl", ".json", ".tmx", ".zip")


def init(
    source: Source = None,
    target: Target = None,
    table: Table = None,
    direction: Languages = "",
    both: Annotated[bool, typer.Option("--both", help="Learn and judge the other direction as well.")] = False,
    backbone: Annotated[str, typer.Option(help="The model to teach.")] = BACKBONE,
    output: Annotated[Path, typer.Option(help="The recipe to write.")] = Path("recipe.yaml"),
    folder: Annotated[Path, typer.Option("--data", help="Folder for the training and the test part.")] = Path("data"),
    test: Annotated[
        int | None, typer.Option(min=1, help="Source sentences to hold out; a tenth, at most 500, when absent.")
    ] = None,
    test_source: Annotated[
        Path | None, typer.Option(help="Or a test of your own: its source sentences.", show_default=False)
    ] = None,
    test_target: Annotated[Path | None, typer.Option(help="Their translations.", show_default=False)] = None,
    test_table: Annotated[Path | None, typer.Option(help="Or both in one file.", show_default=False)] = None,
    dev_source: Annotated[
        Path | None, typer.Option(help="Pairs to validate on while training: their sources.", show_default=False)
    ] = None,
    dev_target: Annotated[Path | None, typer.Option(help="Their translations.", show_default=False)] = None,
    dev_table: Annotated[Path | None, typer.Option(help="Or both in one file.", show_default=False)] = None,
    questions: Annotated[
        list[Path] | None,
        typer.Option(help="Questions on abilities to keep (.jsonl); may be repeated.", show_default=False),
    ] = None,
    mixed_up: Annotated[
        bool, typer.Option("--mixed-up", help="Take files that look mixed up: swapped, shifted, copies.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a starter recipe for your own parallel files."""
    from dragoman.commands.init.starter import Wishes, write_starter

    if at_terminal() and source is None and target is None and table is None:
        source, target, table = _ask_files()
        if table or (source and target):
            direction = direction or _ask_direction(source, target)
            both = both or ask("Learn the other direction as well? (y/N)").lower() in ("y", "yes")
            backbone = ask(f"The model to teach, a directory or a name on the hub ({backbone})") or backbone
    elif at_terminal() and source is not None and target is None and table is None:
        target = _ask_path("Their translations, line by line")
    text = parallel_text(source, target, table, direction)
    own = _named("test", test_source, test_target, test_table, text.direction)
    if own and test is not None:
        raise DataError(
            "--test holds sentences out, and --test-source, --test-target and --test-table name others; keep one"
        )
    dev = _named("dev", dev_source, dev_target, dev_table, text.direction)
    wishes = Wishes(own, dev, test, both, tuple(questions or ()), mixed_up, force)
    made = write_starter(text, backbone, output, folder, wishes)
    left_out = f"; {made.empty} with an empty side left out" if made.empty else ""
    where = f", in {made.folder}" if made.folder else ""
    say(f"{made.train} pairs to learn from and {made.test} to be judged on{where}{left_out}")
    for doubt in made.doubts:
        say(f"beware: {doubt}", fg="yellow")
    say(f"{made.recipe}: look it over, then: dragoman run {made.recipe} --dry-run")


def _named(
    part: str, source: Path | None, target: Path | None, table: Path | None, direction: str
) -> "ParallelText | None":
    """The text that `--test-source` and the like name; None if they name none."""
    if not (source or target or table):
        return None
    if (table is None) == (source is None) or (source is None) != (target is None):
        raise DataError(f"which {part}? Name --{part}-source and --{part}-target, or one --{part}-table")
    return parallel_text(source, target, table, direction)


def at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask_files() -> tuple[Path | None, Path | None, Path | None]:
    """Source, target and table."""
    first = _ask_path("Source sentences, one a line; or one file for both sides (.tsv, .jsonl, .tmx, .zip)")
    if first is None or ending(first.name) in TABLES:
        return None, None, first
    return first, _ask_path("Their translations, line by line"), None


def _ask_path(question: str) -> Path | None:
    answer = ask(question)
    return Path(answer).expanduser() if answer else None


def _ask_direction(source: Path | None, target: Path | None) -> str:
    """The languages, unless the names of the files tell them."""
    if source is not None:
        try:
            return parallel_text(source, target, None, "").direction
        except DataError:
            pass
    return ask("Languages of source and target, as in de-en")
