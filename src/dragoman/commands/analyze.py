"""The `analyze` commands: looking into what a recipe's methods do to a model."""

import typer

app = typer.Typer(help="Look into methods: gradients, drift, rationales.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def top() -> None:
    """Look into methods: gradients, drift, rationales."""
