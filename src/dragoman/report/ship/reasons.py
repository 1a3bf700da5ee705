"""Reasons to ship a row or not: what it gained, and what it kept.

Everything is read from the scorecard: its differences are paired, its p values those of McNemar's test or of resamples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dragoman.json_values import Json, JsonObject
from dragoman.recipe.judging import Verdict
from dragoman.report.abilities import comparisons, digits, draw_apart
from dragoman.report.compare import RETENTION, Difference, difference, floor, from_first, told
from dragoman.report.phrases import number, p_value, plain, signed, spread
from dragoman.report.translation import group_score, main, metric_title
from dragoman.scoring.scorecard.schema import Ability, Row, Score, Scorecard
from dragoman.scoring.statistics import holm


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was looked at."""

    about: str
    holds: bool
    """Whether it speaks for shipping."""
    says: str
    details: tuple[str, ...] = ()
    """What `says` sums up, a line each."""
    evidence: JsonObject = field(default_factory=dict)
    """The numbers behind it."""


# Translation


def translation(card: Scorecard, row: Row) -> Reason:
    """Whether the row translates better by the paired bootstrap, over all directions."""
    metric = main(card)
    title, score = metric_title(card, metric), group_score(row, "all", metric)
    found = from_first(score)
    assert score is not None, f"{row['name']} was judged by {metric}"
    assert found is not None, f"{row['name']} was compared with the backbone"
    found = told(found)
    before = score["score"] - found.delta
    apart = f"from {number(before)} to {number(score['score'])}"
    range_ = _between(found)
    says = {
        "better": f"translation rose by {number(found.delta)} {title} ({range_}), {apart}",
        "worse": f"translation fell by {number(-found.delta)} {title} ({range_}), {apart}",
        "open": f"translation was not found to rise: {signed(found.delta)} {title} ({range_}), {p_value(found.p)}",
    }[found.state]
    evidence: JsonObject = {"metric": metric, "score": score["score"], "backbone": before, **_gap(found)}
    return Reason("translation", found.state == "better", says, evidence=evidence)


def directions(card: Scorecard, row: Row) -> list[Reason]:
    """Whether any of several directions fell, behind a mean that may hide it."""
    metric = main(card)
    scores: dict[str, Score] = {}
    if row["translation"]:
        scores = {name: given[metric] for name, given in row["translation"]["directions"].items() if metric in given}
    found = _corrected({name: told(one) for name, score in scores.items() if (one := from_first(score))})
    if len(found) < 2:
        return []
    fell = {name: one for name, one in found.items() if one.state == "worse"}
    rose = sum(one.state == "better" for one in found.values())
    title = metric_title(card, metric)
    details = tuple(
        f"{name}: {signed(one.delta)} {title} ({_between(one)}), {p_value(one.p)}" for name, one in fell.items()
    )
    says = f"{len(fell)} of {len(found)} directions fell"
    if not fell:
        says = f"none of {len(found)} directions was found to fall; {rose} rose"
    evidence: JsonObject = {"metric": metric, "directions": {name: _gap(one) for name, one in found.items()}}
    return [Reason("directions", not fell, says, details, evidence)]


# Abilities


def kept(card: Scorecard, row: Row, bounds: Verdict) -> Reason:
    """Whether more of all abilities together was lost than may be."""
    share, interval = row["retention"], row["retention_interval"]
    assert share is not None, f"{row['name']} has a retention"
    room = 100 * bounds.tolerance
    found = difference(card, row["name"], card["backbone"], RETENTION)
    lost = 100 - share > room and (found is None or found.state == "worse")
    says = f"{number(share)} % of all abilities kept{f' ({spread(interval)})' if interval else ''}; {_may(bounds)}"
    if lost:
        says += _within(100 - share, floor(card))
    elif interval and 100 - interval[0] > room:
        says += f", and a loss of {number(100 - interval[0])} % is not ruled out"
    evidence: JsonObject = {"kept": share, "interval": _list(interval), "may_go": room, "noise_floor": floor(card)}
    return Reason("abilities", not lost, says, evidence=evidence | {"p": found.p if found else None})


def families(card: Scorecard, row: Row, bounds: Verdict) -> Reason:
    """Whether any ability fell by the paired test, after Holm's correction, and by more than may be lost."""
    asked = {name: one for name, one in row["abilities"].items() if one["kept"] and one["retention"] is not None}
    found = _corrected({name: apart for name, one in asked.items() if (apart := from_first(one))})
    floors = {name: one["retention"] for name, one in card["noise"]["families"].items()} if card["noise"] else {}
    shares = {name: asked[name]["retention"] or 0.0 for name in found}
    room = 100 * bounds.tolerance
    fell = [name for name, one in found.items() if one.state == "worse" and 100 - shares[name] > room]
    fell.sort(key=lambda name: shares[name])
    details = tuple(
        f"{plain(name)}: {_share(asked[name])}, {signed(found[name].delta, digits(card, name))} points, "
        f"{p_value(found[name].p)}; {_may(bounds)}{_within(100 - shares[name], floors.get(name))}"
        for name in fell
    )
    lowest = min(shares, key=lambda name: shares[name])
    says = (
        f"{len(fell)} of {len(found)} abilities fell by more than may go"
        if fell
        else f"none of {len(found)} abilities was found to fall by more than may go; "
        f"lowest is {plain(lowest)}, {_share(asked[lowest])}"
    )
    evidence: JsonObject = {
        name: {
            "kept": shares[name],
            "interval": _list(asked[name]["retention_interval"]),
            "noise_floor": floors.get(name),
            "may_go": room,
            "fell": name in fell,
            "p_uncorrected": asked[name]["p"],
            **_gap(one),
        }
        for name, one in found.items()
    }
    return Reason("families", not fell, says, details, evidence)


def preferred(card: Scorecard, row: Row) -> list[Reason]:
    """Whether a judge who compared the row's answers with the backbone's found them worse."""
    found = []
    for name in comparisons(card):
        one = row["abilities"].get(name)
        if one and one["score"] is not None:
            way = draw_apart(one)
            words = {1: "judged better than", 0: "not told apart from", -1: "judged worse than"}[way]
            says = f"{plain(name)}: {words} the backbone, {number(one['score'])} % ({spread(one['interval'])})"
            evidence: JsonObject = {"score": one["score"], "interval": _list(one["interval"])}
            found.append(Reason(name, way >= 0, f"{says}; 50 is a draw", evidence=evidence))
    return found


# Numbers


def _corrected(found: Mapping[str, Difference]) -> dict[str, Difference]:
    """Several differences, with their p values after Holm's correction."""
    ps = holm([one.p for one in found.values()])
    return {name: replace(one, p=p) for (name, one), p in zip(found.items(), ps, strict=True)}


def _gap(found: Difference) -> JsonObject:
    return {"delta": found.delta, "delta_interval": list(found.interval), "p": found.p}


def _list(interval: Sequence[float] | None) -> Json:
    return None if interval is None else [*interval]


def _between(found: Difference) -> str:
    low, high = found.interval
    return f"{signed(low)} to {signed(high)}"


def _share(ability: Ability) -> str:
    interval = ability["retention_interval"]
    return f"{number(ability['retention'], 0)} % kept{f' ({spread(interval, 0)})' if interval else ''}"


def _may(bounds: Verdict) -> str:
    return f"at most {100 * bounds.tolerance:g} % may go"


def _within(lost: float, least: float | None) -> str:
    """What to say of a noise floor that is no less than what was lost. It does not excuse a loss: it is how far other
    questions move the backbone, and the test of a loss asks both the same.
    """
    if least is None or lost > least:
        return ""
    return f"; other questions move the backbone by as much ({number(least)} %, the noise floor), but both had the same"
