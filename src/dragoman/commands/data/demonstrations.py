"""`dragoman data demonstrations`: CrossAlpaca's translation-following demonstrations, as a file in Alpaca's format.

For people who train elsewhere. The same code as in a recipe's run chooses and words the pairs.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dragoman.commands.files import languages, parallel_text
from dragoman.commands.options import Languages, Source, Table, Target
from dragoman.corpora.records import draw
from dragoman.disk import write_atomic
from dragoman.errors import DataError
from dragoman.terminal import say

if TYPE_CHECKING:
    from dragoman.corpora.formats.parallel import ParallelText
    from dragoman.corpora.load import Rules

Way = Literal["both", "en-x", "x-en"]


@dataclass(frozen=True, slots=True)
class Made:
    """Counts of what was written, by direction, and of what was left out, by reason; a pair counts in each of its
    directions.
    """

    counts: Counter[str]
    dropped: Counter[str]


def demonstrations(
    source: Source = None,
    target: Target = None,
    table: Table = None,
    corpus: Annotated[
        str, typer.Option(help="Or a corpus of the catalogue, such as news-commentary.", show_default=False)
    ] = "",
    direction: Languages = "",
    directions: Annotated[Way, typer.Option(help="Which ways to translate; en is English, x the other.")] = "both",
    count: Annotated[int, typer.Option(min=1, help="Demonstrations each way.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Decides which pairs are taken, and how each is worded.")] = 0,
    fixed: Annotated[bool, typer.Option("--fixed", help="One instruction for all, instead of five.")] = False,
    max_characters: Annotated[int, typer.Option(min=1, help="Longest side of a pair.")] = 1000,
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("demonstrations.json"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Make translation demonstrations of parallel text: instruction, input, output."""
    from dragoman.corpora.load import Rules

    if output.exists() and not force:
        raise DataError(f"{output}: there already. Take another --output, or say --force")
    texts = _texts(source, target, table, corpus, direction)
    wanted = _ways(texts[0].languages, directions)
    rules = Rules(count, seed, distinct=True, disjoint=True, max_characters=max_characters, drop_copies=True)
    made = write(texts, wanted, rules, output, fixed)
    told = ", ".join(f"{made.counts[way]:,} {way}" for way in wanted)
    say(f"{made.counts.total():,} demonstrations in {output}: {told}")
    for way in wanted:
        if made.counts[way] < count:
            say(f"{way}: fewer than the {count:,} asked for, because no more pairs fit")
    if made.dropped:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in made.dropped.items())
        say(f"left out, each pair counted once for each way: {reasons}")


def write(
    texts: Sequence["ParallelText"], directions: Sequence[str], rules: "Rules", output: Path, fixed: bool
) -> Made:
    """Chooses pairs and writes their demonstrations in an order drawn by the seed. DataError if no pair is left."""
    from dragoman.corpora.load import select
    from dragoman.prompts.translation import demonstration

    chosen = select(texts, directions, rules)
    if not len(chosen):
        why = ", ".join(f"{number:,} {reason}" for reason, number in chosen.dropped.items()) or "nothing"
        raise DataError(f"no pair is left to make a demonstration of; left out: {why}")
    records = []
    for pair in sorted(chosen, key=lambda pair: draw(pair.key, "order of demonstrations", rules.seed)):
        asked, answer = demonstration(pair, fixed, rules.seed).turns
        records.append({"instruction": asked.text, "input": asked.input, "output": answer.text})
    write_atomic(output, json.dumps(records, ensure_ascii=False, indent=1) + "\n")
    return Made(chosen.counts, chosen.dropped)


def _texts(
    source: Path | None, target: Path | None, table: Path | None, corpus: str, direction: str
) -> tuple["ParallelText", ...]:
    """The parallel text that the command line names, to be read in both directions."""
    from dragoman.corpora import catalog

    if not corpus:
        return (replace(parallel_text(source, target, table, direction), both=True),)
    if source or target or table:
        raise DataError("which text? Name --corpus, or files, not both")
    offered = catalog.find(corpus).directions("train")
    if not direction:
        raise DataError(f"which languages of {corpus}? Say --direction; it has {', '.join(offered) or 'no pairs'}")
    one, other = languages(direction)
    ways = (f"{one}-{other}", f"{other}-{one}")
    if not set(ways) & set(offered):
        raise DataError(
            f"corpus {corpus!r} has no {direction} to learn from; it has {', '.join(offered) or 'no pairs'}"
        )
    return tuple(replace(text, both=True) for text in catalog.parallel_text(corpus, "train", ways))


def _ways(languages: tuple[str, str], wanted: Way) -> tuple[str, ...]:
    """The directions to make, English first if it is one of the languages."""
    one, other = sorted(languages, key=lambda code: code.split("_")[0] != "en")
    if wanted == "both":
        return f"{one}-{other}", f"{other}-{one}"
    if one.split("_")[0] != "en":
        raise DataError(f"--directions {wanted}: neither {one} nor {other} is English; only both can be made")
    return (f"{one}-{other}" if wanted == "en-x" else f"{other}-{one}",)
