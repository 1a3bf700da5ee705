"""Comparing rows: which of two is ahead, and whether by more than noise.

Every claim that compares two methods is made here: a difference counts if the paired test over items and seeds says
so, and, for the abilities kept, if it is also larger than the noise floor. Otherwise no difference was found, which
is not the same as none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dragoman.scoring.scorecard.schema import Ability, Gap, Row, RowPair, Score, Scorecard, ends

Mark = Literal["", "best", "second"]
State = Literal["better", "worse", "open"]  # open: no difference was found
Path = tuple[str, ...]  # where a difference stands in a pair: ("retention",) or ("families", "reading")

SIGNIFICANT = 0.05
RETENTION: Path = ("retention",)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one row is ahead of another in one measure."""

    delta: float
    interval: tuple[float, float]
    p: float

    @property
    def state(self) -> State:
        """What the paired test says."""
        if self.p >= SIGNIFICANT:
            return "open"
        return "better" if self.delta > 0 else "worse"


def told(found: Difference, digits: int = 1) -> Difference:
    """A difference as a sentence has it: where it rounds to nothing, none was found, whatever the test says."""
    return found if round(found.delta, digits) else replace(found, p=1.0)


def from_first(score: Score | Ability | None) -> Difference | None:
    """How far a score is ahead of the first row's; None if the two were not compared."""
    if score is None or score["delta"] is None:
        return None
    interval = ends(score["delta_interval"] or [score["delta"]] * 2)
    return Difference(score["delta"], interval, 1.0 if score["p"] is None else score["p"])


def methods(card: Scorecard) -> list[Row]:
    """All rows but the first, with which they are compared."""
    return [row for row in card["rows"] if row["name"] != card["backbone"]]


def of_backbone(card: Scorecard) -> bool:
    """Whether rows are compared with their backbone, of which they can keep a share, and not with another model."""
    return bool(methods(card)) and card["rows"][0]["method"] == "backbone"


def baseline(card: Scorecard) -> str:
    """What rows are compared with: `the backbone`, or the name of another model."""
    return "the backbone" if of_backbone(card) else card["backbone"]


def difference(card: Scorecard, row: str, other: str, path: Path) -> Difference | None:
    """How far `row` is ahead of `other`, whichever of them the card names first; None if that was not tested."""
    for pair in card["pairs"]:
        if {pair["row"], pair["other"]} == {row, other}:
            found = _gap(pair, path)
            if found is None:
                return None
            low, high = found["interval"]
            if pair["row"] == row:
                return Difference(found["delta"], (low, high), found["p"])
            return Difference(-found["delta"], (-high, -low), found["p"])
    return None


def _gap(pair: RowPair, path: Path) -> Gap | None:
    """The difference at a path; None if the two rows were not compared in it."""
    match path:
        case ("translation" | "into_english" | "out_of_english" | "retention" as key,):
            return pair[key]
        case ("directions" | "families" | "skills" as key, name):
            return pair[key].get(name)
        case ("metrics", metric, "into_english" | "out_of_english" | "all" as key) if metric in pair["metrics"]:
            return pair["metrics"][metric][key]
        case ("metrics", metric, "directions", name) if metric in pair["metrics"]:
            return pair["metrics"][metric]["directions"].get(name)
    return None


def floor(card: Scorecard) -> float | None:
    """How far the backbone's retention of itself varies by chance; None if that was not measured."""
    return card["noise"]["retention"] if card["noise"] else None


def beyond_noise(card: Scorecard, found: Difference, path: Path) -> bool:
    """Whether a difference is significant, and beyond the noise floor where that applies."""
    if found.state == "open":
        return False
    least = floor(card) if path == RETENTION else None
    return least is None or abs(found.delta) > least


def within_noise(row: Row) -> bool:
    """Whether a row's RP is to be marked as noise: not if any ability in it differs by the paired test."""
    differs = [one for one in row["abilities"].values() if (found := from_first(one)) and found.state != "open"]
    return bool(row["inside_noise"]) and not differs


def told_apart(card: Scorecard, row: str, other: str, path: Path) -> bool | None:
    """Whether two rows differ by more than noise; None if they were not tested against each other."""
    found = difference(card, row, other, path)
    return None if found is None else beyond_noise(card, found, path)


def alike(card: Scorecard, scores: Mapping[str, float], path: Path) -> list[str]:
    """The row with the best score, followed by all rows that do not differ from it by more than noise."""
    ordered = sorted(scores, key=lambda name: -scores[name])
    return ordered[:1] + [name for name in ordered[1:] if not told_apart(card, ordered[0], name, path)]


def marks(card: Scorecard, scores: Mapping[str, float], path: Path) -> dict[str, Mark]:
    """The best and the second best of several rows in one measure, ties included.

    Best are the row with the highest score and all that do not differ from it; second best, in the same way, the best
    of the rest, if at least three compete. Nothing is marked if no row differs from the best, or if a test between
    two of them is missing.
    """
    if any(difference(card, row, other, path) is None for row, other in _pairs(list(scores))):
        return {}
    first = alike(card, scores, path)
    rest = {name: score for name, score in scores.items() if name not in first}
    if not rest:
        return {}
    found: dict[str, Mark] = dict.fromkeys(first, "best")
    if len(scores) > 2:
        found |= dict.fromkeys(alike(card, rest, path), "second")
    return found


def _pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(row, other) for place, row in enumerate(names) for other in names[:place]]
