"""Sweeps: rows that differ only in one option, and pictures of its effect: curves over numbers, bars over words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dragoman.report.families import benchmarks, others, score
from dragoman.report.figures import panels
from dragoman.report.figures.markers import colour_of
from dragoman.report.figures.panels import Bars, Curves, Kind, Value
from dragoman.report.phrases import plain
from dragoman.report.translation import group_score
from dragoman.scoring.scorecard.schema import Ability, Row, Score, Scorecard, ends

LEAST = 3  # rows that make a sweep
MARKS = 7  # colours for languages
Options = Mapping[str, tuple[str, Mapping[str, object]]]  # row → its method, and its options


@dataclass(frozen=True, slots=True)
class Sweep:
    """The rows of one method that differ only in `option`, by its value."""

    name: str
    """The name of the first row."""
    option: str
    rows: Mapping[float | str, str]

    @property
    def key(self) -> str:
        """The name of its file."""
        return f"{self.name}-{self.option.rpartition('.')[2]}"

    @property
    def numeric(self) -> bool:
        return not any(isinstance(value, str) for value in self.rows)


def sweeps(options: Options) -> list[Sweep]:
    """All sweeps of at least three rows over numbers or words, in the order of the rows."""
    found: dict[str, dict[float | str, str]] = {}
    names: dict[str, tuple[str, str]] = {}
    for row, (method, given) in options.items():
        for option, value in given.items():
            if option == "label" or isinstance(value, bool) or not isinstance(value, (int, float, str)):
                continue
            rest = {name: other for name, other in given.items() if name not in (option, "label")}
            alike = repr((method, option, rest))
            names.setdefault(alike, (row, option))
            found.setdefault(alike, {}).setdefault(value, row)
    made = [Sweep(*names[alike], rows) for alike, rows in found.items() if len(rows) >= LEAST]
    return [one if not one.numeric else Sweep(one.name, one.option, dict(sorted(one.rows.items()))) for one in made]


def picture(card: Scorecard, sweep: Sweep, style: str = "", *, narrow: bool = False) -> Markup | None:
    """A sweep's effect on everything that was judged; None if nothing was. Bars have the colours of their rows."""
    by_name = {row["name"]: row for row in card["rows"]}
    rows = {value: by_name[row] for value, row in sweep.rows.items() if row in by_name}
    judged = _judged(card, list(rows.values()))
    if not judged or len(rows) < LEAST:
        return None
    option = plain(sweep.option.rpartition(".")[2])
    title = f"{sweep.name} by {option}"
    places = list(dict.fromkeys(place for panel in judged.values() for place in panel))
    if sweep.numeric:
        kinds = [Kind(place, n % MARKS, mark=True) for n, place in enumerate(places)]
        drawn = [
            Curves(name, [_line(panel.get(place, {}), rows) for place in places]) for name, panel in judged.items()
        ]
        return panels.curves(drawn, kinds, title, option, style=style, narrow=narrow)
    colours = {row["name"]: colour_of(place) for place, row in enumerate(card["rows"])}
    kinds = [Kind(str(value), colours[row["name"]]) for value, row in rows.items()]
    grouped = [
        Bars(name, [(place, [scores.get(row["name"]) for row in rows.values()]) for place, scores in panel.items()])
        for name, panel in judged.items()
    ]
    return panels.bars(grouped, kinds, title, style=style, narrow=narrow)


Scores = Mapping[str, Value]  # row → its score


def _line(scores: Scores, rows: Mapping[float | str, Row]) -> list[tuple[float, Value]]:
    return [(float(value), scores[row["name"]]) for value, row in rows.items() if row["name"] in scores]


def _judged(card: Scorecard, rows: Sequence[Row]) -> dict[str, dict[str, Scores]]:
    """What was measured → language (or empty) → the rows' scores."""
    found: dict[str, dict[str, Scores]] = {}
    for parts in benchmarks(card):
        found.setdefault(f"{plain(parts.name)}, %", {})[parts.place] = _scores(rows, parts.family)
    judged = {row["name"]: one for row in rows if (one := group_score(row, "all", "chrf++"))}
    if judged:
        found["translation, chrF++"] = {"": {name: value_of(one) for name, one in judged.items()}}
    for family in [*others(rows, "skills"), *others(rows, "abilities")]:
        found[f"{plain(family)}, %"] = {"": _scores(rows, family)}
    if kept := {row["name"]: _kept(row) for row in rows if row["retention"] is not None}:
        found["kept of all (RP), %"] = {"": kept}
    return {name: panel for name, panel in found.items() if any(panel.values())}


def _kept(row: Row) -> Value:
    kept = row["retention"] or 0.0
    return Value(kept, ends(row["retention_interval"] or [kept, kept]))


def _scores(rows: Sequence[Row], family: str) -> Scores:
    scores = {row["name"]: score(row, family) for row in rows}
    return {name: value_of(found) for name, found in scores.items() if found and found["score"] is not None}


def value_of(found: Score | Ability) -> Value:
    """A score of the card as a picture shows it; of one without an interval the score alone."""
    assert found["score"] is not None, "what has no score is in no picture"
    return Value(found["score"], ends(found["interval"] or [found["score"]] * 2))
