"""`dragoman verdict`: SHIP or DON'T SHIP for the rows of a finished run, for people and for CI."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragoman.commands.options import Overrides
from dragoman.errors import DataError, RecipeError, StoreError, from_here
from dragoman.terminal import put

if TYPE_CHECKING:
    from dragoman.recipe.judging import Verdict

DONT_SHIP = 3
"""The exit code where some row is not to be shipped."""


def verdict(
    run: Annotated[
        Path, typer.Argument(help="A recipe (YAML), or the folder of its run: runs/NAME.", show_default=False)
    ],
    overrides: Overrides = None,
    row: Annotated[
        str | None, typer.Option(help="The row to decide on; all tuned ones when absent.", show_default=False)
    ] = None,
    markdown: Annotated[
        str, typer.Option(metavar="FILE", help="Write a summary for a pull request; - prints it.", show_default=False)
    ] = "",
    evidence: Annotated[
        str,
        typer.Option(
            "--json", metavar="FILE", help="Write reasons and numbers as JSON; - prints it.", show_default=False
        ),
    ] = "",
) -> None:
    """SHIP or DON'T SHIP: whether a run's rows translate better and keep what they could. Exit code 3: don't."""
    from dragoman.disk import sha256
    from dragoman.report.ship import show
    from dragoman.report.ship.decision import decide
    from dragoman.scoring.scorecard.read import read_scorecard
    from dragoman.screen import console

    if markdown == evidence == "-":
        raise DataError("--markdown - and --json - would both be printed; name a file for one of them")
    folder, bounds = _finished(run, overrides or [])
    path = folder / "scorecard.json"
    card = read_scorecard(path)
    decisions = decide(card, bounds, row)
    screen = console(err="-" in (markdown, evidence))
    show.show(card, decisions, screen)
    for name, text in (
        (markdown, lambda: show.markdown(card, decisions)),
        (evidence, lambda: show.evidence(card, decisions, bounds, {"path": str(path), "sha256": sha256(path)})),
    ):
        if name == "-":
            put(text(), nl=False)
        elif name:
            Path(name).write_text(text(), encoding="utf-8", errors="backslashreplace")
    if not all(one.ship for one in decisions):
        raise typer.Exit(DONT_SHIP)


def _finished(run: Path, overrides: list[str]) -> "tuple[Path, Verdict]":
    """The folder of a finished run, and what its recipe lets pass. StoreError if it is not finished.

    A folder is taken as it is: neither its store nor the files that its recipe names need to be on this machine.
    """
    from dragoman.commands import recipes
    from dragoman.pipeline.storage.needs import RECIPE, since_report
    from dragoman.recipe.load import load_verdict

    if run.suffix in (".yaml", ".yml"):
        loaded = recipes.recipe(run, overrides)
        return recipes.done(loaded), loaded.verdict
    if not run.is_dir():
        raise DataError(f"there is no run {run}{from_here(run)}; name a recipe, or the folder runs/NAME")
    if idle := [said for said in overrides if not said.startswith("verdict.")]:
        raise RecipeError(f"{', '.join(idle)}: of a run that is done, only fields of `verdict` can be said otherwise")
    if not (run / "scorecard.json").is_file():
        raise StoreError(f"{run} is not done: there is no scorecard. `dragoman run` with its recipe makes it")
    if later := since_report(run):
        raise StoreError(
            f"{run} is not done: {later[0]} was begun after its scorecard. `dragoman run` with its recipe goes on"
        )
    return run, load_verdict(run / RECIPE, overrides)
