"""Phrases: numbers and names as people read them."""

from collections.abc import Sequence

from dragoman.rationales.report import RationaleReport
from dragoman.report.compare import SIGNIFICANT, Difference
from dragoman.scoring.scorecard.schema import Scorecard
from dragoman.suites import shown

MINUS = "−"
NAMED = 6  # rows or families that a sentence lists


def number(value: float | None, digits: int = 1) -> str:
    """`12.3`; a dash if there is none."""
    if value is None:
        return "–"
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 1) -> str:
    """`+12.3`, `−0.4`, `±0.0`; empty if there is none."""
    if value is None:
        return ""
    rounded = round(value, digits)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
    return f"{sign}{abs(rounded):.{digits}f}"


def spread(interval: Sequence[float] | None, digits: int = 1) -> str:
    """`40.1–42.4`; with an end below 0 `−1.2 to 0.8`."""
    if not interval:
        return ""
    return (" to " if min(interval) < 0 else "–").join(number(end, digits) for end in interval)


def unsure(found: Difference, digits: int = 1) -> str:
    """`−0.8 ± 3.1`: a difference that may be chance, and half the width of its interval; `±3.1` if it rounds to
    nothing.
    """
    low, high = found.interval
    half = number((high - low) / 2, digits)
    if not round(found.delta, digits):
        return f"±{half}"
    return signed(found.delta, digits) + (f" ± {half}" if high > low else "")


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def significant(p: float | None) -> bool:
    return p is not None and p < SIGNIFICANT


def plain(name: str) -> str:
    """A family's or rate's name for reading: `follow_up` → `follow up`, `mt-bench` → `MT-Bench`."""
    name, at, k = name.removeprefix("harness:").partition("@")
    how = shown().get(name)
    return ((how and how.title) or name.replace("_", " ")) + (f", pass@{k}" if at else "")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`; empty if there are no names."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def trainings(card: Scorecard) -> str:
    """How often each method was trained, if more than once; otherwise empty."""
    most = max((len(row["seeds"]) for row in card["rows"]), default=0)
    return f"means of {most} trainings with different seeds" if most > 1 else ""


def rationales(card: Scorecard) -> dict[str, RationaleReport]:
    """Row → the report on its rationales, for rows that learnt from rationales."""
    reports = {row["name"]: row["rationales"] for row in card["rows"]}
    return {name: RationaleReport.from_json(data) for name, data in reports.items() if data and data["total"]}


def share(count: int, total: int) -> float | None:
    """The percentage; None if the total is 0."""
    return 100 * count / total if total else None


def setting(name: str, value: object) -> str:
    """A setting's value as a recipe would say it; where it is absent, what that means."""
    if value is None:
        return {"limit": "all", "learn": "all", "after": "the backbone"}.get(name, "null")
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)
