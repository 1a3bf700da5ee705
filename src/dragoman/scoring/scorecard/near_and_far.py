"""RP of some abilities: of all, and of those near to replay and far from it apart."""

from collections.abc import Collection, Mapping

from dragoman import __version__
from dragoman.scoring.scorecard.abilities import Family, retention
from dragoman.scoring.scorecard.schema import Part
from dragoman.scoring.statistics import bounds, interval


def part(row: Mapping[str, Family], of: str = "backbone") -> Part | None:
    """RP of these families of one row; None if no share can be taken of any. `of` is the row that retentions are of."""
    overall = retention(row)
    if overall is None:
        return None
    counted = [name for name, family in row.items() if family.kept and family.retention]
    return {
        "families": counted,
        "retention": overall.score,
        "seeds": overall.each,
        "interval": bounds(interval(overall.samples)),
        "signature": f"RP|mean over:{len(counted)}|of:score/{of}|interval:bs:{len(overall.samples)}"
        f"|version:dragoman-{__version__}",
    }


def near_and_far(row: Mapping[str, Family], near: Collection[str]) -> tuple[Part | None, Part | None]:
    """RP of the families among `near` and of all others, each None if it has none; both if none of them is near."""
    close = part({name: family for name, family in row.items() if name in near})
    if close is None:
        return None, None
    return close, part({name: family for name, family in row.items() if name not in near})
