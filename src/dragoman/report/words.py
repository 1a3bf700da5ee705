"""Numbers as people read them, and the verdict that they add up to."""

from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.generation.rationales import RationaleReport

Card = Mapping[str, Any]

SIGNIFICANT = 0.05
MINUS = "−"


def number(value: float | None, digits: int = 1) -> str:
    """`12.3`; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 1) -> str:
    """`+12.3`, `−0.4`, `±0.0`; empty where there is none."""
    if value is None:
        return ""
    rounded = round(value, digits)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else "±"
    return f"{sign}{abs(rounded):.{digits}f}"


def spread(interval: Sequence[float] | None, digits: int = 1) -> str:
    """`40.1–42.4`."""
    return "–".join(number(end, digits) for end in interval) if interval else ""


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def significant(p: float | None) -> bool:
    return p is not None and p < SIGNIFICANT


def plain(name: str) -> str:
    """A family's or rate's name as it is read: `follow_up` → `follow up`."""
    return name.replace("_", " ")


def methods(card: Card) -> list[Card]:
    """All rows but the backbone's."""
    return [row for row in card["rows"] if row["name"] != card["backbone"]]


def verdict(card: Card) -> list[tuple[str, str]]:
    """For every method its name, and in words what it gained and what it kept."""
    return [(row["name"], _claim(row)) for row in methods(card)]


def _claim(row: Card) -> str:
    return " and ".join(part for part in (_gained(row), _kept(row)) if part) or "was not judged"


def _gained(row: Card) -> str:
    if not row["translation"] or not row["translation"]["all"]:
        return ""
    score = row["translation"]["all"]["chrf++"]
    size = f"{abs(score['delta']):.1f} chrF++"
    if not significant(score["p"]):
        return f"translates as well as before ({signed(score['delta'])} chrF++)"
    return f"gained {size}" if score["delta"] > 0 else f"lost {size}"


def _kept(row: Card) -> str:
    kept = row["retention"]
    if kept is None:
        return ""
    return f"kept {kept:.0f} % of its abilities" if kept < 99.5 else f"kept all of its abilities ({kept:.0f} %)"


def remarks(card: Card) -> list[str]:
    """What a reader has to know before comparing: the noise floor, and who is ahead by more than it."""
    found = []
    floor = card["noise"]["retention"] if card["noise"] else None
    judged = [row for row in methods(card) if row["retention"] is not None]
    if floor is not None:
        found.append(
            f"Asked other questions of the same kinds, the backbone itself moves by up to {floor:.1f} points of "
            "retention: smaller differences are noise."
        )
    if len(judged) > 1:
        best, second = sorted(judged, key=lambda row: -row["retention"])[:2]
        ahead = best["retention"] - second["retention"]
        if floor is not None and ahead <= floor:
            found.append(f"Between {best['name']} and {second['name']} the difference of {ahead:.1f} is noise.")
        else:
            found.append(f"{best['name']} kept {ahead:.0f} points more than {second['name']}{_price(best, second)}.")
    without = sorted({family for row in card["rows"] for family in row["retention_without"]})
    if without:
        named = ", ".join(map(plain, without))
        found.append(f"The backbone scores 0 at {named}: there is no retention of that, and it does not count.")
    return found


def _price(best: Card, second: Card) -> str:
    if not (best["translation"] and second["translation"] and best["translation"]["all"]):
        return ""
    gap = best["translation"]["mean"] - second["translation"]["mean"]
    if abs(gap) < 0.05:
        return " and translates equally well"
    return f" and translates {abs(gap):.1f} chrF++ {'better' if gap > 0 else 'worse'}"


def rationales(card: Card) -> dict[str, RationaleReport]:
    """Row → the report on its rationales, for the rows that learnt from any."""
    reports = {row["name"]: row.get("rationales") for row in card["rows"]}
    return {name: RationaleReport.from_json(data) for name, data in reports.items() if data and data["total"]}


def share(count: int, total: int) -> float | None:
    """Percent; None where there is nothing."""
    return 100 * count / total if total else None
