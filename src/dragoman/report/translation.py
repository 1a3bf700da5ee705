"""Translation in a scorecard: which rows were judged, by which metrics, and the metrics' titles."""

from collections.abc import Mapping

from dragoman.report.compare import Card

GROUPS = (("into_english", "into English"), ("out_of_english", "out of English"), ("all", "all"))
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


def translated(card: Card) -> list[Card]:
    """The rows whose translation was judged."""
    return [row for row in card["rows"] if row["translation"] and row["translation"]["all"]]


def groups(card: Card) -> list[tuple[str, str]]:
    """The means over directions that there are, and their titles."""
    return [(key, title) for key, title in GROUPS if any(row["translation"][key] for row in translated(card))]


def metrics(card: Card) -> list[str]:
    """All metrics that every row has for all directions: COMET first, then chrF++, then the others."""
    found = [set(row["translation"]["all"]) - {"directions"} for row in translated(card)]
    named = [name for row in translated(card)[:1] for name in row["translation"]["all"] if name != "directions"]
    shared = [name for name in named if all(name in some for some in found)]
    return sorted(shared, key=lambda name: (not name.startswith(LEARNT), name != FIRST))


def main(card: Card) -> str:
    """The metric that pictures show."""
    return next(iter(metrics(card)), FIRST)


def metric_title(card: Card, metric: str) -> str:
    """`COMET`, with the model's name if there are several; `chrF++`, `BLEU`."""
    if not metric.startswith(LEARNT):
        return {"chrf++": "chrF++", "bleu": "BLEU"}.get(metric, metric)
    several = sum(name.startswith(LEARNT) for name in metrics(card)) > 1
    return f"COMET {metric.removeprefix(LEARNT)}" if several else "COMET"


def learnt_metrics(card: Card) -> str:
    """Which COMET models were used, in a few words; empty if none was."""
    named = [name.removeprefix(LEARNT) for name in metrics(card) if name.startswith(LEARNT)]
    return f"COMET: {', '.join(named)}, times 100" if named else ""


def group_score(row: Card, key: str, metric: str) -> Card | None:
    """A row's SCORE over a group of directions."""
    group = row["translation"] and row["translation"][key]
    found: Card | None = group.get(metric) if group else None
    return found


def rates(card: Card) -> dict[str, str]:
    """Titles of the rates that were counted; older scorecards have fewer of them."""
    known = [row["translation"]["rates"] for row in card["rows"] if row["translation"]]
    return {rate: title for rate, title in RATE_TITLES.items() if all(rate in rates for rates in known)}


def odd(card: Card) -> dict[str, str]:
    """The same without rates that are 0 for every row, except a few that are always worth a line."""
    rows = translated(card)
    return {
        rate: title
        for rate, title in rates(card).items()
        if rate in ALWAYS or any(row["translation"]["rates"][rate]["count"] for row in rows)
    }
