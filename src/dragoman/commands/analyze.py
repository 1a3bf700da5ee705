"""The `analyze` commands: looking into what a recipe's methods do to a model."""

from enum import StrEnum
from typing import Annotated

import typer

from dragoman.commands.options import Overrides, Recipe

app = typer.Typer(help="Look into methods: gradients, drift, rationales.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def top() -> None:
    """Look into methods: gradients, drift, rationales."""


class JudgesEngine(StrEnum):
    """What asks a judge."""

    auto = "auto"
    hf = "hf"
    vllm = "vllm"
    openai = "openai"


@app.command()
def rationales(
    recipe: Recipe,
    overrides: Overrides = None,
    row: Annotated[str | None, typer.Option(help="Row of the recipe; the first radis when absent.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Rationales of each direction.")] = 25,
    seed: Annotated[int, typer.Option(help="Decides which ones.")] = 0,
    judge: Annotated[
        str | None, typer.Option(help="Model that classifies them, or rule (the lab's).", show_default=False)
    ] = None,
    engine: Annotated[JudgesEngine, typer.Option(help="What asks the judge.")] = JudgesEngine.auto,
    address: Annotated[
        str | None, typer.Option(help="Of the judge's server, with --engine openai.", show_default=False)
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest verdict; thinking needs room.")] = 64,
) -> None:
    """What rationales talk about: eight categories, their shares, and examples."""
    from rich.console import Console

    from dragoman.commands.recipes import recipe as loaded
    from dragoman.errors import RecipeError
    from dragoman.pipeline import categories
    from dragoman.report.categories import show

    if judge is None and (address or engine is not JudgesEngine.auto):
        raise RecipeError("--engine and --address say how a judge is asked; name the judge with --judge")
    named = categories.Judge(judge, engine.value, address, max_tokens) if judge else None
    chosen = loaded(recipe, overrides or ())
    found, folder = categories.rationales(chosen, row=row, count=count, seed=seed, judge=named)
    console = Console()
    show(found, console)
    console.print(f"{folder / 'rationales.md'}: the same with more examples; rationales.json has each verdict")
