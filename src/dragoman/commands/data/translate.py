"""`dragoman data translate`: instruction sets and benchmarks in another language."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dragoman.commands.options import Adapter, Longest
from dragoman.errors import RecipeError
from dragoman.json_values import JsonObject
from dragoman.terminal import say

if TYPE_CHECKING:
    from dragoman.pipeline.translate_file.job import Job, Report
    from dragoman.recipe.engines import Generation

Engine = Literal["auto", "hf", "vllm", "openai", "ray"]


def translate(
    file: Annotated[
        Path, typer.Argument(help="An instruction set, a benchmark, or lines of text.", show_default=False)
    ],
    to: Annotated[str, typer.Option("--to", help="Language to translate into, such as de.", show_default=False)],
    model: Annotated[
        str, typer.Option(help="A directory, a name on the Hugging Face hub, or lab.", show_default=False)
    ],
    output: Annotated[Path, typer.Option(help="The file to write, in the same format.", show_default=False)],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Fields of generation, as in vllm.memory=0.5", show_default=False),
    ] = None,
    source: Annotated[str, typer.Option("--from", help="Language of the file.")] = "en",
    engine: Annotated[Engine, typer.Option(help="What answers.")] = "auto",
    address: Annotated[str, typer.Option(help="Of an OpenAI server, for --engine openai.", show_default=False)] = "",
    server_model: Annotated[str, typer.Option(help="The model's name on the server.", show_default=False)] = "",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Translate only so many entries.", show_default=False)
    ] = None,
    system: Annotated[str | None, typer.Option(help="System prompt.", show_default=False)] = None,
    adapter: Adapter = None,
    max_tokens: Longest = 1024,
    runs: Annotated[Path, typer.Option(help="Folder below which answers are kept.")] = Path("runs"),
    force: Annotated[bool, typer.Option("--force", help="Replace the output.")] = False,
) -> None:
    """Translate an instruction set or a benchmark; code, placeholders, options and numbers stay as they are."""
    from dragoman.pipeline.translate_file.job import Job, translate_file

    job = Job(
        file=file,
        output=output,
        source=source,
        target=to,
        model=model,
        settings=generation(engine, address, server_model, settings or []),
        cache=runs / ".store" / "completions",
        adapter=adapter,
        system=system,
        max_tokens=max_tokens,
        limit=limit,
        force=force,
    )
    for line in told(job, translate_file(job)):
        say(line)


def told(job: "Job", report: "Report") -> list[str]:
    """What a person should know about a finished job."""
    counts = report.counts
    lines = [
        f"{job.file}: {report.format}; {counts.entries:,} entries with {counts.texts:,} texts, "
        f"{counts.asked:,} distinct pieces to translate, {counts.asked_again:,} of them asked for again",
    ]
    if counts.foreign:
        lines.append(f"{counts.foreign:,} texts are not in {job.source}, and stay as they are")
    plain = f", {counts.as_they_were:,} of them with nothing to translate" if counts.as_they_were else ""
    lines.append(f"{counts.translated:,} of {counts.entries:,} entries in {job.output}{plain}")
    if counts.set_aside:
        lines.append(f"{counts.set_aside.total():,} set aside in {job.aside}:")
        lines += [f"  {count:,} × {reason}" for reason, count in counts.set_aside.most_common()]
    return [*lines, f"{job.about} says by what it was translated"]


def generation(engine: Engine, address: str, server_model: str, settings: list[str]) -> "Generation":
    """Generation settings from a command line. RecipeError if one is invalid."""
    import yaml
    from pydantic import ValidationError

    from dragoman.recipe.engines import Generation
    from dragoman.recipe.faults import faults
    from dragoman.recipe.source import COMMAND_LINE, Source, parse

    value: JsonObject = {"engine": engine, "openai": {"address": address or None, "model": server_model or None}}
    for text in settings:
        name, equals, said = text.partition("=")
        *path, last = name.strip().removeprefix("generation.").split(".")
        if not equals or not all([*path, last]):
            raise RecipeError(f"'{text}' should look like vllm.memory=0.5")
        holder = value
        for part in path:
            below = holder.setdefault(part, {})
            if not isinstance(below, dict):
                raise RecipeError(f"'{text}': {part} is no group of settings")
            holder = below
        try:
            holder[last] = parse(said)
        except yaml.YAMLError:
            raise RecipeError(f"'{text}': {said!r} is not a YAML value; put it in quotes") from None
    try:
        return Generation.model_validate(value)
    except ValidationError as error:
        raise RecipeError("\n".join(map(str, faults(error, Generation, Source(value, {(): COMMAND_LINE}))))) from error
