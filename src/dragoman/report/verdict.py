"""The verdict in words: what each row gained and what it kept, as carefully as the tables have it.

Each measure is in one of three states: better, worse, or no difference found, which is never called equal.
"""

import re
from collections.abc import Mapping

from dragoman.report.abilities import comparisons, digits, draw_apart
from dragoman.report.compare import (
    RETENTION,
    Difference,
    State,
    beyond_noise,
    difference,
    from_first,
    methods,
    of_backbone,
    told,
    within_noise,
)
from dragoman.report.families import by_language, split
from dragoman.report.phrases import NAMED, listed, number, plain, signed, spread, unsure
from dragoman.report.translation import group_score, metric_title, metrics
from dragoman.scoring.scorecard.schema import Row, Scorecard

Found = Mapping[str, Difference]  # direction, metric or family → how far one row is ahead of another in it
MOST = 3  # families that are named where there are too many to name all
OPEN = "no difference found"


def verdict(card: Scorecard) -> list[tuple[str, str]]:
    """For every row but the first, its name, and in words what it gained and what it kept."""
    return [(row["name"], _claim(card, row)) for row in methods(card)]


def _claim(card: Scorecard, row: Row) -> str:
    shared = of_backbone(card) and row["retention"] is not None
    kept = _kept(card, row) if shared else _differs(card, row)
    parts = [*_translation(card, row), *_skills(card, row), *_by_language(card, row), *kept, *_preferred(card, row)]
    if not parts:
        scored = [one for one in [*row["abilities"].values(), *row["skills"].values()] if one["score"] is not None]
        return "has scores, and no retention" if scored or "drift" in row else "was not judged"
    last = ", and " if any("," in re.sub(r"\([^)]*\)", "", part) for part in parts[:-1]) else " and "
    return last.join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


# Translation


def _translation(card: Scorecard, row: Row) -> list[str]:
    """How a row translates, by each metric but BLEU."""
    means: dict[str, Difference] = {}
    each: dict[str, Found] = {}
    for metric in metrics(card):
        mean = from_first(group_score(row, "all", metric))
        if metric == "bleu" or mean is None:
            continue
        title, scores = metric_title(card, metric), row["translation"]["directions"] if row["translation"] else {}
        means[title] = mean
        each[title] = {name: one for name, given in scores.items() if (one := from_first(given.get(metric)))}
    return [f"translates {translates(means, each)}"] if means else []


def translates(means: Found, each: Mapping[str, Found]) -> str:
    """How one row translates beside another, for each metric: the mean difference, and that of each direction.

    Metrics that say the same of all directions are told together.
    """
    means = {title: told(mean) for title, mean in means.items()}
    each = {title: {name: told(one) for name, one in some.items()} for title, some in each.items()}
    together: dict[tuple[State, State, int], list[str]] = {}
    parts = []
    for title, mean in means.items():
        found = {one.state for one in each[title].values()} or {mean.state}
        if len(found) == 1:
            together.setdefault((found.pop(), mean.state, len(each[title])), []).append(title)
        else:
            parts.append(_apart(title, mean, each[title]))
    alike = [_alike(*states, {title: means[title] for title in titles}) for states, titles in together.items()]
    return "; ".join([*alike, *parts])


def _alike(state: State, mean: State, count: int, means: Found) -> str:
    """All directions in one state, by one or several metrics."""
    where = "" if count < 2 else " in both directions" if count == 2 else f" in all {count} directions"
    if state != "open":
        return f"{state}{where} ({_sizes(means, state)})"
    if mean != "open":
        return f"{mean} on average ({_sizes(means, mean)}), with {OPEN} in any single direction"
    return f"with {OPEN}{f' in any of {count} directions' if count > 1 else ''} ({_sizes(means, state)})"


def _sizes(means: Found, state: State) -> str:
    return ", ".join(f"{unsure(one) if state == 'open' else signed(one.delta)} {title}" for title, one in means.items())


def _apart(title: str, mean: Difference, each: Found) -> str:
    """Directions in several states; where there are too many to name, how many.

    The mean comes first, unless a direction goes the other way.
    """
    found = {one.state for one in each.values()}
    agrees = mean.state != "open" and found == {mean.state, "open"}
    parts: list[str] = []
    order: tuple[State, ...] = ("better", "worse", "open")
    for state in order:
        some = {name: one for name, one in each.items() if one.state == state}
        words = state if state != "open" else f"with {OPEN}"
        unit = "" if parts or agrees else f" {title}"
        if len(some) > NAMED:
            deltas = sorted(one.delta for one in some.values())
            parts.append(f"{words} in {len(some)} directions ({signed(deltas[0])} to {signed(deltas[-1])}{unit})")
        elif some:
            sizes = [unsure(one) if state == "open" else signed(one.delta) for one in some.values()]
            named = [f"{name} ({size}{unit})" for name, size in zip(some, sizes, strict=True)]
            parts.append(f"{words} in {listed(named)}")
    whole = f"{mean.state} on average ({signed(mean.delta)} {title}): " if agrees else ""
    return whole + ", ".join(parts)


# Skills and abilities


def _skills(card: Scorecard, row: Row) -> list[str]:
    """Skills other than translation."""
    found = []
    for skill, score in row["skills"].items():
        apart, places = from_first(score), digits(card, skill)
        if split(skill) or apart is None:
            continue
        if told(apart, places).state == "open":
            found.append(f"was not found to differ at {plain(skill)} ({unsure(apart, places)} points)")
        else:
            way, size = "gained" if apart.delta > 0 else "lost", f"{abs(apart.delta):.{places}f}"
            found.append(f"{way} {size} point{'s' * (size != '1')} at {plain(skill)}")
    return found


def _by_language(card: Scorecard, row: Row) -> list[str]:
    """The benchmarks to be learnt, for each language."""
    found = []
    for title, some in by_language([parts for skill in row["skills"] if (parts := split(skill))]).items():
        scores = {parts.family: from_first(row["skills"][parts.family]) for parts in some}
        apart = {family: one for family, one in scores.items() if one}
        if not apart:
            continue
        mean = sum(one.delta for one in apart.values()) / len(apart)
        size = f" ({signed(mean)} {'on average' if len(apart) > 1 else 'points'})" if round(mean, 1) else ""
        named = differing(card, apart)
        count = f"any of {len(apart)} benchmarks" if len(apart) > 1 else plain(next(iter(apart)))
        words = f"is {named}" if named else f"was not found to differ at {count}"
        found.append(f"{words} {title}{size}")
    return found


def _kept(card: Scorecard, row: Row) -> list[str]:
    """The share of its abilities that a row kept, and those at which it differs from the backbone."""
    kept, apart = row["retention"] or 0.0, _apart_at(row)
    named = differing(card, apart)
    overall = difference(card, row["name"], card["backbone"], RETENTION)
    share, interval = f"kept {kept:.0f} % of its abilities", spread(row["retention_interval"], 0)
    if overall and beyond_noise(card, overall, RETENTION):
        share += f" ({interval})" if interval else ""
        if round(kept) > 100:
            share = f"has more of its abilities than before ({kept:.0f} %{f', {interval}' if interval else ''})"
        return [f"{share}, {named or f'with {OPEN} at any single one'}"]
    more = [interval]
    if overall and overall.state == "open":
        more.append(f"overall {OPEN}" if named else f"{OPEN} overall or at any of {len(apart)}")
    elif within_noise(row):
        more.append("inside the noise floor")
    share += f" ({', '.join(part for part in more if part)})" if any(more) else ""
    return [f"{share}, {named}" if named else share]


def _differs(card: Scorecard, row: Row) -> list[str]:
    """At which abilities a row differs, where there is no share to tell."""
    apart = {name: told(one, digits(card, name)) for name, one in _apart_at(row).items()}
    if not apart:
        return []
    named, rest = differing(card, apart), {name: one for name, one in apart.items() if one.state == "open"}
    if len(rest) <= MOST:
        left = listed([f"{plain(name)} ({unsure(one, digits(card, name))})" for name, one in rest.items()])
    else:
        left = f"{'the other' if named else 'any of'} {len(rest)} abilities"
    if not named:
        return [f"was not found to differ at {left}"]
    return [f"is {named}, with {OPEN} at {left}" if rest else f"is {named}"]


def _apart_at(row: Row) -> dict[str, Difference]:
    """Abilities, without comparisons → how far a row is ahead of the first."""
    scores = {name: from_first(one) for name, one in row["abilities"].items() if one["kept"]}
    return {name: one for name, one in scores.items() if one}


def differing(card: Scorecard, apart: Found) -> str:
    """At which families one row is worse than another, and better; empty if no difference was found."""
    parts = []
    for state in ("worse", "better"):
        some = [name for name, one in apart.items() if told(one, digits(card, name)).state == state]
        some.sort(key=lambda name: -abs(apart[name].delta))
        named = [f"{plain(name)} ({signed(apart[name].delta, digits(card, name))})" for name in some]
        if len(some) > NAMED:
            count = f"all {len(some)}" if len(some) == len(apart) else f"{len(some)} of {len(apart)}"
            parts.append(f"{state} at {count}, most at {listed(named[:MOST])}")
        elif some:
            parts.append(f"{state} at {listed(named)}")
    return ", ".join(parts)


def _preferred(card: Scorecard, row: Row) -> list[str]:
    """How a row does when its answers are compared with the backbone's; a draw is 50 %."""
    found = []
    for family in comparisons(card):
        score = row["abilities"].get(family)
        if score and score["score"] is not None:
            share = number(score["score"], 0 if round(score["score"]) != 50 else 1)
            way = {1: "judged better than", 0: "not told apart by the judge from", -1: "judged worse than"}[
                draw_apart(score) if share != "50.0" else 0
            ]
            found.append(f"was {way} the backbone ({share.removesuffix('.0')} %, where 50 is a draw)")
    return found
