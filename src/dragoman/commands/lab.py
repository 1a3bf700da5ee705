"""The `lab` commands: sentences and questions of the small world, and training its backbone anew."""

from pathlib import Path
from typing import Annotated

import typer

from dragoman.commands.files import languages
from dragoman.errors import DataError
from dragoman.terminal import say

LANGUAGES = {"en", "de", "it"}

app = typer.Typer(help="The small world: world, pretrain, card.", no_args_is_help=True, rich_markup_mode=None)


@app.command("world")
def world(
    direction: Annotated[str, typer.Option(help="Languages of the pairs, among en, de and it.")] = "en-de",
    family: Annotated[str | None, typer.Option(help="Questions of this family instead of pairs.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Print sentences with their translations, or questions."""
    from dragoman.lab import abilities
    from dragoman.lab.world import pairs

    if family:
        for question in abilities.questions(family, count, seed):
            say("\n".join(f"{turn.role}: {turn.text}" for turn in question.turns) + "\n")
        return
    if unknown := set(languages(direction)) - LANGUAGES:
        raise DataError(f"--direction {direction}: the lab has en, de and it, but not {', '.join(sorted(unknown))}")
    for pair in pairs("train", [direction], count, seed):
        say(f"{pair.source}\t{pair.target}")


@app.command("pretrain")
def pretrain(
    out: Annotated[Path, typer.Argument(help="Folder to work in; the backbone comes to lie below it.")],
    kind: Annotated[
        str, typer.Option(help="`backbone`, `weaker`, `stronger`, `programmer` or `english`.")
    ] = "backbone",
    seed: Annotated[int, typer.Option(help="Decides vocabulary, documents and first weights.")] = 0,
    tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens to learn from; what the kind takes when absent.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Time after which it is over in any case; likewise.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Do not go on with what lies there.")] = False,
) -> None:
    """Pre-train a model of the lab from a seed; cut off, it goes on where it was."""
    from dragoman.lab.pretraining.kinds import KINDS
    from dragoman.lab.pretraining.pretrain import pretrain as run

    if kind not in KINDS:
        raise DataError(f"--kind {kind}: there are {', '.join(KINDS)}")

    if anew and out.is_dir() and any(out.iterdir()) and not (out / "plan.json").is_file():
        raise DataError(f"{out} holds something, but no pre-training; --anew would delete it. Name another folder")
    made, settings = KINDS[kind], KINDS[kind].settings
    tokens, minutes = tokens or made.tokens, minutes or made.minutes
    say(run(out, seed=seed, tokens=tokens, minutes=minutes, resume=not anew, settings=settings, kind=kind))


@app.command("card")
def card(
    backbone: Annotated[Path, typer.Argument(help="The folder that `lab pretrain` gave.")],
    questions: Annotated[int, typer.Option(min=1, help="Questions of each family.")] = 200,
    pairs: Annotated[int, typer.Option(min=1, help="Test pairs of each direction.")] = 200,
) -> None:
    """Measure a backbone of the lab, and write its card beside the weights."""
    from dragoman.commands.lab_card import write_card

    write_card(backbone, questions, pairs)
    say(backbone / "README.md")
