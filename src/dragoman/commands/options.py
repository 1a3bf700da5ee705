"""Arguments and options that several commands share, with their help texts."""

from pathlib import Path
from typing import Annotated

import typer

Recipe = Annotated[Path, typer.Argument(help="A recipe (YAML).", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Fields to say otherwise, as in training.epochs=1", show_default=False),
]
Others = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE",
        help="Fields to say otherwise; and further recipes, for --table languages.",
        show_default=False,
    ),
]
Model = Annotated[
    str, typer.Argument(help="A directory, a name on the hub or of `dragoman models list`, or lab.", show_default=False)
]
Adapter = Annotated[Path | None, typer.Option(help="Folder of an adapter to put on it.", show_default=False)]
System = Annotated[str | None, typer.Option(help="System prompt.", show_default=False)]
Way = Annotated[
    str,
    typer.Option("--prompt", help="How a translation system is asked: alma, parrot, tower, …", show_default=False),
]
Longest = Annotated[int, typer.Option("--max-tokens", min=1, help="Longest answer.")]
Source = Annotated[Path | None, typer.Option(help="Source sentences, one a line.", show_default=False)]
Target = Annotated[Path | None, typer.Option(help="Their translations, line by line.", show_default=False)]
Table = Annotated[Path | None, typer.Option(help="Or both in one .tsv, .jsonl, .tmx or .zip.", show_default=False)]
Languages = Annotated[
    str, typer.Option("--direction", help="Languages, as in de-en; file names such as a.de tell.", show_default=False)
]
Trust = Annotated[
    bool,
    typer.Option("--trust-store", help="Take what stages read to be what was written; don't look for damage first."),
]

# Colours of segments on a terminal; all others are cyan.
COLOURS = {"prompt": "white", "reference": "green", "rationale": "cyan", "end": "magenta"}
