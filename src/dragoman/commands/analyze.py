"""The `analyze` commands: what a recipe's methods do to a model."""

from enum import StrEnum
from typing import Annotated

import typer

from dragoman.commands.options import Overrides, Recipe
from dragoman.errors import RecipeError

app = typer.Typer(help="Look into methods: gradients, drift, rationales.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def top() -> None:
    """Look into methods: gradients, drift, rationales."""


class Weights(StrEnum):
    """Whose gradients are looked at."""

    full = "full"
    adapter = "adapter"


@app.command()
def gradients(
    recipe: Recipe,
    overrides: Overrides = None,
    rows: Annotated[
        str, typer.Option(help="Rows of the recipe, as in seq_kd,radis; all that have two terms when absent.")
    ] = "",
    examples: Annotated[int, typer.Option(min=1, help="Examples of each direction.")] = 128,
    weights: Annotated[Weights, typer.Option(help="All weights of the model, or the adapter's.")] = Weights.full,
    at: Annotated[str, typer.Option(help="The backbone, or a row as its training left it.")] = "backbone",
    dimension: Annotated[
        int | None, typer.Option(min=1, help="Numbers that a layer's gradient is projected to; 65536 when absent.")
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Do not project; for small models.")] = False,
    seed: Annotated[int, typer.Option(help="Decides which examples, and the projection.")] = 0,
    ends: Annotated[bool, typer.Option(help="Count a turn's end to the term that it ends.")] = True,
) -> None:
    """Whether the regulariser's gradient agrees with the translation's, layer by layer."""
    from dragoman.commands.recipes import recipe as loaded
    from dragoman.pipeline.analyses import gradients_and_drift as analyses
    from dragoman.pipeline.analyses.options import DIMENSION, GradientsOptions
    from dragoman.pipeline.plan import open_store
    from dragoman.progress import note
    from dragoman.report.analyses.gradients import show
    from dragoman.screen import console

    if exact and dimension:
        raise RecipeError("--exact does not project, so it goes without --dimension")
    size = None if exact else dimension or DIMENSION
    options = GradientsOptions(_rows(rows), examples, weights.value, at, size, seed, ends)
    chosen = loaded(recipe, overrides or ())
    with open_store(chosen, note).in_use():
        found, folder = analyses.gradients(chosen, options)
    screen = console()
    show(found, screen)
    screen.print(f"{folder / 'gradients.md'}: the same by direction; gradients.svg is a picture", soft_wrap=True)


@app.command()
def drift(
    recipe: Recipe,
    overrides: Overrides = None,
    rows: Annotated[str, typer.Option(help="Rows of the recipe, as in vanilla,radis; all when absent.")] = "",
    examples: Annotated[int, typer.Option(min=1, help="Texts of each kind.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides which ones.")] = 0,
) -> None:
    """How far each model's next-token distributions have moved from the backbone's."""
    from dragoman.commands.recipes import recipe as loaded
    from dragoman.pipeline.analyses import gradients_and_drift as analyses
    from dragoman.pipeline.analyses.options import DriftOptions
    from dragoman.pipeline.plan import open_store
    from dragoman.progress import note
    from dragoman.report.analyses.drift import show
    from dragoman.screen import console

    options = DriftOptions(_rows(rows), examples, seed)
    chosen = loaded(recipe, overrides or ())
    with open_store(chosen, note).in_use():
        found, folder = analyses.drift(chosen, options)
    screen = console()
    show(found, screen)
    screen.print(f"{folder / 'drift.md'}: the same; drift.svg is a picture", soft_wrap=True)


def _rows(text: str) -> tuple[str, ...]:
    return tuple(row.strip() for row in text.split(",") if row.strip())


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
    from dragoman.commands.recipes import recipe as loaded
    from dragoman.pipeline.analyses import topics as categories
    from dragoman.pipeline.plan import open_store
    from dragoman.progress import note
    from dragoman.report.analyses.topics import show
    from dragoman.screen import console

    if judge is None and (address or engine is not JudgesEngine.auto):
        raise RecipeError("--engine and --address say how a judge is asked; name the judge with --judge")
    named = categories.Judge(judge, engine.value, address, max_tokens) if judge else None
    chosen = loaded(recipe, overrides or ())
    with open_store(chosen, note).in_use():
        found, folder = categories.rationales(chosen, row=row, count=count, seed=seed, judge=named)
    screen = console()
    show(found, screen)
    screen.print(f"{folder / 'rationales.md'}: the same with more examples; rationales.json has each verdict")
