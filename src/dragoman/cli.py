"""The commands. Thin: parse, call, print. Heavy imports happen in the command that needs them."""

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dragoman import __version__
from dragoman.commands import analyze, lab, store
from dragoman.commands.chat.command import chat
from dragoman.commands.data import app as data
from dragoman.commands.init.command import init
from dragoman.commands.models.app import app as models
from dragoman.commands.options import (
    COLOURS,
    Others,
    Overrides,
    Recipe,
    Table,
    Target,
    Trust,
    Way,
)
from dragoman.commands.scale.command import scale
from dragoman.commands.score import command as score
from dragoman.commands.translate import translate
from dragoman.commands.tune.command import tune
from dragoman.commands.verdict.command import verdict
from dragoman.errors import DragomanError
from dragoman.interrupts import CODE, STOPPED, interruptible, watch
from dragoman.terminal import put, say, visible

if TYPE_CHECKING:
    from dragoman.pipeline.stages.stage import Kind

VERDICT_COLOURS = {"ok": "green", "note": "yellow", "missing": "red"}


UsageError: Any = typer.BadParameter.__mro__[1]  # click's, which typer contains or depends on, by its version


class Sentences(typer.core.TyperGroup):
    """The edge of the process: what went wrong becomes a sentence; DRAGOMAN_DEBUG=1 shows where."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with interruptible():
                return super().invoke(ctx)
        except (DragomanError, OSError) as fault:
            broken_pipe = isinstance(fault, OSError) and fault.errno == errno.EPIPE
            if broken_pipe or os.environ.get("DRAGOMAN_DEBUG"):
                raise
            say(_sentence(fault), fg="red", err=True)
            raise typer.Exit(2 if isinstance(fault, ValueError) else 1) from None
        except UsageError as fault:
            fault.message = visible(fault.message)
            raise
        except KeyboardInterrupt:
            say(STOPPED, fg="yellow", err=True)
            raise typer.Exit(CODE) from None


def _sentence(fault: DragomanError | OSError) -> str:
    if isinstance(fault, DragomanError):
        return str(fault)
    what = "the disk is full; make room and run again" if fault.errno == errno.ENOSPC else fault.strerror or str(fault)
    return f"{fault.filename}: {what}" if fault.filename else what


app = typer.Typer(
    cls=Sentences,
    name="dragoman",
    help="Teach an instruct LLM to translate, and let it stay the assistant it was.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to import than everything else that --help needs
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"dragoman {__version__}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Teach an instruct LLM to translate, and let it stay the assistant it was."""


@app.command()
def demo(overrides: Overrides = None) -> None:
    """Teach the embedded model in three ways, and compare them."""
    from dragoman.commands import recipes

    recipes.finish(recipes.recipe(recipes.DEMO, overrides or ()))


app.command()(init)


@app.command()
def run(
    recipe: Recipe,
    overrides: Overrides = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is done and what the rest takes.")] = False,
    gpu: Annotated[
        str,
        typer.Option(help="Accelerators to reckon with in --dry-run, such as a100-80gb:4.", show_default=False),
    ] = "",
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Try this machine's speed out anew in --dry-run.", show_default=False)
    ] = False,
    trust: Trust = False,
) -> None:
    """Do all that a recipe says; nothing is done twice."""
    from dragoman.commands import recipes

    loaded = recipes.recipe(recipe, overrides or ())
    if dry_run:
        recipes.tell(loaded, gpu, again=calibrate)
    else:
        recipes.finish(loaded, trust=trust)


@app.command()
def show(
    recipe: Recipe,
    overrides: Overrides = None,
    examples: Annotated[int, typer.Option(min=0, help="Examples to print after the recipe.")] = 2,
    comments: Annotated[bool, typer.Option("--comments", help="Say what each field is for.")] = False,
) -> None:
    """Print a recipe in full, and examples with their segments."""
    from dragoman.commands import recipes
    from dragoman.pipeline.data.questions import spelled_out
    from dragoman.recipe.write import resolved

    loaded = recipes.recipe(recipe, overrides or ())
    put(resolved(spelled_out(loaded), comments), nl=False)
    if examples:
        from dragoman.commands.data.examples import made_of

        for example in made_of(loaded, examples):
            say(f"\n{example.row or 'not made yet; prompt and reference will be'}", bold=True)
            for part in example.parts:
                tokens = f"{part.tokens} token{'s' * (part.tokens != 1)}"
                kind = f"{part.name}, {tokens}{'' if part.trained else ', not trained'}"
                colour = COLOURS.get(part.name, "yellow")
                say(f"  [{kind}]", dim=True)
                say(part.text, fg=colour)


app.command()(tune)


@app.command()
def generate(
    recipe: Recipe,
    overrides: Overrides = None,
    shard: Annotated[
        str,
        typer.Option(help="One part of the generation, such as 2/8; the parts may run anywhere.", show_default=False),
    ] = "",
    trust: Trust = False,
) -> None:
    """Make training examples, and what is generated for them."""
    from dragoman.commands import recipes

    loaded = recipes.recipe(recipe, overrides or ())
    folder = recipes.go(loaded, upto="examples", part=recipes.part(shard) if shard else None, trust=trust)
    say(f"results: {folder}")


@app.command()
def train(recipe: Recipe, overrides: Overrides = None, trust: Trust = False) -> None:
    """Train adapters, after what they need."""
    _upto("train", recipe, overrides, trust)


@app.command()
def merge(recipe: Recipe, overrides: Overrides = None, trust: Trust = False) -> None:
    """Merge adapters into models, after what they need."""
    _upto("merge", recipe, overrides, trust)


@app.command()
def evaluate(
    model: Annotated[
        str,
        typer.Argument(help="A recipe (.yaml); or a model: a directory, a name on the hub, lab.", show_default=False),
    ],
    overrides: Overrides = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(help="To judge a model by, as in gsm8k; may be repeated.", show_default=False),
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="Your own test for translation: its sources, one a line.", show_default=False)
    ] = None,
    target: Target = None,
    table: Table = None,
    test: Annotated[str, typer.Option(help="Or a test set of the catalogue, as in wmt22.", show_default=False)] = "",
    direction: Annotated[
        list[str] | None,
        typer.Option(help="Languages, as in de-en; of a test set it may be repeated.", show_default=False),
    ] = None,
    both: Annotated[bool, typer.Option("--both", help="Judge the other direction as well.")] = False,
    prompt: Way = "",
    trust: Trust = False,
) -> None:
    """Judge the models of a recipe, after what they need; or one model alone."""
    from dragoman.commands import evaluate as evaluating

    pairs = evaluating.JudgedOn(test, source, target, table, direction or (), both)
    if evaluating.is_recipe(model):
        evaluating.refuse_options(model, suite or (), pairs, prompt)
        _upto("evaluate", Path(model), overrides, trust)
        return
    from dragoman.commands import recipes

    loaded = evaluating.alone(model, suite or (), pairs, prompt, overrides or ())
    recipes.finish(loaded, trust=trust)


app.command(cls=score.Several)(score.score)


@app.command()
def report(
    recipe: Annotated[Path | None, typer.Argument(help="A recipe (YAML).", show_default=False)] = None,
    overrides: Others = None,
    table: Annotated[
        Literal["translation", "benchmarks", "abilities", "ablation", "skill", "sequence", "cost", "languages"] | None,
        typer.Option(help="Print one table in the paper's layout instead.", show_default=False),
    ] = None,
    form: Annotated[
        Literal["markdown", "latex", "json"] | None,
        typer.Option("--format", help="Of the table, or of all of them.", show_default=False),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            help="Two judged models instead of a recipe: runs/NAME for its backbone, runs/NAME/ROW for another row.",
            metavar="A B",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show the comparison of a recipe that is done, or of two models that were judged."""
    from dragoman.commands import recipes

    if compare:
        from dragoman.commands import evaluate as evaluating

        if recipe or table or form in ("markdown", "latex"):
            raise typer.BadParameter("--compare takes two judged models, and --format json at most")
        evaluating.compared(*compare, form)
        return
    if recipe is None:
        raise typer.BadParameter("name a recipe, or two judged models with --compare")
    paths, changes = recipes.several(recipe, overrides or ())
    loaded, *more = [recipes.recipe(path, changes) for path in paths]
    if more and table != "languages":
        raise typer.BadParameter("of several recipes there is one table: --table languages")
    if table == "languages":
        put(recipes.own_languages([loaded, *more], form or "markdown"), nl=False)
    elif table or form:
        put(recipes.table(loaded, table, form or "markdown"), nl=False)
    else:
        recipes.again(loaded)


app.command()(scale)
app.command()(verdict)


def _upto(kind: "Kind", recipe: Path, overrides: list[str] | None, trust: bool) -> None:
    from dragoman.commands import recipes

    say(f"results: {recipes.go(recipes.recipe(recipe, overrides or ()), upto=kind, trust=trust)}")


app.command()(translate)
app.command()(chat)


app.add_typer(analyze.app, name="analyze")
app.add_typer(data.app, name="data")
app.add_typer(lab.app, name="lab")
app.add_typer(models, name="models")
app.add_typer(store.app, name="store")


@app.command()
def doctor() -> None:
    """Tell what this machine can do, and what is missing."""
    from dragoman.commands.doctor import findings

    missing = False
    for finding in findings():
        advice = f" → {finding.advice}" if finding.advice and finding.verdict != "ok" else ""
        say(f"{finding.verdict:8}", nl=False, fg=VERDICT_COLOURS[finding.verdict])
        say(f"{finding.about:14}{finding.text}{advice}")
        missing |= finding.verdict == "missing"
    if missing:
        raise typer.Exit(1)


def main() -> None:
    """One command, and its exit code (0 done, 1 failed, 2 asked wrongly, 3 don't ship, 130 stopped)."""
    watch()
    try:
        app()
    except Exception:  # a fault of ours, or DRAGOMAN_DEBUG: what it quotes is text from elsewhere as well
        say(traceback.format_exc(), err=True, nl=False)
        sys.exit(1)
