"""`dragoman translate`: lines of text, translated as a recipe's test would be."""

import json
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from dragoman.commands.files import languages
from dragoman.commands.options import Adapter, Model, System, Way
from dragoman.corpora.formats.text import numbered
from dragoman.errors import EngineError
from dragoman.terminal import put, say

SHOWN = 5  # lines that are told of


def translate(
    model: Model,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [KEY=VALUE]...",
            help="One sentence a line, standard input when absent; and fields of a recipe, as in chat=alpaca.",
            show_default=False,
        ),
    ] = None,
    direction: Annotated[str, typer.Option(help="Languages, as in de-en.", show_default=False)] = "",
    adapter: Adapter = None,
    system: System = None,
    prompt: Way = "",
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Longest answer; as in evaluations when absent.", show_default=False)
    ] = None,
) -> None:
    """Translate lines of text, in the way that `evaluate` judges a model: the translation alone, whatever else it says.
    Answers are kept in runs/.store."""
    if not direction:
        raise typer.BadParameter("say which languages, as in --direction de-en")
    source, target = languages(direction)
    file, said = _parted(words or ())
    with file.open("rb") if file else nullcontext(sys.stdin.buffer) as stream:
        lines = [line for _, line in numbered(stream, str(file or "standard input"))]
    from dragoman.commands import recipes
    from dragoman.pipeline.translate_file.lines import translate_lines

    given = {"system": system, "prompt": prompt or None, "evaluation.translation_tokens": max_tokens}
    options = [f"{name}={json.dumps(value)}" for name, value in given.items() if value is not None]
    recipe = recipes.of_model(model, [*options, *said])
    found = translate_lines(recipe, lines, source, target, adapter)
    for text in found.texts:
        put(text)
    if found.cut_off:
        limit = recipe.evaluation.translation_tokens
        say(f"{_lines(found.cut_off)}: cut off at {limit:,} tokens; --max-tokens allows more", fg="yellow", err=True)
    if found.not_found:
        say(
            f"{_lines(found.not_found)}: left empty, since no translation was found in the answer, which "
            "`dragoman chat` shows",
            fg="yellow",
            err=True,
        )
    if found.too_long:
        longest = max(found.too_long.values())
        raise EngineError(
            f"{_lines(found.too_long)}: left empty, since no room would be left for an answer: the request has "
            f"{'up to ' * (len(found.too_long) > 1)}{longest:,} tokens, and {model} sees {found.context:,} at once"
        )


def _parted(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    """The file, if one is named, and the fields of a recipe."""
    named = [word for word in words if "=" not in word or Path(word).is_file()]
    if len(named) > 1:
        raise typer.BadParameter(f"one file at a time, not {' and '.join(named)}; or join them: cat a b | dragoman …")
    return Path(named[0]) if named else None, [word for word in words if word not in named]


def _lines(places: Collection[int]) -> str:
    """`line 3`, or `lines 3, 7 and 12 more`."""
    numbers = [f"{place + 1:,}" for place in places]
    more = f" and {len(numbers) - SHOWN:,} more" if len(numbers) > SHOWN else ""
    return f"line{'s' * (len(numbers) > 1)} {', '.join(numbers[:SHOWN])}{more}"
