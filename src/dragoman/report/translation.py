"""Translation in a scorecard: which rows were judged, by which metrics, and the metrics' titles."""

from collections.abc import Mapping, Sequence

from dragoman.scoring.scorecard.schema import GroupName, Rate, Row, Score, Scorecard, scores_of

GROUPS: Sequence[tuple[GroupName, str]] = (
    ("into_english", "into English"),
    ("out_of_english", "out of English"),
    ("all", "all"),
)
FIRST = "chrf++"
"""The metric that is always there, used for comparisons if nothing better was scored."""
LEARNT = "comet:"
"""The prefix of metrics that a model gives; these come before metrics that count."""
RATE_TITLES: Mapping[str, str] = {
    "chatter": "goes on to talk",
    "empty": "empty",
    "copy": "copies the source",
    "wrong_language": "wrong language",
    "source_language": "still in the source's",
    "over_generation": "far too long",
    "cut_off": "cut off",
    "extraction_failed": "no translation found",
}
ALWAYS = ("chatter", "wrong_language", "over_generation", "cut_off")
"""Rates that are shown even if they are 0."""


def translated(card: Scorecard) -> list[Row]:
    """The rows whose translation was judged."""
    return [row for row in card["rows"] if is_translated(row)]


def is_translated(row: Row) -> bool:
    """Whether a row's translation was judged."""
    return bool(row["translation"] and row["translation"]["all"])


def groups(card: Scorecard) -> list[tuple[GroupName, str]]:
    """The means over directions that there are, and their titles."""
    return [(key, title) for key, title in GROUPS if any(group_scores(row, key) for row in translated(card))]


def metrics(card: Scorecard) -> list[str]:
    """All metrics that every row has for all directions: COMET first, then chrF++, then the others."""
    found = [group_scores(row, "all") for row in translated(card)]
    shared = [name for name in (found[0] if found else ()) if all(name in some for some in found)]
    return sorted(shared, key=lambda name: (not name.startswith(LEARNT), name != FIRST))


def main(card: Scorecard) -> str:
    """The metric that pictures show."""
    return next(iter(metrics(card)), FIRST)


def metric_title(card: Scorecard, metric: str) -> str:
    """`COMET`, with the model's name if there are several; `chrF++`, `BLEU`."""
    if not metric.startswith(LEARNT):
        return {"chrf++": "chrF++", "bleu": "BLEU"}.get(metric, metric)
    several = sum(name.startswith(LEARNT) for name in metrics(card)) > 1
    return f"COMET {metric.removeprefix(LEARNT)}" if several else "COMET"


def learnt_metrics(card: Scorecard) -> str:
    """Which COMET models were used, in a few words; empty if none was."""
    named = [name.removeprefix(LEARNT) for name in metrics(card) if name.startswith(LEARNT)]
    return f"COMET: {', '.join(named)}, times 100" if named else ""


def group_scores(row: Row, key: GroupName) -> dict[str, Score]:
    """Metric → a row's mean over a group of directions; empty if it has none."""
    group = row["translation"] and row["translation"][key]
    return scores_of(group) if group else {}


def directions_of(row: Row, key: GroupName) -> list[str]:
    """The directions of a group; empty if a row has none."""
    group = row["translation"] and row["translation"][key]
    return group["directions"] if group else []


def group_score(row: Row, key: GroupName, metric: str) -> Score | None:
    """A row's mean over a group of directions in one metric."""
    return group_scores(row, key).get(metric)


def counted(row: Row, rate: str) -> Rate | None:
    """How many of a row's translations were odd in one way; None if they were not judged."""
    return row["translation"]["rates"][rate] if row["translation"] else None


def beyond(row: Row) -> tuple[float, Rate] | None:
    """The tokens of an answer that are no part of its translation, and their share; None if it is not known."""
    told = row["translation"]
    if not told or not (found := told.get("beyond")) or found["rate"] is None:
        return None
    return found["count"] / told["rates"]["chatter"]["n"], found


def rates(card: Scorecard) -> dict[str, str]:
    """Titles of the rates that were counted; older scorecards have fewer of them."""
    known = [row["translation"]["rates"] for row in card["rows"] if row["translation"]]
    return {rate: title for rate, title in RATE_TITLES.items() if all(rate in rates for rates in known)}


def odd(card: Scorecard) -> dict[str, str]:
    """The same without rates that are 0 for every row, except a few that are always worth a line."""
    rows = translated(card)
    return {
        rate: title
        for rate, title in rates(card).items()
        if rate in ALWAYS or any((found := counted(row, rate)) and found["count"] for row in rows)
    }
