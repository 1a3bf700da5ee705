"""Remarks: what to know before comparing rows: the noise floor, who is ahead, and what has no judgement."""

from collections.abc import Mapping, Sequence

from dragoman.report import drift, replay
from dragoman.report.abilities import digits, items, unjudged
from dragoman.report.compare import RETENTION, Difference, alike, difference, floor, methods, of_backbone
from dragoman.report.families import score as ability_of
from dragoman.report.phrases import NAMED, listed, number, plain, rationales, setting, signed, significant
from dragoman.report.translation import RATE_TITLES, beyond, counted
from dragoman.report.verdict import differing, translates
from dragoman.scoring.scorecard.schema import Ability, Scorecard

JUDGED = ("cut off", "empty", "verdicts")  # notes on what was judged all the same begin so
GOES_ON = ("chatter", "over_generation")  # rates that count an explanation
MUCH = 1  # percent of the tokens beyond the translations that are worth a remark
TOLD = 3  # rows of which a sentence tells at which families they differ from the best


def remarks(card: Scorecard) -> list[str]:
    """All remarks on a scorecard, each a sentence or two."""
    found = [one for one in (alone(card), _noise(card)) if one]
    if left := card["noise"] and card["noise"]["left_out"]:
        found.append(f"{left} of its draws had no judgement of something, and count for nothing.")
    if of_backbone(card):
        found += _leaders(card)
    found += _weights(card)
    found += _settings(card)
    found += [f"{row['name']}: {hint}" for row in card["rows"] for hint in row["hints"]]
    found += replay.remarks(card)
    found += _recovered(card)
    found += _taught_to_go_on(card)
    found += _beyond(card)
    found += drift.remarks(card)
    found += _open(card)
    return found + (_without(card) if of_backbone(card) else [])


def alone(card: Scorecard) -> str:
    """A summary of a scorecard with one row; empty if rows are compared."""
    if methods(card):
        return ""
    return "One model was judged, so nothing is compared: these are its own scores, with their 95 % intervals."


def _noise(card: Scorecard) -> str:
    """The noise floor of RP, and that of the family that moves most."""
    least, noise = floor(card), card["noise"]
    if least is None or noise is None:
        return ""
    single = {name: one["retention"] for name, one in noise["families"].items() if round(one["retention"] or 0, 1)}
    most = max(single, key=lambda name: single[name] or 0, default=None)
    widest = f", at single abilities by up to {number(single[most])} ({plain(most)})" if most else ""
    who = "the backbone" if methods(card) else "the model"
    far = f"up to {least:.1f}" if round(least, 1) else "less than 0.1"
    moves = f"{who} itself moves by {far} points of retention (RP){widest}."
    text = f"Asked other questions of the same kinds, or answering anew, {moves}"
    if methods(card):
        text += (
            " A difference in RP counts only beyond that; at single abilities the test on the same questions decides."
        )
    return text


def _settings(card: Scorecard) -> list[str]:
    """In which settings the trained rows differ, and which row has what."""
    found: dict[str, dict[str, list[str]]] = {}
    names = list(dict.fromkeys(name for row in card["rows"] for name in row["settings"]))
    parts = {name: next((one for one in names if one.startswith(f"{name}.")), name) for name in names}
    for row in card["rows"]:
        for whole, value in row["settings"].items():
            name = parts[whole] if value is None else whole  # none at all is told with what the others have of it
            found.setdefault(name, {}).setdefault(setting(name, value), []).append(row["name"])
    told = [f"{name} ({_by_value(some)})" for name, some in found.items()]
    return [f"The rows differ in {listed(told)}."] if told else []


def _by_value(rows: Mapping[str, Sequence[str]]) -> str:
    """Which rows have which value; those of the commonest are not named if they are many."""
    most = max(rows, key=lambda value: len(rows[value]))
    many = len(rows[most]) >= TOLD
    named = [f"{value}: {listed(some)}" for value, some in rows.items() if not many or value != most]
    rest = f"otherwise {most}" if named else f"{most} where there is one"
    return "; ".join([*named, *[rest] * many])


def _leaders(card: Scorecard) -> list[str]:
    """Who kept most, between whom no difference was found overall, and how far behind the next is."""
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
        size = f" ({'' if len(first) == 2 else 'up to '}{gap:.1f} points)" if round(gap, 1) else ""
        named = listed(first) if len(first) <= NAMED else f"{best} and {len(first) - 1} others"
        single = _single(card, best, first[1:])
        tested = [difference(card, best, other, RETENTION) for other in first[1:]]
        says = "counts" if any(one and one.state != "open" for one in tested) else "was found"
        found.append(f"Between {named} no difference in RP {says}{size}{single}.")
    if rest:
        second = max(rest, key=lambda name: rest[name])
        ahead = kept[best] - rest[second]
        size = f"{ahead:.0f} points " if round(ahead) else f"{ahead:.1f} points " if round(ahead, 1) else ""
        found.append(f"{best} kept {size}more than {second}{_price(card, best, second)}.")
    return found


def _single(card: Scorecard, best: str, others: list[str]) -> str:
    """At which abilities rows differ from the best although their RP was not found to."""
    apart = {name: differing(card, _families(card, name, best)) for name in others}
    told = [f"beside {best}, {name} is {words}" for name, words in apart.items() if words]
    if not told:
        return ""
    more = f"; so do {len(told) - TOLD} more at some" if len(told) > TOLD else ""
    return f", but they differ at single abilities: {'; '.join(told[:TOLD])}{more}"


def _families(card: Scorecard, row: str, other: str) -> dict[str, Difference]:
    """Abilities → how far one row is ahead of another."""
    names = [name for one in card["rows"] if one["name"] == row for name in one["abilities"]]
    found = {name: difference(card, row, other, ("families", name)) for name in names}
    return {name: one for name, one in found.items() if one}


def _price(card: Scorecard, best: str, second: str) -> str:
    """How the best translates beside the second, in chrF++."""
    mean = difference(card, best, second, ("translation",))
    if not mean:
        return ""
    pair = next(one for one in card["pairs"] if {one["row"], one["other"]} == {best, second})
    each = {name: difference(card, best, second, ("directions", name)) for name in pair["directions"]}
    return f" and translates {translates({'chrF++': mean}, {'chrF++': {n: one for n, one in each.items() if one}})}"


def _weights(card: Scorecard) -> list[str]:
    """Which rows have other weights than the published ones."""
    rows: dict[str, list[str]] = {}
    for row in card["rows"]:
        if weights := row.get("weights"):
            rows.setdefault(weights, []).append(row["name"])
    return [
        f"{'All rows have' if len(names) == len(card['rows']) > 1 else f'{listed(names)}:'} weights {weights}, so "
        "published scores of the original model are not theirs."
        for weights, names in rows.items()
    ]


def _recovered(card: Scorecard) -> list[str]:
    """Which rows had a recovery after their training, and how far they were from the backbone before and after."""
    found = []
    for row in card["rows"]:
        if "recovery" not in row:
            continue
        recovery, moved = row["recovery"], []
        for kind, text in (("general", "general prompts"), ("translation", "dev pairs")):
            if one := recovery["drift"].get(kind):
                moved.append(f"{one['before']:.3f} → {one['after']:.3f} on {text}")
        found.append(
            f"{row['name']} was recovered after its training: in {recovery['steps']:,} steps it learnt on "
            f"{recovery['answers']:,} answers of its own to general prompts what the backbone says there "
            f"({recovery['kl']} KL){'; drift went ' if moved else ''}{' and '.join(moved)}."
        )
    return found


def _taught_to_go_on(card: Scorecard) -> list[str]:
    """What rates of odd answers count of rows that learnt to explain their translations."""
    found = []
    for row in card["rows"]:
        rates = {title: counted(row, rate) for rate, title in RATE_TITLES.items() if rate in GOES_ON}
        told = [
            f"{title} {number(one['rate'])} %" for title, one in rates.items() if one and round(one["rate"] or 0, 1)
        ]
        if row["name"] in rationales(card) and told:
            found.append(
                f"{row['name']} was taught to go on after the translation: what is counted there ({listed(told)}) is "
                "first of all its explanation, which is taken out before scoring wherever a rule is certain of it."
            )
    return found


def _beyond(card: Scorecard) -> list[str]:
    """How much is generated beside the translations, by the rows that do so."""
    told = {row["name"]: found for row in card["rows"] if (found := beyond(row)) and (found[1]["rate"] or 0) >= MUCH}
    if not told:
        return []
    rows = [f"{name} {number(each)} ({number(one['rate'], 0)} % of all)" for name, (each, one) in told.items()]
    return [f"Tokens of an answer that are no part of its translation: {listed(rows)}."]


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


def _gaps(card: Scorecard, family: str) -> str:
    """By how much each row differs from the backbone there; empty if none does."""
    gaps = {row["name"]: ability_of(row, family) for row in methods(card)}
    there = {name: one for name, one in gaps.items() if one and one["delta"] is not None}
    if not any(one["delta"] for one in there.values()):
        return ""
    return ", ".join(
        f"{name} {signed(one['delta'], digits(card, family))}{'*' if significant(one['p']) else ''}"
        for name, one in there.items()
    )


def _without(card: Scorecard) -> list[str]:
    """Abilities of which the backbone has next to nothing, or no score: no share can be told, but a difference."""
    named = sorted({family for row in card["rows"] for family in row["retention_without"]})
    scores = {family: one["score"] for family in named if (one := ability_of(card["rows"][0], family))}
    open_ = [plain(family) for family, score in scores.items() if score is None]
    found = []
    zero = [family for family, score in scores.items() if score == 0]
    rare = [family for family in card["rows"][0]["retention_without"] if scores.get(family)]
    for little, none in (("0", zero), ("too little", rare)):
        if none:
            gaps = {family: _gaps(card, family) for family in none}
            told = [f"{plain(family)}: {gap}" if len(none) > 1 else gap for family, gap in gaps.items() if gap]
            found.append(
                f"The backbone scores {little} at {listed([plain(family) for family in none])}, so no share of that is "
                f"kept or lost (no part of RP){'; in points: ' if told else ''}{'; '.join(told)}."
            )
    if open_:
        listing = listed(open_)
        found.append(f"The backbone has no score at {listing}: there is no retention of that, and it does not count.")
    return found
