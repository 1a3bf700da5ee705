"""Abilities in a scorecard: which count as kept, which are comparisons, their side and unit."""

from collections.abc import Mapping, Sequence

from dragoman.report.families import others, score
from dragoman.scoring.scorecard.schema import Ability, Part, Row, Scorecard

SIDES: Mapping[str, str] = {
    "general": "general ability",
    "instruction": "following instructions",
    "safety": "safety",
}
"""Side of an ability → the heading of its families, in order."""
MANY = 500  # questions from which on a tenth of a percent means something


def abilities(card: Scorecard) -> list[str]:
    """Families that count as kept, without benchmarks in a language, ordered by side."""
    found = [name for name in others(card["rows"], "abilities") if kept(card, name)]
    order = list(SIDES)
    return sorted(found, key=lambda name: order.index(side(card, name)))


def comparisons(card: Scorecard) -> list[str]:
    """Comparisons with the backbone, which has no score in them: not part of what is kept."""
    return [name for name in others(card["rows"], "abilities") if not kept(card, name)]


def skills(card: Scorecard) -> list[str]:
    """Skills other than translation, without benchmarks in a language."""
    return others(card["rows"], "skills")


def by_side(card: Scorecard, families: Sequence[str]) -> dict[str, list[str]]:
    """A heading → the families below it; a single empty heading if all are on one side."""
    found: dict[str, list[str]] = {}
    for name in families:
        found.setdefault(SIDES[side(card, name)], []).append(name)
    return found if len(found) > 1 else {"": list(families)} if families else {}


def kept(card: Scorecard, family: str) -> bool:
    """Whether a family is part of RP; a comparison is not."""
    return all(one["kept"] for one in of_rows(card, family))


def side(card: Scorecard, family: str) -> str:
    """What a family is about."""
    told = [one["side"] for one in of_rows(card, family)]
    return next((name for name in told if name in SIDES), "general")


def unit(card: Scorecard, family: str) -> str:
    """`%`, or the maximum of a rating: `/10`."""
    return next((one["unit"] for one in of_rows(card, family)), "%")


def digits(card: Scorecard, family: str) -> int:
    """The decimals to show: two for a rating, one for many questions or shares, otherwise none."""
    if unit(card, family) != "%":
        return 2
    judged = [one for one in of_rows(card, family) if one["score"] is not None]
    return int(any(one["passed"] is None or one["n"] >= MANY for one in judged))


def of_rows(card: Scorecard, family: str) -> list[Ability]:
    """Every row's ABILITY in a family."""
    return [found for row in card["rows"] if (found := score(row, family))]


def unjudged(ability: Ability) -> int:
    """The number of items without a judgement. An answer that a rule could not read has failed, and is not one of
    them.
    """
    return ability["not_extracted"] if ability["notes"] else 0


def items(ability: Ability) -> int:
    """The number of judgements: items times trainings."""
    return ability["n"] * max(1, len(ability["seeds"]))


def draw_apart(ability: Ability) -> int:
    """For a comparison, in which 50 is a draw: 1 if the row is ahead by more than chance, -1 if the backbone is."""
    low, high = ability["interval"] or (0.0, 100.0)
    return (low > 50) - (high < 50)


def kept_of_before(row: Row) -> Part | None:
    """RP as shares of what the row before can do; None where a row starts from the backbone."""
    return row["after"]["kept"] if "after" in row else None
