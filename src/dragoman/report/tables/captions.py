"""Captions of tables: what the numbers are, how certain, what the marks mean, how they were made."""

from collections.abc import Sequence

from dragoman.methods import available
from dragoman.report.abilities import comparisons, of_rows
from dragoman.report.compare import RETENTION, floor
from dragoman.report.phrases import listed
from dragoman.report.tables.table import Line, Measure
from dragoman.report.translation import learnt_metrics
from dragoman.scoring.scorecard.schema import Scorecard

MARKING = (
    "Bold: the best {one} and all that cannot be told apart from it (p ≥ 0.05, paired over items and seeds{noise}); "
    "italic: in the same way, the best of the rest. Where no {one} can be told apart from the best, none is marked."
)


def caption_of(
    card: Scorecard, measures: Sequence[Measure], lines: Sequence[Line], whom: str, metric: str = "chrF++"
) -> str:
    """The caption of a table that compares; differences are from the row `whom`.

    `metric` is the metric of translations.
    """
    cells = [cell for one in lines for cell in one.cells if cell.value is not None]
    seeds = _trainings(lines)
    kept = any(measure.path == RETENTION for measure in measures)
    trained = [line for line in lines if line.method != "backbone"] or lines
    signatures = list(dict.fromkeys(cell.signature for line in trained for cell in line.cells if cell.signature))
    parts = [
        f"Scores are {_units(card, measures, lines, metric)}.",
        f"In brackets the difference from {whom}, * where p < 0.05." if any(c.delta is not None for c in cells) else "",
        "RP: mean of the abilities’ retentions, each a score over the backbone’s." if kept else "",
        _beside(card, measures),
        _behind(card, metric),
        seeds,
        f"Below each score its 95 % interval over items{' and seeds' if 'Means' in seeds else ''}.",
        _marking(card, lines, kept),
        f"Signature: {merged(signatures)}." if signatures else "",
    ]
    return " ".join(part for part in parts if part)


def caption_of_cost(lines: Sequence[Line]) -> str:
    """The caption of the table of costs."""
    made = (
        "Generation is what it took to make each completion once, whatever the number of trainings, also where it came "
        "from the cache; training is what one took."
    )
    compared = {line.method for line in lines}
    published = [method.published_cost for name, method in available().items() if name in compared]
    return " ".join(part for part in (made, _trainings(lines), *published) if part)


def _units(card: Scorecard, measures: Sequence[Measure], lines: Sequence[Line], metric: str) -> str:
    """What was counted, and over how many sentences or questions."""
    counts: dict[str, list[int]] = {"directions": [], "translation": [], "questions": []}
    ratings: dict[str, list[str]] = {}
    asked: list[str] = []
    for measure, *cells in zip(measures, *(line.cells for line in lines), strict=True):
        path = measure.path[2:] if measure.path[0] == "metrics" else measure.path
        kind = {"families": "questions", "skills": "questions", "all": "translation"}.get(path[0], path[0])
        if kind == "questions" and measure.unit != "%":
            ratings.setdefault(measure.unit, []).append(measure.column.title)
            continue
        if kind == "questions":
            asked.append(measure.path[1])
        counts.setdefault(kind, []).extend(cell.n for cell in cells if cell.n)
    parts = []
    if counts["directions"]:
        parts.append(f"{metric} of {spanned(counts['directions'])} sentences a direction")
    elif counts["translation"]:
        parts.append(f"{metric} of {spanned(counts['translation'])} sentences in all directions")
    if counts["questions"]:
        judged = any(one["facts"] for name in asked for one in of_rows(card, name))
        passed = "passed, preferred or safe" if judged else "passed"
        parts.append(f"% {passed} of {spanned(counts['questions'])} questions a column")
    parts += [f"mean ratings of {unit.replace('/', 'at most ')} ({listed(names)})" for unit, names in ratings.items()]
    return " and ".join(parts)


def _beside(card: Scorecard, measures: Sequence[Measure]) -> str:
    """The meaning of a comparison with the backbone, if there is one."""
    named = [measure for measure in measures if measure.path[1:] and measure.path[1] in comparisons(card)]
    return "Beside the backbone 50 is a draw; that is no part of RP." if named else ""


def _behind(card: Scorecard, metric: str) -> str:
    return f"{learnt_metrics(card)}." if metric.startswith("COMET") and learnt_metrics(card) else ""


def _marking(card: Scorecard, lines: Sequence[Line], kept: bool) -> str:
    """What bold and italic mean; empty if one row stands alone, or beside the backbone."""
    competing = [line for line in lines if line.method != "backbone"]
    if len(competing) < 2:
        return ""
    finished = any(line.method == "finished" for line in competing)
    noise = _noise(floor(card)) if kept else ""
    return MARKING.format(noise=noise, one="row but the backbone" if finished else "method")


def _trainings(lines: Sequence[Line]) -> str:
    trained = [line for line in lines if line.method not in ("backbone", "finished")]
    most = max((len(line.seeds) for line in trained), default=0)
    if not trained:
        return ""
    return f"Means of {most} trainings with different seeds." if most > 1 else "One training of each method."


def _noise(least: float | None) -> str:
    return "" if least is None else f"; RP also where the difference is within the noise floor of {least:.1f}"


def spanned(counts: Sequence[int]) -> str:
    """Such as 250 to 1,190."""
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def merged(signatures: Sequence[str]) -> str:
    """Several signatures as one: fields that differ list all of their values."""
    bare = [signature.rpartition(" directions: ")[2] for signature in signatures]
    single = list(dict.fromkeys(one for signature in bare for one in signature.split(" · ")))
    by_metric: dict[str, list[list[str]]] = {}
    for signature in single:
        fields = signature.split("|")
        by_metric.setdefault(f"{fields[0]} {len(fields)}", []).append(fields)
    return " · ".join("|".join(_field(place) for place in zip(*some, strict=True)) for some in by_metric.values())


def _field(values: Sequence[str]) -> str:
    names = list(dict.fromkeys(value.partition(":")[0] for value in values))
    contents = list(dict.fromkeys(part for value in values for part in value.partition(":")[2].split("+") if part))
    return f"{'/'.join(names)}:{'+'.join(contents)}" if contents else "/".join(names)
