"""The RaDis paper's tables: its Tables 1, 2, 3, 5 and 7, and what each method cost.

Rows come in the paper's order, finished models first after the backbone; differences are those it shows (from the
backbone for translation, from plain fine-tuning for abilities), and RP is the mean retention against the backbone.
There is a translation table for each metric, COMET first. Families that are a benchmark in a language are in a
separate table for each language.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from dragoman.methods import available
from dragoman.report.abilities import abilities, comparisons, digits, side, skills, unit
from dragoman.report.compare import RETENTION, Path, methods
from dragoman.report.phrases import plain
from dragoman.report.tables import benchmarks, sequence
from dragoman.report.tables.captions import caption_of, caption_of_cost
from dragoman.report.tables.table import Cell, Column, Measure, Number, Table, filled, line
from dragoman.report.translation import FIRST, directions_of, group_score, is_translated, main, metric_title, metrics
from dragoman.scoring.scorecard.schema import GroupName, Kind, Row, Scorecard
from dragoman.suites import shown

HEADINGS = ("instructions", "safety", "reasoning and knowledge")
"""Headings over families of questions, in their order."""
BY_SIDE: Mapping[str, str] = {"instruction": "instructions", "safety": "safety"}
Counted = Literal[
    "examples", "generated_tokens", "generating_seconds", "trained_tokens", "steps", "training_seconds"
]  # of a row's cost
OTHERS, BESIDE = "others", "beside the backbone"


def tables(card: Scorecard) -> dict[str, list[Table]]:
    """A table's key → the table, or the several that make it up. Tables without data in the card are left out."""
    setting = _Setting.of(card)
    made = {
        "translation": _translation(setting),
        "benchmarks": _benchmarks(setting),
        "abilities": _abilities(setting),
        "ablation": _ablation(setting),
        "skill": _skill(setting),
        "sequence": [sequence.table(card, {row["name"]: title(row) for row in card["rows"]})],
        "cost": _cost(setting),
    }
    return {key: [table for table in some if table] for key, some in made.items() if any(some)}


@dataclass(frozen=True, slots=True)
class _Setting:
    """What all tables of one card share."""

    card: Scorecard
    rows: Sequence[Row]
    """The rows in the paper's order."""
    baseline: str | None
    """The row that abilities are compared with."""

    @staticmethod
    def of(card: Scorecard) -> "_Setting":
        known = available()
        placed = sorted((method for method in known.values() if method.place), key=lambda method: method.place)
        order = ["backbone", "finished", *(method.name for method in placed)]
        rows = sorted(
            card["rows"], key=lambda row: order.index(row["method"]) if row["method"] in order else len(order)
        )
        plain = {name for name, method in known.items() if method.baseline == "abilities"}
        return _Setting(card, rows, next((row["name"] for row in rows if row["method"] in plain), None))

    @property
    def backbone(self) -> str:
        return self.card["backbone"]

    @property
    def reference(self) -> str:
        """What abilities are compared with: plain fine-tuning, or the backbone if there is no such row."""
        return self.baseline or self.backbone

    @property
    def families(self) -> list[str]:
        """The abilities, without benchmarks in a language and comparisons, in the order of their headings."""
        order = [*HEADINGS, OTHERS]
        return sorted(abilities(self.card), key=lambda name: (order.index(self.heading(name)), self._rank(name)))

    def heading(self, family: str) -> str:
        """The heading of a family's column."""
        how = shown().get(family)
        named = how.heading if how else ""
        return named or BY_SIDE.get(side(self.card, family), OTHERS)

    def _rank(self, family: str) -> float:
        how = shown().get(family)
        return how.rank if how and how.heading else math.inf

    @property
    def skills(self) -> list[str]:
        return skills(self.card)


def title(row: Row) -> str:
    """The paper's name of a method; the row's own name if the recipe gave it one."""
    name = row["name"]
    if name != row["method"]:
        return name
    known = available()
    return "Backbone" if name == "backbone" else (name in known and known[name].title) or name


def _translation(setting: _Setting) -> list[Table | None]:
    """Tables 1 and 2, and one for pairs of other languages, by each metric."""
    rows = [row for row in setting.rows if is_translated(row)]
    made: list[Table | None] = []
    for metric in metrics(setting.card):
        made += _by_direction(setting, rows, metric)
    return made


def _by_direction(setting: _Setting, rows: Sequence[Row], metric: str) -> list[Table]:
    """The tables by one metric; the mean over all directions is in the last table."""
    out, into = directions_of(rows[0], "out_of_english"), directions_of(rows[0], "into_english")
    directions = list(rows[0]["translation"]["directions"]) if rows[0]["translation"] else []
    other = [direction for direction in directions if direction not in (*out, *into)]
    every: list[tuple[GroupName | Literal["other"], str, list[str]]] = [
        ("out_of_english", "Translation out of English", out),
        ("into_english", "Translation into English", into),
        ("other", "Translation between other languages", other),
    ]
    parts = [part for part in every if part[2]]
    named = metric_title(setting.card, metric)
    made = []
    for key, heading, among in parts:
        measures = [
            Measure(
                Column(arrow(name)),
                _path(metric, "directions", name),
                partial(_direction, name, metric),
                against=setting.backbone,
            )
            for name in among
        ]
        if key != "other" and len(among) > 1:
            measures.append(_group(setting, key, "mean", metric))
        if key == parts[-1][0] and (len(parts) > 1 or key == "other"):
            measures.append(_group(setting, "all", f"all {len(directions)}", metric))
        titled = heading if metric == FIRST else f"{heading}, {named}"
        made.append(_compared(setting, f"{key}{_suffix(metric)}", titled, rows, measures, "the backbone", metric))
    return made


def _suffix(metric: str) -> str:
    """What distinguishes the labels of a metric's tables from those of the first metric."""
    return "" if metric == FIRST else f"-{metric.replace(':', '-')}"


def _path(metric: str, *place: str) -> Path:
    """Where a pair of rows has its difference in a metric: the first metric's is in another field than the others'."""
    if metric == FIRST:
        return place
    return ("metrics", metric, *(["all"] if place == ("translation",) else place))


def arrow(direction: str) -> str:
    """`en-de` as a column's heading."""
    return "→".join(direction.split("-"))


def _direction(name: str, metric: str, row: Row) -> Number | None:
    scores = row["translation"]["directions"] if row["translation"] else {}
    return Number.of(scores[name][metric]) if name in scores and metric in scores[name] else None


def _group(setting: _Setting, key: GroupName, heading: str, metric: str) -> Measure:
    path = _path(metric, "translation" if key == "all" else key)
    return Measure(Column(heading), path, partial(_mean, key, metric), against=setting.backbone)


def _mean(key: GroupName, metric: str, row: Row) -> Number | None:
    found = group_score(row, key, metric)
    return Number.of(found) if found else None


def _ability(kind: Kind, family: str, row: Row) -> Number | None:
    found = row[kind].get(family)
    return Number.of(found) if found else None


def _retention(row: Row) -> Number | None:
    if row["retention"] is None:
        return None
    interval = None if row["method"] == "backbone" else row["retention_interval"]
    return Number(row["retention"], interval, seeds=row["retention_seeds"])


def _family_measures(setting: _Setting, against: str | None) -> list[Measure]:
    """A column for each family under its group's heading, then RP, then comparisons, which are not part of it."""
    measures = [_family_measure(setting, name, setting.heading(name), against) for name in setting.families]
    beside = [_family_measure(setting, name, BESIDE, None) for name in comparisons(setting.card)]
    return [*measures, *_retentions(setting), *beside]


def _family_measure(setting: _Setting, family: str, group: str, against: str | None) -> Measure:
    return Measure(
        Column(plain(family), group),
        ("families", family),
        partial(_ability, "abilities", family),
        digits=max(1, digits(setting.card, family)),
        against=against,
        unit=unit(setting.card, family),
    )


def _retentions(setting: _Setting) -> list[Measure]:
    if all(row["retention"] is None for row in methods(setting.card)):
        return []  # of the backbone alone there is no retention
    return [Measure(Column("RP, %"), RETENTION, _retention)]


def _benchmarks(setting: _Setting) -> list[Table | None]:
    """The tables of benchmarks by language; RP is here if no table of abilities has it."""
    rows = [row for row in setting.rows if row["abilities"] or row["skills"]]
    more = [] if setting.families else _retentions(setting)
    return [*benchmarks.tables(setting.card, rows, [title(row) for row in rows], more)]


def _abilities(setting: _Setting) -> list[Table | None]:
    """Table 3."""
    rows = [row for row in setting.rows if row["abilities"]]
    measures = _family_measures(setting, setting.reference)
    if not rows or not (setting.families or comparisons(setting.card)):
        return []
    return [_compared(setting, "abilities", "Abilities kept", rows, measures, _named(setting, setting.reference))]


def _named(setting: _Setting, name: str) -> str:
    return "the backbone" if name == setting.backbone else next(title(r) for r in setting.rows if r["name"] == name)


def _ablation(setting: _Setting) -> list[Table | None]:
    """Table 5: a method with rationales of different writers, beside the backbone's own."""
    known = available()
    variants = [row for row in setting.rows if row["method"] in known and known[row["method"]].rationales]
    if len(variants) < 2:
        return []
    own = next((row for row in variants if row["writer"] is None), variants[0])["name"]
    measures = [_translated(setting)] if any(map(is_translated, variants)) else []
    measures += [*_skill_measures(setting), *_family_measures(setting, own)]
    measures = [replace(measure, against=own) for measure in measures]
    if not measures:
        return []
    reference = [row for row in setting.rows if row["name"] in (setting.backbone, setting.baseline)]
    rows = [*reference, *variants]
    titles = [*(title(row) for row in reference), *(f"{title(row)} ({_writer(row)})" for row in variants)]
    lines = filled(setting.card, rows, titles, measures, [row["name"] for row in variants])
    note = "In brackets after a name who wrote the rationales; marks are given among these rows."
    by = metric_title(setting.card, main(setting.card))
    whom = _named(setting, own)
    caption = f"{note} {caption_of(setting.card, measures, lines, whom, by)}"
    return [Table("ablation", "Sources of the rationales", caption, tuple(m.column for m in measures), lines, whom)]


def _translated(setting: _Setting) -> Measure:
    """Translation in one column, by the first metric."""
    metric = main(setting.card)
    return _group(setting, "all", f"translation, {metric_title(setting.card, metric)}", metric)


def _writer(row: Row) -> str:
    return row["writer"].rstrip("/").rpartition("/")[2] if row["writer"] else "itself"


def _skill_measures(setting: _Setting) -> list[Measure]:
    return [
        Measure(
            Column(plain(skill), "skill"),
            ("skills", skill),
            partial(_ability, "skills", skill),
            against=setting.backbone,
            unit=unit(setting.card, skill),
        )
        for skill in setting.skills
    ]


def _skill(setting: _Setting) -> list[Table | None]:
    """Table 7: a skill other than translation, beside the abilities kept."""
    if not setting.skills:
        return []
    rows = [row for row in setting.rows if row["skills"]]
    measures = _skill_measures(setting)
    measures += _family_measures(setting, setting.reference)
    whom = "the backbone"
    if setting.baseline and setting.families:
        whom += f" for the skill, from {_named(setting, setting.baseline)} for abilities"
    return [_compared(setting, "skill", "Another skill, and abilities kept", rows, measures, whom)]


def _compared(
    setting: _Setting,
    key: str,
    heading: str,
    rows: Sequence[Row],
    measures: Sequence[Measure],
    whom: str,
    metric: str = "",
) -> Table:
    lines = filled(setting.card, rows, [title(row) for row in rows], measures)
    caption = caption_of(setting.card, measures, lines, whom, metric and metric_title(setting.card, metric))
    return Table(key, heading, caption, tuple(measure.column for measure in measures), lines, whom)


def _cost(setting: _Setting) -> list[Table | None]:
    """What each method cost, beside its results."""
    rows = [row for row in setting.rows if row["cost"]]
    if not rows:
        return []
    metric = main(setting.card)
    named = metric_title(setting.card, metric)
    judged = [_group(setting, "all", named, metric)] if any(row["translation"] for row in rows) else []
    judged += _skill_measures(setting)
    judged += [m for m in _family_measures(setting, None) if m.path == RETENTION]
    counted: list[tuple[Counted, str, str]] = [
        ("examples", "examples", "examples"),
        ("generated_tokens", "tokens", "generation"),
        ("generating_seconds", "seconds", "generation"),
        ("trained_tokens", "tokens", "training"),
        ("steps", "steps", "training"),
        ("training_seconds", "seconds", "training"),
    ]
    columns = [Column(heading, group if group != heading else "") for _, heading, group in counted]
    columns += [Column(measure.column.title, "result") for measure in judged]
    results = filled(setting.card, rows, [""] * len(rows), judged, ())
    lines = tuple(
        line(
            row,
            title(row),
            [*(Cell(cost[key], 0) for key, _, _ in counted), *(_bare(cell) for cell in result.cells)],
        )
        for row, result in zip(rows, results, strict=True)
        if (cost := row["cost"])
    )
    caption = caption_of_cost(lines)
    return [Table("cost", "What each method cost", caption, tuple(columns), lines)]


def _bare(cell: Cell) -> Cell:
    return Cell(cell.value, cell.digits, cell.interval, seeds=cell.seeds, sd=cell.sd, n=cell.n)
