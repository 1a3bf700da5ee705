"""What is asked of `keep`, and what is said of replay: each held against scorecards by a rule that stands here.

A difference counts where its p value is below 0.05 (bootstrap over test items and seeds, paired) and, of retention,
where it is larger than the noise floor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import yaml
from verdicts import AGREES, DISAGREES, NOISE, Claim, between, points, sign

from dragoman.errors import DataError
from dragoman.report import replay
from dragoman.report.compare import Difference, Path, beyond_noise, difference, methods
from dragoman.report.phrases import listed, number, spread
from dragoman.report.translation import group_score
from dragoman.scoring.scorecard.read import AGAIN, read_scorecard
from dragoman.scoring.scorecard.schema import Row, Score, Scorecard, ends

RETENTION: Path = ("retention",)
TRANSLATION: Path = ("translation",)
RATE, LABELS = "training.learning_rate", "training.segments.{}.labels"
GAIN, KEPT, FAR = 95, 97, 95  # % of vanilla's gain; % kept; % kept of families that replay never saw
REACHED, LIKELY, UNLIKELY, MISSED = "reached", "reached, within chance", "missed, within chance", "missed"

Interval = tuple[float, float]
Kind = tuple[str, str]  # labels, and text
PLAIN: Kind = ("", "")
OWN, OTHERS = "own text", "other people's text"
PROMPTS, BOTH = "own answers to other people's prompts", "own answers to prompts of both"
PUBLISHED: Mapping[Kind, float] = {
    PLAIN: 91.2,
    ("soft", OWN): 98.1,
    ("soft", OTHERS): 98.1,
    ("hard", OWN): 96.1,
    ("hard", OTHERS): 85.7,
}
"""Of general benchmarks after Verilog was learnt, % of the base: read off the plot of arXiv 2605.26097, ± 0.6."""
FINDINGS: Sequence[tuple[str, Kind, Kind, Mapping[str, str]]] = (
    ("Soft labels on the model's own text keep more than plain fine-tuning.", ("soft", OWN), PLAIN, {}),
    (
        "With soft labels it hardly matters whose text it is.",
        ("soft", OWN),
        ("soft", OTHERS),
        {NOISE: AGREES, AGREES: DISAGREES},
    ),
    ("On its own text, hard labels keep less than soft ones.", ("soft", OWN), ("hard", OWN), {}),
    ("Hard labels on other people's text keep less than plain fine-tuning.", PLAIN, ("hard", OTHERS), {}),
)
"""What was found there, the two rows that say so, the first of them ahead, and the verdicts where none is to be."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its scorecard, and what its recipe says besides."""

    name: str
    model: str
    card: Scorecard
    rate: float

    @staticmethod
    def of(folder: File) -> "Run":
        recipe: dict[str, Any] = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        rate = float(recipe["training"]["learning_rate"])
        return Run(folder.name, recipe["backbone"], read_scorecard(folder / "scorecard.json"), rate)

    @property
    def on(self) -> str:
        return "the lab" if self.model == "lab" else self.model

    def rate_of(self, one: Row) -> float:
        rate = one["settings"].get(RATE, self.rate)
        assert isinstance(rate, int | float), "a learning rate is a number"
        return float(rate)

    def named(self, name: str) -> Row:
        """The row of this name, or the first of this method."""
        found = sorted(
            (one for one in methods(self.card) if one["method"] == name), key=lambda one: one["name"] != name
        )
        if not found:
            raise DataError(
                f"{self.name} has no row {name}; it has {listed([one['name'] for one in self.card['rows']])}"
            )
        return found[0]

    def like(self, one: Row) -> Row:
        """The row at the usual rate that differs from another row in nothing else, as far as can be told."""
        alike = [row for row in self.at_one_rate() if row["method"] == one["method"] and _others(row) == _others(one)]
        return alike[0] if alike else self.named(one["method"])

    def at_one_rate(self) -> list[Row]:
        """The trained rows at the learning rate of plain fine-tuning."""
        rate = self.rate_of(self.named("vanilla"))
        return [one for one in methods(self.card) if self.rate_of(one) == rate]


def _others(one: Row) -> dict[str, object]:
    """A row's settings but for its learning rate."""
    return {name: value for name, value in one["settings"].items() if name != RATE}


@dataclass(frozen=True, slots=True)
class Found:
    """A row, and the run that it is of."""

    run: Run
    row: Row

    @property
    def rate(self) -> float:
        return self.run.rate_of(self.row)


def swept(run: Run, sweeps: Sequence[Run]) -> dict[str, list[Found]]:
    """Row → itself at all learning rates in their order, also in other runs of the model; none of one rate alone."""
    found: dict[str, list[Found]] = {}
    usual = run.rate_of(run.named("vanilla"))
    for other in (run, *(one for one in sweeps if one.model == run.model)):
        for one in methods(other.card):
            if other.rate_of(one) != usual:
                base = run.like(one)
                found.setdefault(base["name"], [Found(run, base)]).append(Found(other, one))
    return {name: sorted(some, key=lambda one: one.rate) for name, some in found.items()}


def gained(one: Row) -> Score | None:
    return group_score(one, "all", "chrf++")


def far(run: Run, one: Row) -> tuple[float, Interval | None] | None:
    """What a row kept of the families that replay never saw: of all, where none was near; None if all were.

    DataError if the scorecard is of a version that did not tell families apart.
    """
    found = replay.part_of(one, "far")
    if found:
        return found["retention"], interval_of(found["interval"])
    if replay.parts(run.card) or one["retention"] is None:
        return None
    if any(
        replay.is_near(row["replay"]) and "near_families" not in row["replay"]
        for row in methods(run.card)
        if "replay" in row
    ):
        raise DataError(f"{run.name}: its replay is near to families, and its scorecard does not say to which; {AGAIN}")
    return one["retention"], interval_of(one["retention_interval"])


def interval_of(found: Sequence[float] | None) -> Interval | None:
    return ends(found) if found else None


def share(card: Scorecard, name: str, vanilla: str) -> tuple[float, Interval]:
    """A row's share of vanilla's gain in percent; its interval is that of their difference, over vanilla's gain."""
    whole = between(card, vanilla, card["backbone"], TRANSLATION).delta
    apart = Difference(0.0, (0.0, 0.0), 1.0) if name == vanilla else between(card, name, vanilla, TRANSLATION)
    low, high = (100 + 100 * end / whole for end in sorted(apart.interval, key=lambda end: end / whole))
    return 100 + 100 * apart.delta / whole, (low, high)


def above(card: Scorecard, name: str, among: Sequence[Row]) -> dict[str, bool]:
    """The rows that are above one on both axes, and whether both differences are beyond chance."""
    found = {}
    for other in (one["name"] for one in among if one["name"] != name):
        apart = {path: difference(card, other, name, path) for path in (TRANSLATION, RETENTION)}
        if all(one and one.delta > 0 for one in apart.values()):
            found[other] = all(one and beyond_noise(card, one, path) for path, one in apart.items())
    return found


def aims(run: Run) -> list[Claim]:
    """What `keep` is to reach."""
    card, keep, vanilla = run.card, run.named("keep"), run.named("vanilla")["name"]
    name = keep["name"]
    part, its = share(card, name, vanilla)
    kept, its_kept = keep["retention"], interval_of(keep["retention_interval"])
    held = far(run, keep)
    over = above(card, name, run.at_one_rate())
    told = [f"{other} (beyond chance)" if sure else f"{other} (by less than chance)" for other, sure in over.items()]
    return [
        Claim(
            f"It gains at least {GAIN} % of what plain fine-tuning gains.",
            f"{within(part, its)} %; {points(between(card, name, vanilla, TRANSLATION))} chrF++",
            reached(part, its, GAIN),
        ),
        Claim(
            f"It keeps at least {KEPT} %.",
            f"RP {within(kept, its_kept)}",
            "not measured" if kept is None else reached(kept, its_kept, KEPT),
        ),
        Claim(
            f"It keeps at least {FAR} % of the families that replay never saw.",
            f"{within(*held)}{unknown(keep)}" if held else "replay saw all of them",
            reached(*held, FAR) if held else "not measured",
        ),
        Claim(
            "No other row is above it on both axes.",
            listed(told) or "none is",
            MISSED if any(over.values()) else UNLIKELY if over else REACHED,
        ),
    ]


def unknown(one: Row) -> str:
    """How many prompts of a row's replay may have been near to any family."""
    count = sum(replay.unknown(one["replay"]).values()) if "replay" in one else 0
    return f"; {count:,} prompts of unknown kind are not counted as seen" if count else ""


def within(value: float | None, interval: Interval | None) -> str:
    """A number with its interval, if it has one."""
    return f"{number(value)} ({spread(interval)})" if interval else number(value)


def reached(value: float, interval: Interval | None, least: float) -> str:
    """Whether an aim is reached, and whether the whole interval says so."""
    if value >= least:
        return REACHED if interval and interval[0] >= least else LIKELY
    return MISSED if interval and interval[1] < least else UNLIKELY


# Is the ground firm?


def ground(run: Run) -> dict[Kind, Row]:
    """What is learnt besides the task → the row that learns it. DataError if two rows learn the same."""
    found: dict[Kind, Row] = {PLAIN: run.named("vanilla")}
    for one in run.at_one_rate():
        kind = kind_of(one)
        if kind == PLAIN:
            continue
        if kind in found:
            raise DataError(f"{run.name}: {found[kind]['name']} and {one['name']} both learn {named(kind)}; keep one")
        found[kind] = one
    return found


def kind_of(one: Row) -> Kind:
    """Labels and text of what a row learns besides the task: replay, or instruction data."""
    if "replay" in one:
        own = {name == "own" for name in one["replay"]["prompts"]}
        text = BOTH if len(own) > 1 else OWN if True in own else PROMPTS
        labels = one["settings"].get(LABELS.format("replay"), "soft" if one["method"] == "keep" else "hard")
        return str(labels), text
    if one["method"] == "multitask":
        return str(one["settings"].get(LABELS.format("answer"), "hard")), OTHERS
    return PLAIN


def findings(run: Run) -> list[Claim]:
    """What arXiv 2605.26097 found, held against the rows that are there."""
    found = ground(run)
    made = []
    for said, one, other, verdicts in FINDINGS:
        if one not in found or other not in found:
            continue
        gap = between(run.card, found[one]["name"], found[other]["name"], RETENTION)
        verdict = sign(gap) if beyond_noise(run.card, gap, RETENTION) else NOISE
        made.append(Claim(said, f"{points(gap)} points of RP", verdicts.get(verdict, verdict)))
    return made


def named(kind: Kind) -> str:
    return "plain fine-tuning" if kind == PLAIN else f"{kind[0]} labels, {kind[1]}"


def order(found: Mapping[Kind, Row]) -> str:
    """The kinds by what they keep, the most first."""
    kept = {kind: one["retention"] or 0.0 for kind, one in found.items()}
    return " > ".join(f"{named(kind)} ({kept[kind]:.0f})" for kind in sorted(kept, key=lambda kind: -kept[kind]))
