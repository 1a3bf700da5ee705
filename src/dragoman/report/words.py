"""Numbers as people read them, and the verdict that they add up to."""

from collections.abc import Sequence

from dragoman.generation.rationales import RationaleReport
from dragoman.report.compare import RETENTION, SIGNIFICANT, Card, alike, beyond_noise, difference, floor
from dragoman.report.families import by_language, split

MINUS = "−"
NAMED = 6  # rows that a sentence lists


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
    """What a method learnt: translation, another skill, or both."""
    found = []
    if row["translation"] and row["translation"]["all"]:
        score = row["translation"]["all"]["chrf++"]
        if not significant(score["p"]):
            found.append(f"translates as well as before ({signed(score['delta'])} chrF++)")
        else:
            found.append(f"{'gained' if score['delta'] > 0 else 'lost'} {abs(score['delta']):.1f} chrF++")
    for skill, score in row["skills"].items():
        if split(skill):
            continue
        if not significant(score["p"]):
            found.append(f"is as good at {plain(skill)} as before ({signed(score['delta'], 0)} points)")
        else:
            way = "gained" if score["delta"] > 0 else "lost"
            found.append(f"{way} {abs(score['delta']):.0f} points at {plain(skill)}")
    return ", ".join([*found, *_gained_by_language(row)])


def _gained_by_language(row: Card) -> list[str]:
    """In how many of the benchmarks that were to be learnt a row is ahead of the backbone, or behind it."""
    found = []
    for title, some in by_language([parts for skill in row["skills"] if (parts := split(skill))]).items():
        scores = [row["skills"][parts.family] for parts in some]
        sure = [score["delta"] > 0 for score in scores if significant(score["p"])]
        mean = signed(sum(score["delta"] for score in scores) / len(scores))
        mean += " on average" if len(scores) > 1 else " points"
        ways = [f"{way} in {count}" for way, count in (("gained", sum(sure)), ("lost", len(sure) - sum(sure))) if count]
        if ways:
            found.append(f"{' and '.join(ways)} of {len(scores)} benchmarks {title} ({mean})")
        else:
            found.append(f"is as good {title} as before ({mean})")
    return found


def _kept(row: Card) -> str:
    kept = row["retention"]
    if kept is None:
        return ""
    return f"kept {kept:.0f} % of its abilities" if kept < 99.5 else f"kept all of its abilities ({kept:.0f} %)"


def remarks(card: Card) -> list[str]:
    """What a reader has to know before comparing: the noise floor, and who is ahead by more than noise."""
    found = []
    least = floor(card)
    if least is not None:
        found.append(
            f"Asked other questions of the same kinds, the backbone itself moves by up to {least:.1f} points of "
            "retention: smaller differences are noise."
        )
    found += _leaders(card)
    without = sorted({family for row in card["rows"] for family in row["retention_without"]})
    if without:
        named = ", ".join(map(plain, without))
        found.append(f"The backbone scores 0 at {named}: there is no retention of that, and it does not count.")
    return found


def _leaders(card: Card) -> list[str]:
    """Who kept most, who cannot be told apart from it, and how far the next is behind."""
    kept = {row["name"]: row["retention"] for row in methods(card) if row["retention"] is not None}
    if len(kept) < 2:
        return []
    if any(difference(card, row, other, RETENTION) is None for row in kept for other in kept if row != other):
        return []
    found = []
    first = alike(card, kept, RETENTION)
    best, rest = first[0], {name: score for name, score in kept.items() if name not in first}
    if len(first) > 1:
        gap = kept[best] - min(kept[name] for name in first)
        size = f"difference of {gap:.1f} is" if len(first) == 2 else f"differences of up to {gap:.1f} are"
        named = listed(first) if len(first) <= NAMED else f"{best} and {len(first) - 1} others"
        found.append(f"Between {named} the {size} noise.")
    if rest:
        second = max(rest, key=lambda name: rest[name])
        ahead = kept[best] - rest[second]
        found.append(f"{best} kept {ahead:.0f} points more than {second}{_price(card, best, second)}.")
    return found


def _price(card: Card, best: str, second: str) -> str:
    path = ("translation",)
    found = difference(card, best, second, path)
    if not found:
        return ""
    if not beyond_noise(card, found, path):
        return f" and translates equally well ({signed(found.delta)} chrF++)"
    return f" and translates {abs(found.delta):.1f} chrF++ {'better' if found.delta > 0 else 'worse'}"


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def trainings(card: Card) -> str:
    """How often each method was trained, where that was more than once; else empty."""
    most = max((len(row["seeds"]) for row in card["rows"]), default=0)
    return f"means of {most} trainings with different seeds" if most > 1 else ""


def rationales(card: Card) -> dict[str, RationaleReport]:
    """Row → the report on its rationales, for the rows that learnt from any."""
    reports = {row["name"]: row.get("rationales") for row in card["rows"]}
    return {name: RationaleReport.from_json(data) for name, data in reports.items() if data and data["total"]}


def share(count: int, total: int) -> float | None:
    """Percent; None where there is nothing."""
    return 100 * count / total if total else None
