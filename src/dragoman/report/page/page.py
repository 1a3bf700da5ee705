"""The report page: shows what was gained and what was kept; self-contained, no script, no network.

Whatever comes from models or data is text to this page: the template engine escapes it all, and the page's own policy
forbids scripts and requests besides.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dragoman.corpora.records import draw
from dragoman.rationales.faults import FAULTS, Fault
from dragoman.rationales.report import STEPS
from dragoman.report import abilities, drift, replay, translation
from dragoman.report import phrases as words
from dragoman.report import terminal as tables
from dragoman.report.compare import baseline, floor, methods, of_backbone, within_noise
from dragoman.report.figures import charts, sweeps
from dragoman.report.figures.figure1 import plane, points_of, skill_title
from dragoman.report.figures.markers import COLOURS, colour_of, style_of_dots
from dragoman.report.page import benchmark_panels as closer
from dragoman.report.page import translations
from dragoman.report.remarks import remarks
from dragoman.report.tables import benchmarks, paper
from dragoman.report.tables import table_formats as formats
from dragoman.report.tables.readme import markdown
from dragoman.report.tables.table import Table
from dragoman.report.verdict import verdict
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.schema import Ability, Row, Scorecard, ends
from dragoman.suites.questions.suite import Answered
from dragoman.terminal import visible
from dragoman.training import validation

Piece = tuple[str, str]  # name of a segment, and its text
EXAMPLES = 3  # shown of each method
LONGEST = 2000  # letters shown of one text, so that the page stays small
GLIMPSE = 200  # of one that may do harm, and only on demand
LONG = 90  # letters of a claim from which on the page begins with a list
MANY = 4  # rows from which on the page is set wider, and what is long is folded
SEGMENTS = ("reference", "rationale", "end", "prompt", "own", "answer")  # in the order of their colours and dashes
# What is wrong with a rationale: its name, and the rule by which it is known
FAULT_TITLES: Mapping[Fault, tuple[str, str]] = {
    "failed": ("failed", "refused by the server for good"),
    "empty": ("empty", "nothing but white space"),
    "cut": ("cut off", "ended by the token limit; its end is not trained"),
    "repeating": ("goes round in circles", "the last four tokens five times, or sixteen in a row three times"),
    "wrong_language": ("wrong language", "mostly in one that is neither English nor of the pair"),
    "repeats_reference": ("repeats reference", "says it again, and nothing else"),
    "contradicts_reference": ("second translation", "one that is not the reference, be it as good"),
    "duplicate": ("said before", "word by word of another reference, among 1,024 pairs"),
}


@dataclass(frozen=True, slots=True)
class Details:
    """What the page shows in addition to the scorecard. All of it may be empty."""

    name: str
    """The experiment's name."""
    results: Mapping[str, RowResults] = field(default_factory=dict)
    """Every row's answers; of several trainings, the first one's."""
    losses: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)
    """Method → lines of its `metrics.jsonl`: `step`, `loss`, and `loss/NAME` for each segment. Of several trainings,
    the first one's.
    """
    examples: Mapping[str, Sequence[Sequence[Piece]]] = field(default_factory=dict)
    """Method → some training examples, each as the texts of its named segments."""
    replay: Sequence[Sequence[Piece]] = ()
    """Some examples of replay, which rows learnt beside their own."""
    notes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Method → counts made while its examples were made."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """How the run was made: versions, machine, times, sizes."""
    recipe: str = ""
    """The resolved recipe."""
    options: sweeps.Options = field(default_factory=dict)
    """Row → its method, and its options."""


@dataclass(frozen=True, slots=True)
class ShownAnswers:
    """Some questions of a family, each with every row's answer."""

    family: str
    questions: Sequence[Mapping[str, Answered]]


def write_report(folder: Path, card: Scorecard, details: Details) -> None:
    """Writes everything that a run leaves to look at.

    `scorecard.json`, `report.html`, `table.md`, `tables/` in the paper's layout, and `picture.svg`, which is also
    `tables/figure1.svg`, if there is something to draw; `sweep-ROW-OPTION.svg` for rows that differ in one option.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
    # Half a character is spelled out, which in JSON is the escape that it is read back from.
    (folder / "scorecard.json").write_text(told, encoding="utf-8", errors="backslashreplace")
    (folder / "report.html").write_text(page(card, details), encoding="utf-8")
    (folder / "table.md").write_text(visible(markdown(card)), encoding="utf-8")
    formats.write_tables(folder / "tables", paper.tables(card))
    drawn = picture(card)
    if drawn:
        for path in (folder / "picture.svg", folder / "tables" / "figure1.svg"):
            path.write_text(drawn + "\n", encoding="utf-8")
    for key, swept in _sweeps(card, details, charts.style_sheet()).items():
        (folder / f"sweep-{key}.svg").write_text(visible(swept) + "\n", encoding="utf-8")


def page(card: Scorecard, details: Details) -> str:
    """The page as HTML, with characters that HTML does not allow spelled out."""
    colours, made, said = _colours(card), paper.tables(card), verdict(card)
    by_language = made.pop("benchmarks", [])
    return visible(
        _templates()
        .get_template("page.html")
        .render(
            card=card,
            rows=card["rows"],
            details=details,
            colours=colours,
            verdict=said,
            remarks=remarks(card),
            plane=_plane(card),
            narrow_plane=_plane(card, narrow=True),
            key_fits=len(card["rows"]) <= COLOURS,
            style_of_dots=Markup(style_of_dots()),
            skill=skill_title(card),
            groups=translation.groups(card),
            metrics=translation.metrics(card),
            metric_title=partial(translation.metric_title, card),
            models_of_metrics=translation.learnt_metrics(card),
            group_score=translation.group_score,
            families=abilities.by_side(card, abilities.abilities(card)),
            comparisons=abilities.comparisons(card),
            draw_apart=abilities.draw_apart,
            unjudged=abilities.unjudged,
            digits=partial(abilities.digits, card),
            unit=partial(abilities.unit, card),
            ratings=any(abilities.unit(card, name) != "%" for name in abilities.abilities(card)),
            changed=tables.changed(card),
            drift=drift,
            replay=replay,
            compared=bool(methods(card)),
            baseline=baseline(card),
            within_noise=within_noise,
            finished=any(row["method"] == "finished" for row in card["rows"]),
            floor=floor(card),
            kept=of_backbone(card) and any(row["retention"] is not None for row in methods(card)),
            skills=abilities.skills(card),
            closer=closer.panels(card, details.results, colours),
            many=len(card["rows"]) > MANY,
            listed=len(card["rows"]) > MANY or any(len(claim) > LONG for _, claim in said),
            trainings=words.trainings(card),
            tables=made,
            benchmarks=by_language,
            subjects=benchmarks.subjects(card),
            sweeps=list(zip(*(_sweeps(card, details, narrow=n).values() for n in (False, True)), strict=True)),
            figure=formats.figure,
            spanned=_spanned,
            rates=translation.rates(card),
            beyond={row["name"]: found for row in card["rows"] if (found := translation.beyond(row))},
            alone=translations.left_alone(words.rationales(card), details.results),
            fault_titles=FAULT_TITLES,
            bar=_bar,
            segment=_segment,
            losses=_losses(details, colours),
            drifted=_drift(details, colours),
            validated=any(validation.NAME in line for lines in details.losses.values() for line in lines),
            translations=translations.shown(details.results),
            examples={name: list(some[:EXAMPLES]) for name, some in details.examples.items() if some},
            replayed=list(details.replay[:EXAMPLES]),
            lengths=_lengths(card, colours),
            taught=words.rationales(card),
            faults=_faults(card),
            answers=_answers(details, card["backbone"]),
            signatures=_signatures(card),
        )
    )


def picture(card: Scorecard) -> str | None:
    """Translation against retention as a picture that stands alone; None if one of the two was not judged."""
    drawn = _plane(card, charts.style_sheet())
    return visible(drawn) if drawn else None


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("dragoman.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "signed": words.signed,
        "spread": words.spread,
        "plain": words.plain,
        "p_value": words.p_value,
        "significant": words.significant,
        "share": words.share,
        "clip": clip,
        "glimpse": partial(clip, longest=GLIMPSE),
    }
    return environment


def clip(text: str, longest: int = LONGEST) -> str:
    """The beginning of a long text, and how much more there is."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text) - longest:,} more letters)"


def _colours(card: Scorecard) -> dict[str, int]:
    """Row → index of its colour and shape."""
    return {row["name"]: colour_of(place) for place, row in enumerate(card["rows"])}


def _spanned(table: Table) -> list[tuple[str, int]]:
    """The headings above the columns' headings, including the column of names."""
    return [("", 1), *table.spans] if table.spans else []


def _plane(card: Scorecard, style: str = "", *, narrow: bool = False) -> Markup | None:
    points = points_of(card)
    if not points or not of_backbone(card):
        return None  # one model alone has nothing to keep
    return plane(points, floor(card), skill_title(card), "abilities kept", style, narrow=narrow)


def _sweeps(card: Scorecard, details: Details, style: str = "", *, narrow: bool = False) -> dict[str, Markup]:
    """A picture for each option that rows were swept over, by file name."""
    found = sweeps.sweeps(details.options)
    drawn = {sweep.key: sweeps.picture(card, sweep, style, narrow=narrow) for sweep in found}
    return {key: one for key, one in drawn.items() if one}


def _bar(ability: Ability, colour: int) -> Markup | str:
    if ability["retention"] is None or not ability["retention_interval"]:
        return ""
    return charts.kept_bar(ability["retention"], ends(ability["retention_interval"]), colour)


def _highest(losses: Mapping[str, Sequence[Mapping[str, float]]]) -> float | None:
    """One scale for all methods: the highest loss of any segment once training has settled in."""
    settled = [value for lines in losses.values() for curve in _by_segment(lines) for _, value in curve.points[2:]]
    return max(settled, default=None)


def _losses(details: Details, colours: Mapping[str, int]) -> dict[str, Markup]:
    """A picture of each row's losses, in its colour."""
    top = _highest(details.losses)
    some = {name: lines for name, lines in details.losses.items() if lines}
    return {name: charts.curves(_by_segment(lines), colours.get(name, 0), top) for name, lines in some.items()}


def _by_segment(lines: Sequence[Mapping[str, float]]) -> list[charts.Curve]:
    """The losses of the segments, or the total loss if they were not logged separately; and the validation loss."""
    names = list(dict.fromkeys(key for line in lines for key in line if key.startswith("loss/"))) or ["loss"]
    found = [
        charts.Curve(
            name=name.removeprefix("loss/"),
            points=[(line["step"], line[name]) for line in lines if name in line],
            dashes=_segment(name.removeprefix("loss/")),
        )
        for name in names
    ]
    validated = [(line["step"], line[validation.NAME]) for line in lines if validation.NAME in line]
    return [*found, charts.Curve("validation", validated, dashes=0, dots=True)] if validated else found


def _drift(details: Details, colours: Mapping[str, int]) -> dict[str, Markup]:
    """A picture of each row's drift while it was trained, on one scale; none where that was not measured."""
    rows = {name: found for name, lines in details.losses.items() if (found := validation.drift(lines))}
    top = max((value for found in rows.values() for one in found.values() for value in one.values()), default=None)
    title = "Drift from the backbone over the steps"
    drawn = {}
    for name, found in rows.items():
        lines = [
            charts.Curve(kind, sorted(values.items()), at, dots=True) for at, (kind, values) in enumerate(found.items())
        ]
        drawn[name] = charts.curves(lines, colours.get(name, 0), top, "drift", title, 3)
    return drawn


def _segment(name: str) -> int:
    """The colour index of a kind of segment; unknown kinds share the last."""
    return SEGMENTS.index(name) if name in SEGMENTS else len(SEGMENTS)


def _lengths(card: Scorecard, colours: Mapping[str, int]) -> dict[str, Markup]:
    """A picture for each row with rationales, all over the same lengths."""
    reports = {name: report for name, report in words.rationales(card).items() if report.lengths}
    seen = [low for report in reports.values() for low in report.lengths]
    bins = [low for low in STEPS if min(seen) <= low <= max(seen)] if seen else []
    return {
        name: charts.lengths([(low, report.lengths.get(low, 0)) for low in bins], colours[name])
        for name, report in reports.items()
    }


def _faults(card: Scorecard) -> list[Fault]:
    """All faults; failures only if a server refused something."""
    failed = any(report.faults.get("failed") for report in words.rationales(card).values())
    return [fault for fault in FAULTS if fault != "failed" or failed]


def _answers(details: Details, backbone: str) -> list[ShownAnswers]:
    """For each family a question that some row forgot and one that all rows kept, selected by a hash."""
    judged = {name: result.abilities for name, result in details.results.items() if result.abilities}
    if backbone not in judged:
        return []
    shown = []
    by_row = {name: result.families for name, result in judged.items()}
    for family in by_row[backbone]:
        questions = [
            dict(zip(by_row, answers, strict=True))
            for answers in zip(*(families[family] for families in by_row.values()), strict=True)
        ]
        known = sorted(
            (answers for answers in questions if answers[backbone].passed),
            key=lambda answers: draw(answers[backbone].question.key, "page"),
        )
        forgotten = next((answers for answers in known if not _all_passed(answers)), None)
        kept = next((answers for answers in known if _all_passed(answers)), None)
        picked = [answers for answers in (forgotten, kept) if answers]
        if picked:
            shown.append(ShownAnswers(family, picked))
    return shown


def _all_passed(answers: Mapping[str, Answered]) -> bool:
    return all(answer.passed for answer in answers.values())


def _signatures(card: Scorecard) -> dict[str, str]:
    """What was measured → its signature in the first row, since all rows are judged alike."""
    found: dict[str, str] = {}
    for row in reversed(card["rows"]):
        found |= _signatures_of(row)
    return found


def _signatures_of(row: Row) -> dict[str, str]:
    found: dict[str, str] = {}
    if row["translation"]:
        for direction, metrics in row["translation"]["directions"].items():
            found |= {
                f"{direction} {name}": f"{score['signature']} · n {score['n']}" for name, score in metrics.items()
            }
    for family, ability in [*row["abilities"].items(), *row["skills"].items()]:
        found[words.plain(family)] = f"{ability['signature']} · n {ability['n']}"
    if "drift" in row:
        found["drift"] = row["drift"]["signature"]
    return found
