"""The decision whether to ship tuned rows: each reason looked at, or why nothing can be decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dragoman.errors import DataError, StoreError, listed
from dragoman.recipe.judging import Verdict
from dragoman.report.abilities import items, unjudged
from dragoman.report.compare import floor, of_backbone
from dragoman.report.phrases import plain
from dragoman.report.ship.odd_answers import odd_answers
from dragoman.report.ship.reasons import Reason, directions, families, kept, preferred, translation
from dragoman.report.translation import RATE_TITLES, group_score, is_translated, main, rates
from dragoman.scoring.scorecard.read import AGAIN
from dragoman.scoring.scorecard.schema import Ability, Row, Score, Scorecard


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one row may be shipped, and why."""

    row: str
    reasons: tuple[Reason, ...]

    @property
    def ship(self) -> bool:
        return all(reason.holds for reason in self.reasons)


def decide(card: Scorecard, bounds: Verdict, row: str | None = None) -> list[Decision]:
    """The decision on every tuned row, or on the one that is named.

    DataError if there is no such row; StoreError if the scorecard does not say enough for a decision.
    """
    chosen = _chosen(card, row)
    if faults := [fault for one in chosen for fault in _faults(card, one, bounds)]:
        raise StoreError("no verdict: " + "\n".join(dict.fromkeys(faults)))
    return [Decision(one["name"], tuple(_reasons(card, one, bounds))) for one in chosen]


def remarks(card: Scorecard) -> list[str]:
    """What to know when reading decisions."""
    scores = {name: one["score"] for name, one in card["rows"][0]["abilities"].items()}
    zero = sorted(plain(name) for name, score in scores.items() if score == 0)
    rare = sorted(plain(name) for name in card["rows"][0]["retention_without"] if scores.get(name))
    found = [
        "A fall counts where the paired test finds it (p < 0.05, of abilities and directions after Holm's correction) "
        "and more went than may."
    ]
    if floor(card) is None:
        found.append(
            "No noise floor was measured (evaluation.noise_seeds), so how far other questions alone move the backbone "
            "is not known. Nothing here depends on it: the tests compare answers to the same questions."
        )
    if zero:
        found.append(f"The backbone scores 0 at {listed(zero)}: there is nothing to lose.")
    if rare:
        found.append(f"The backbone scores too little at {listed(rare)} to take a share of, so no fall is looked for.")
    return found


def _chosen(card: Scorecard, row: str | None) -> list[Row]:
    rows = {one["name"]: one for one in card["rows"] if one["name"] != card["backbone"]}
    tuned = [one for one in rows.values() if one["method"] != "finished"]
    if not of_backbone(card) or not (row or tuned):
        raise DataError("no verdict: no tuned row is compared with its backbone here")
    if row is None:
        return tuned
    if row not in rows:
        raise DataError(f"--row {row}: there is no such row; there are {', '.join(rows)}")
    return [rows[row]]


def _faults(card: Scorecard, row: Row, bounds: Verdict) -> list[str]:
    """Why nothing can be decided about a row."""
    found = []
    if not is_translated(row):
        found.append("no translation was judged; add `translation` to evaluate, and pairs as data.test")
    elif set(RATE_TITLES) - set(rates(card)) or not all(map(_tested, _compared(card, row))):
        found.append(f"the scorecard is of an earlier version; {AGAIN}")
    else:
        found += _unequal(card, row, "translations", lambda one: _sentences(one, main(card)))
    if not any(one["kept"] for one in row["abilities"].values()):
        found.append("no abilities were judged, so nothing says what was kept; add some to evaluate, such as `probes`")
    elif row["retention"] is None:
        found.append("the backbone scores at no ability, so nothing says what was kept; ask others, such as `probes`")
    found += _unequal(card, row, "answers", _questions)
    for one in (card["rows"][0], row):
        for name, ability in one["abilities"].items():
            open_ = ability["not_extracted"] if ability["score"] is None else unjudged(ability)
            if ability["score"] is None or open_ > bounds.unjudged * items(ability):
                found.append(
                    f"{plain(name)}: {open_} of {items(ability)} answers of {one['name']} have no judgement; run again "
                    "to have the judge asked for the rest, or allow for a share of them (verdict.unjudged=0.02)"
                )
            elif one is row and ability["kept"] and ability["delta"] is None:
                found.append(
                    f"{plain(name)}: no answer of {row['name']} was judged that was judged of the backbone too"
                )
            elif one is row and ability["kept"] and not _has_share(card, row, name):
                found.append(f"{plain(name)}: what was kept of it was not tested; {AGAIN}")
    return found


def _compared(card: Scorecard, row: Row) -> list[Score | None]:
    """What a row's translation is decided by: its mean over all directions, and each of them."""
    metric = main(card)
    each = row["translation"]["directions"] if row["translation"] else {}
    return [group_score(row, "all", metric), *(given[metric] for given in each.values() if metric in given)]


def _tested(score: Score | Ability | None) -> bool:
    return score is not None and score["delta"] is not None and score["p"] is not None


def _has_share(card: Scorecard, row: Row, family: str) -> bool:
    """Whether it is known how much of an ability was kept, or that the backbone has none of which to take a share."""
    before, after = card["rows"][0]["abilities"].get(family), row["abilities"][family]
    if after["retention"] is None:
        return family in row["retention_without"] or bool(before and not before["score"])
    return _tested(after)


def _sentences(row: Row, metric: str) -> dict[str, int]:
    """Direction → how many of a row's translations were scored."""
    each = row["translation"]["directions"] if row["translation"] else {}
    return {name: given[metric]["n"] for name, given in each.items() if metric in given}


def _questions(row: Row) -> dict[str, int]:
    """Ability that can be kept → how many questions a row was asked."""
    return {name: one["n"] for name, one in row["abilities"].items() if one["kept"]}


def _unequal(card: Scorecard, row: Row, of: str, counted: Callable[[Row], Mapping[str, int]]) -> list[str]:
    """What only one of backbone and row was asked, or one less often than the other."""
    before, after = counted(card["rows"][0]), counted(row)
    return [
        f"{plain(name)}: {before.get(name, 0)} {of} of {card['backbone']} are there and {after.get(name, 0)} of "
        f"{row['name']}, so they can't be compared; {AGAIN}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def _reasons(card: Scorecard, row: Row, bounds: Verdict) -> Sequence[Reason]:
    return [
        translation(card, row),
        *directions(card, row),
        kept(card, row, bounds),
        families(card, row, bounds),
        *preferred(card, row),
        *odd_answers(card, row, bounds),
    ]
