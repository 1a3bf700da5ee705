"""Phrases: numbers as people read them, and the verdict in words."""

from collections.abc import Mapping, Sequence

from dragoman.rationales.report import RationaleReport
from dragoman.report.abilities import comparisons, draw_apart, items, unjudged
from dragoman.report.compare import RETENTION, SIGNIFICANT, alike, beyond_noise, difference, floor
from dragoman.report.families import by_language, split
from dragoman.report.families import score as ability_of
from dragoman.report.translation import group_scores, metric_title, metrics
from dragoman.scoring.scorecard.schema import Ability, Row, Score, Scorecard
from dragoman.suites import shown

MINUS = "−"
NAMED = 6  # rows that a sentence lists
JUDGED = ("cut off", "empty", "verdicts")  # notes on what was judged all the same begin so


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
    """`40.1–42.4`."""
    return "–".join(number(end, digits) for end in interval) if interval else ""


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def significant(p: float | None) -> bool:
    return p is not None and p < SIGNIFICANT


def plain(name: str) -> str:
    """A family's or rate's name for reading: `follow_up` → `follow up`, `mt-bench` → `MT-Bench`."""
    name, at, k = name.removeprefix("harness:").partition("@")
    how = shown().get(name)
    return ((how and how.title) or name.replace("_", " ")) + (f", pass@{k}" if at else "")


def methods(card: Scorecard) -> list[Row]:
    """All rows but the backbone's."""
    return [row for row in card["rows"] if row["name"] != card["backbone"]]


def verdict(card: Scorecard) -> list[tuple[str, str]]:
    """For every method, its name, and in words what it gained and what it kept."""
    return [(row["name"], _claim(card, row)) for row in methods(card)]


def alone(card: Scorecard) -> str:
    """A summary of a scorecard with one row; empty if rows are compared."""
    if methods(card):
        return ""
    return "One model was judged, so nothing is compared: these are its own scores, with their 95 % intervals."


def _claim(card: Scorecard, row: Row) -> str:
    found = [part for part in (_gained(card, row), _kept(row), *_preferred(card, row)) if part]
    scored = [one for one in [*row["abilities"].values(), *row["skills"].values()] if one["score"] is not None]
    return listed(found) or ("has scores, and no retention" if scored else "was not judged")


def _gained(card: Scorecard, row: Row) -> str:
    """What a method learnt: translation, another skill, or both."""
    found = []
    if scores := group_scores(row, "all"):
        found.append(_translates(card, scores))
    for skill, score in row["skills"].items():
        if split(skill) or score["delta"] is None:
            continue
        if not significant(score["p"]):
            found.append(f"is as good at {plain(skill)} as before ({signed(score['delta'], 0)} points)")
        else:
            way = "gained" if score["delta"] > 0 else "lost"
            found.append(f"{way} {abs(score['delta']):.0f} points at {plain(skill)}")
    return ", ".join([*found, *_gained_by_language(row)])


def _translates(card: Scorecard, scores: Mapping[str, Score]) -> str:
    """The gain by COMET, if there is any, and by chrF++."""
    judged = [(metric_title(card, name), scores[name]) for name in metrics(card) if name != "bleu"]
    sure = [
        (title, delta) for title, score in judged if (delta := score["delta"]) is not None and significant(score["p"])
    ]
    ways = []
    for way, some in (("gained", [one for one in sure if one[1] > 0]), ("lost", [one for one in sure if one[1] < 0])):
        if some:
            ways.append(f"{way} {listed([f'{abs(delta):.1f} {title}' for title, delta in some])}")
    if ways:
        return ", ".join(ways)
    changes = ", ".join(f"{signed(score['delta'])} {title}" for title, score in judged)
    return f"translates as well as before ({changes})"


def _gained_by_language(row: Row) -> list[str]:
    """In how many of the benchmarks to be learnt a row is ahead of the backbone, or behind it."""
    found = []
    for title, some in by_language([parts for skill in row["skills"] if (parts := split(skill))]).items():
        scores = [row["skills"][parts.family] for parts in some]
        deltas = [(delta, significant(one["p"])) for one in scores if (delta := one["delta"]) is not None]
        if not deltas:
            continue
        sure = [delta > 0 for delta, beyond in deltas if beyond]
        mean = signed(sum(delta for delta, _ in deltas) / len(deltas))
        mean += " on average" if len(deltas) > 1 else " points"
        ways = [f"{way} in {count}" for way, count in (("gained", sum(sure)), ("lost", len(sure) - sum(sure))) if count]
        if ways:
            found.append(f"{' and '.join(ways)} of {len(deltas)} benchmarks {title} ({mean})")
        else:
            found.append(f"is as good {title} as before ({mean})")
    return found


def _kept(row: Row) -> str:
    kept = row["retention"]
    if kept is None:
        return ""
    return f"kept {kept:.0f} % of its abilities" if kept < 99.5 else f"kept all of its abilities ({kept:.0f} %)"


def _preferred(card: Scorecard, row: Row) -> list[str]:
    """How a row does when its answers are compared with the backbone's; a draw is 50 %."""
    found = []
    for family in comparisons(card):
        score = row["abilities"].get(family)
        if score and score["score"] is not None:
            way = {1: "better than", 0: "no better or worse than", -1: "worse than"}[draw_apart(score)]
            found.append(f"was judged {way} the backbone ({number(score['score'], 0)} %, where 50 is a draw)")
    return found


def remarks(card: Scorecard) -> list[str]:
    """What to know before comparing rows: the noise floor, and who is ahead by more than noise."""
    found = [one for one in (alone(card),) if one]
    least = floor(card)
    if least is not None:
        found.append(
            "Asked other questions of the same kinds, or answering anew, the backbone itself moves by up to "
            f"{least:.1f} points of retention: smaller differences are noise."
        )
        if left := card["noise"] and card["noise"]["left_out"]:
            found.append(f"{left} of its draws had no judgement of something, and count for nothing.")
    found += _leaders(card)
    found += _open(card)
    return found + (_without(card) if methods(card) else [])


def _without(card: Scorecard) -> list[str]:
    """Abilities without a retention, because the backbone has none of them, or was not judged."""
    named = sorted({family for row in card["rows"] for family in row["retention_without"]})
    backbone = next(row for row in card["rows"] if row["name"] == card["backbone"])
    scores = {family: one["score"] for family in named if (one := ability_of(backbone, family))}
    open_ = [family for family, score in scores.items() if score is None]
    zero = [family for family, score in scores.items() if score == 0]
    found = []
    for some, why in ((zero, "scores 0 at"), (open_, "has no score at")):
        if some:
            listing = ", ".join(map(plain, some))
            found.append(f"The backbone {why} {listing}: there is no retention of that, and it does not count.")
    return found


def _open(card: Scorecard) -> list[str]:
    """Items without a judgement, by family and row: they are in no score."""
    found = []
    for family in dict.fromkeys(name for row in card["rows"] for name in [*row["abilities"], *row["skills"]]):
        rows = [(row["name"], ability_of(row, family)) for row in card["rows"]]
        told = {
            name: f"{unjudged(one)} of {items(one)} ({', '.join(_reasons(one))})"
            for name, one in rows
            if one and unjudged(one)
        }
        if len(told) > 1 and len(told) == len(card["rows"]) and len(set(told.values())) == 1:
            told = {"every row": next(iter(told.values()))}
        if told:
            listing = "; ".join(f"{name} {text}" for name, text in told.items())
            name = plain(family)
            found.append(f"{name[0].upper()}{name[1:]}, not judged and so in no score: {listing}.")
    return found


def _reasons(ability: Ability) -> list[str]:
    """What went wrong, most frequent first, without what was judged all the same."""
    notes = sorted(ability["notes"].items(), key=lambda note: -note[1])
    return [f"{note} {count}" for note, count in notes if not note.startswith(JUDGED)]


def _leaders(card: Scorecard) -> list[str]:
    """Who kept most, who does not differ from it by more than noise, and how far behind the next is."""
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


def _price(card: Scorecard, best: str, second: str) -> str:
    path = ("translation",)
    found = difference(card, best, second, path)
    if not found:
        return ""
    if not beyond_noise(card, found, path):
        return f" and translates equally well ({signed(found.delta)} chrF++)"
    return f" and translates {abs(found.delta):.1f} chrF++ {'better' if found.delta > 0 else 'worse'}"


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
