"""`dragoman score`: scores outputs that were saved elsewhere. JSON on standard output, the rest on standard error."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dragoman.errors import DataError
from dragoman.terminal import put, say

if TYPE_CHECKING:
    from dragoman.commands.score.corpus import Corpus
    from dragoman.scoring.saved_outputs import SystemDifference, SystemScore

METRICS = ("bleu", "chrf", "chrf++", "ter", "comet")  # as in scoring.saved_outputs, which takes longer to import


class Several(typer.core.TyperCommand):
    """A command whose options accept several values: `--hyp a b` means `--hyp a --hyp b`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        several = {name for option in self.params if option.multiple for name in option.opts}
        spread: list[str] = []
        last, filled = "", False
        for word in args:
            if word.startswith("-") and word != "-":
                last, filled = word.partition("=")[0], "=" in word
                last = last if last in several else ""
            elif last and filled:
                spread.append(last)
            else:
                filled = True
            spread.append(word)
        return super().parse_args(ctx, spread)


def score(
    metric: Annotated[
        list[str] | None,
        typer.Option(help="bleu, chrf, chrf++, ter, comet; several as in bleu,comet."),
    ] = None,
    src: Annotated[Path | None, typer.Option(help="Sources, one a line.")] = None,
    hyp: Annotated[
        list[Path] | None,
        typer.Option(help="Translations, one a line; a file for each system. Or JSONL with src, mt and ref."),
    ] = None,
    ref: Annotated[
        list[Path] | None,
        typer.Option(help="References, one a line; several files are several references of each segment."),
    ] = None,
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="COMET: a folder with hparams.yaml, or a name on the hub.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="COMET: folder of its encoder's config and tokenizer.")] = None,
    precision: Annotated[Literal["fp32", "bf16"], typer.Option(help="COMET: of its encoder.")] = "fp32",
    cache: Annotated[Path | None, typer.Option(help="COMET: a folder in which scores are kept.")] = None,
    target_language: Annotated[
        str,
        typer.Option(
            help="Of the translations: decides BLEU's tokenizer (zh, ja, ko; else 13a). When absent, what the names of "
            "the files end in, where all agree.",
            show_default=False,
        ),
    ] = "",
    direction: Annotated[str, typer.Option(help="Or both languages, as in en-zh.", show_default=False)] = "",
    task: Annotated[
        str,
        typer.Option(
            help="xquad, mlqa, mmlu, bbh, gsm8k, humaneval, ifeval; or mt-bench, alpaca-eval.", show_default=False
        ),
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="The benchmark's file or folder; of mt-bench its questions, for categories.")
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="JSONL with id and output, a file for each system; in the order of the data without ids."),
    ] = None,
    judgements: Annotated[list[Path] | None, typer.Option(help="mt-bench: MODEL_single.jsonl, as published.")] = None,
    annotations: Annotated[list[Path] | None, typer.Option(help="alpaca-eval: annotations.json, as published.")] = None,
    language: Annotated[
        str, typer.Option(help="Of the questions; en when absent and the file's name tells none.", show_default=False)
    ] = "",
    context_language: Annotated[str, typer.Option(help="xquad, mlqa: of the texts.", show_default=False)] = "",
    originals: Annotated[
        Path | None, typer.Option(help="English originals, to repair a translated benchmark by position.")
    ] = None,
    extract: Annotated[
        str, typer.Option(help="xquad, mlqa: first_line or whole; mmlu, bbh: letter or text.", show_default=False)
    ] = "",
    k: Annotated[str, typer.Option("--k", help="humaneval: pass@k for these, as in 1,10.")] = "1",
    segments: Annotated[bool, typer.Option("--segments", help="Give the score of every segment as well.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Give how each system compares with the first in the JSON as well.")
    ] = False,
) -> None:
    """Score saved outputs: translations, answers to benchmarks, published judgements. Prints JSON."""
    if bool(metric) == bool(task):
        raise DataError("say either --metric (for translations) or --task (for a benchmark)")
    of_metrics = {
        "--src": src,
        "--hyp": hyp,
        "--ref": ref,
        "--checkpoint": checkpoint,
        "--encoder": encoder,
        "--precision": precision != "fp32",
        "--cache": cache,
        "--target-language": target_language,
        "--direction": direction,
    }
    of_tasks = {
        "--predictions": predictions,
        "--judgements": judgements,
        "--annotations": annotations,
        "--language": language,
        "--context-language": context_language,
        "--originals": originals,
        "--extract": extract,
        "--k": k != "1",
    }
    if idle := [option for option, given in (of_tasks if metric else of_metrics).items() if given]:
        raise DataError(f"{', '.join(idle)}: only with {'--task' if metric else '--metric'}")
    for option, names in (("--checkpoint", checkpoint), ("--judgements", judgements), ("--annotations", annotations)):
        if names and len({Path(name).resolve() for name in names}) < len(names):
            raise DataError(f"{option} has one name more than once")
    if metric:
        from dragoman.commands.score.corpus import read_corpus

        corpus = read_corpus(src, hyp or (), ref or (), data, target_language, direction, tell)
        found = _translations(_metrics(metric, checkpoint or ()), corpus, checkpoint or (), encoder, precision, cache)
    else:
        from dragoman.commands.score.tasks import task_scores
        from dragoman.suites import Saved

        saved = Saved({}, data, language, context_language, originals, extract, _ks(k))
        files = {"--predictions": predictions, "--judgements": judgements, "--annotations": annotations}
        found = task_scores(task, saved, {option: paths or () for option, paths in files.items()}, tell)
    _print(found, segments, compare)


def tell(text: str) -> None:
    """A note, on standard error."""
    say(text, err=True)


# Translations


def _metrics(given: Sequence[str], checkpoints: Sequence[str]) -> list[str]:
    from dragoman.recipe.faults import suggestion

    names = [name.strip().lower() for word in given for name in word.split(",") if name.strip()]
    faults = [f"there is no metric {name!r}: {suggestion(name, METRICS)}" for name in names if name not in METRICS]
    if not names:
        faults.append(f"--metric names none; there are {', '.join(METRICS)}")
    if "comet" in names and not checkpoints:
        faults.append("comet needs --checkpoint, a folder with hparams.yaml and checkpoints/model.ckpt")
    if checkpoints and "comet" not in names:
        faults.append("--checkpoint is for comet, which is not among the metrics")
    if faults:
        raise DataError("\n".join(faults))
    return list(dict.fromkeys(names))


def _translations(
    metrics: Sequence[str],
    corpus: "Corpus",
    checkpoints: Sequence[str],
    encoder: str | None,
    precision: Literal["fp32", "bf16"],
    cache: Path | None,
) -> "list[SystemScore]":
    from dragoman.scoring.saved_outputs import comet_scores, corpus_scores

    lexical = [name for name in metrics if name != "comet"]
    if lexical and not corpus.references:
        raise DataError(f"{', '.join(lexical)} needs --ref, a file of references")
    comets = []
    if "comet" in metrics:
        from dragoman.scoring.comet.model import open_comet

        if not corpus.sources:
            raise DataError("comet needs --src, a file of sources")
        comets = [open_comet(one, encoder, precision) for one in checkpoints]
        if (blind := [one.name for one in comets if one.needs_reference]) and not corpus.references:
            raise DataError(f"{', '.join(blind)} compares with references and needs --ref, a file of them")
    found: list[SystemScore] = []
    for name in metrics:
        if name == "comet":
            for comet in comets:
                found += comet_scores(comet, corpus.systems, corpus.sources, corpus.references, cache)
        else:
            found += corpus_scores(name, corpus.systems, corpus.references, corpus.language)
    return found


# Output


def _print(scores: "Sequence[SystemScore]", segments: bool, compare: bool) -> None:
    from dragoman.scoring.saved_outputs import compared

    differences = compared(scores)
    if any(differences):
        tell(_table(scores, differences))
    listed = [one.to_json(segments) for one in scores]
    if compare:
        for entry, difference in zip(listed, differences, strict=True):
            entry["paired"] = difference.to_json() if difference else None
    indent = None if segments else 2
    text = json.dumps(listed, ensure_ascii=False, indent=indent)
    try:  # a name may have half a character, or the terminal few of them
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(listed, indent=indent)
    put(text)


def _table(scores: "Sequence[SystemScore]", differences: "Sequence[SystemDifference | None]") -> str:
    """Every score, and how it compares with the first system's."""
    from dragoman.scoring.saved_outputs import LOWER_IS_BETTER

    rows = [("metric", "system", "score", "95 %", "to the first", "95 %", "p")]
    for one, difference in zip(scores, differences, strict=True):
        name = one.metric + (" (lower is better)" if one.metric in LOWER_IS_BETTER else "")
        value = "–" if one.score is None else f"{one.score:.4f}"
        rows.append((name, one.system, value, _range(one.interval), *_against(difference)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _against(difference: "SystemDifference | None") -> tuple[str, str, str]:
    if difference is None:
        return ("", "", "")
    return (f"{difference.delta:+.4f}", _range(difference.interval), f"{difference.p:.4f}")


def _range(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}"


def _ks(given: str) -> tuple[int, ...]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    if not words or not all(word.isdecimal() and int(word) for word in words):
        raise DataError(f"--k is one number or more, as in 1,10, not {given!r}")
    return tuple(sorted({int(word) for word in words}))
