"""Odd answers as reasons not to ship: no end, another language, more than the translation, the source over again."""

from dataclasses import dataclass

from dragoman.recipe.judging import Verdict
from dragoman.report.abilities import items
from dragoman.report.phrases import number, spread
from dragoman.report.ship.reasons import Reason
from dragoman.report.translation import counted
from dragoman.scoring.scorecard.schema import Row, Scorecard, ends
from dragoman.scoring.statistics import wilson

TAUGHT = "it learnt from rationales, and so to go on: verdict.chatter=1 lets that pass"


@dataclass(frozen=True, slots=True)
class _Odd:
    """How many percent of a row's answers are odd in one way."""

    words: str
    rate: float
    interval: tuple[float, float]
    before: float | None = None
    """Of the backbone's, where a row need be no better than that."""

    def beyond(self, most: float) -> bool:
        return self.rate > most and (self.before is None or self.interval[0] > self.before)

    def says(self, most: float) -> str:
        more = f"; the backbone {number(self.before)} %" if (self.before or 0) > most else ""
        return f"{number(self.rate)} % {self.words} ({spread(self.interval)}{more})"


def odd_answers(card: Scorecard, row: Row, bounds: Verdict) -> list[Reason]:
    """A reason for each way of being odd."""
    cut = (_of_translations(row, "cut_off", "of translations cut off"), _of_questions(card["rows"][0], row))
    foreign = _of_translations(row, "wrong_language", "in another language")
    goes_on = _of_translations(row, "chatter", "go on to talk")
    empty = _of_translations(row, "empty", "empty")
    none = _of_translations(row, "extraction_failed", "with none to find")
    copied = _of_translations(row, "copy", "the source over again")
    taught = TAUGHT if row["rationales"] and goes_on and goes_on.beyond(100 * bounds.chatter) else ""
    return [
        _reason("cut_off", "endings", bounds.cut_off, cut),
        _reason("off_target", "off target", bounds.off_target, (foreign,)),
        _reason("chatter", "chatter", bounds.chatter, (goes_on,), taught),
        _reason("no_translation", "no translation", bounds.no_translation, (empty, none)),
        _reason("copies", "copies", bounds.copies, (copied,)),
    ]


def _reason(about: str, title: str, bound: float, found: tuple[_Odd | None, ...], detail: str = "") -> Reason:
    most = 100 * bound
    known = [one for one in found if one]
    told = ", ".join(one.says(most) for one in known) or "of no answer can that be told"
    return Reason(
        about,
        not any(one.beyond(most) for one in known),
        f"{title}: {told}; at most {most:g} %",
        (detail,) if detail else (),
        {
            "bound": most,
            "rates": [
                {"of": one.words, "rate": one.rate, "interval": list(one.interval), "backbone": one.before}
                for one in known
            ],
        },
    )


def _of_translations(row: Row, rate: str, words: str) -> _Odd | None:
    """None if there is no telling."""
    found = counted(row, rate)
    if not found or found["rate"] is None or not found["interval"]:
        return None
    return _Odd(words, found["rate"], ends(found["interval"]))


def _of_questions(first: Row, row: Row) -> _Odd | None:
    """Answers that were cut off, over all abilities: a limit may be too short for the backbone as well."""
    (count, n), (before, asked) = _cut_off(row), _cut_off(first)
    if not n or not asked:
        return None
    trainings = max(1, len(row["seeds"]))  # what several do with one question is no news of another
    interval = wilson(count / trainings, n / trainings)
    return _Odd("of answers to questions", 100 * count / n, interval, 100 * before / asked)


def _cut_off(row: Row) -> tuple[int, int]:
    kept = [one for one in row["abilities"].values() if one["kept"]]
    return sum(one["cut_off"] for one in kept), sum(map(items, kept))
