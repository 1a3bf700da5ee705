"""SHIP or DON'T SHIP: each reason alone flips it, by tests that a plain computation repeats."""

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics.chrf import CHRF

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError, StoreError
from dragoman.recipe.judging import Verdict
from dragoman.report.ship.decision import Decision, decide, remarks
from dragoman.scoring.results import RowResults
from dragoman.scoring.scorecard.card import About
from dragoman.scoring.statistics import SEED
from dragoman.suites.questions.suite import AbilityResult, Answered
from tests.plain_card import Card, scorecard
from tests.report.verdict_card import QUESTIONS, Lost, result

FAMILIES = ("sums", "facts", "safe", "talk", "read", "follow", "write", "list")
BEFORE: Lost = {"de-en": 0.3, "en-de": 0.3}
AFTER: Lost = {"de-en": 0.1, "en-de": 0.1}
EVEN = dict.fromkeys(FAMILIES, 90)
RESAMPLES = 200
Change = Callable[[Card], None]


def card(
    lost: Lost = AFTER, passed: Mapping[str, int] = EVEN, noise: Mapping[str, int] | None = EVEN, other: bool = False
) -> Card:
    """A backbone and the row `tuned`; with `other`, one more row that was not tuned well."""
    rows = {"backbone": result(BEFORE, EVEN), "tuned": result(lost, passed)}
    rows |= {"worse": result({"de-en": 0.6, "en-de": 0.6}, EVEN)} if other else {}
    about = {name: About("backbone" if name == "backbone" else "vanilla") for name in rows}
    draws = [RowResults(abilities=result({}, noise).abilities)] if noise else []
    return scorecard(rows, draws, bootstrap=RESAMPLES, about=about)


def decided(made: Card, **bounds: float) -> Decision:
    return decide(made, Verdict(**bounds), "tuned")[0]


def against(found: Decision) -> list[str]:
    """What speaks against shipping."""
    return [reason.about for reason in found.reasons if not reason.holds]


@pytest.fixture(scope="module")
def good() -> Card:
    return card()


def test_what_translates_better_and_keeps_all_is_shipped(good: Card) -> None:
    found = decided(good)
    assert found.ship
    assert [reason.about for reason in found.reasons] == [
        *("translation", "directions", "abilities", "families"),
        *("cut_off", "off_target", "chatter", "no_translation", "copies"),
    ]
    assert found.reasons[0].says.startswith("translation rose by 2")
    assert found.reasons[2].says == "100.0 % of all abilities kept (100.0–100.0); at most 5 % may go"


# Each reason alone


MADE: Mapping[str, tuple[Lost, Mapping[str, int]]] = {
    "translation": (BEFORE, EVEN),
    "directions": ({"de-en": 0.0, "en-de": 0.45}, EVEN),
    "abilities": (AFTER, dict.fromkeys(FAMILIES, 83)),  # seven lost of each: p = 0.016, eightfold no more a finding
    "families": (AFTER, EVEN | {"sums": 60}),  # a third of one of eight: 4.2 % of all
}


@pytest.mark.parametrize("about", MADE)
def test_what_was_not_gained_or_not_kept(about: str) -> None:
    assert against(decided(card(*MADE[about]))) == [about]


def rate(name: str, percent: float) -> Change:
    def change(made: Card) -> None:
        made["rows"][1]["translation"]["rates"][name] |= {"rate": percent, "interval": [percent - 3, percent + 3]}

    return change


def unfinished(made: Card) -> None:
    for family in FAMILIES:
        made["rows"][1]["abilities"][family]["cut_off"] = 6


def disliked(made: Card) -> None:
    ability = copy.deepcopy(made["rows"][1]["abilities"]["sums"])
    none = {"retention": None, "delta": None, "p": None}
    made["rows"][1]["abilities"]["rival"] = ability | none | {"kept": False, "score": 40.0, "interval": [33.0, 47.0]}


ODD: Mapping[str, tuple[str, Change, Change]] = {
    "translations cut off": ("cut_off", rate("cut_off", 5.1), rate("cut_off", 5.0)),
    "answers cut off": ("cut_off", unfinished, lambda made: made["rows"][1]["abilities"]["sums"].update(cut_off=9)),
    "off target": ("off_target", rate("wrong_language", 5.1), rate("source_language", 50)),
    "chatter": ("chatter", rate("chatter", 5.1), rate("over_generation", 50)),
    "empty": ("no_translation", rate("empty", 5.1), rate("empty", 4.9)),
    "nothing found": ("no_translation", rate("extraction_failed", 5.1), rate("extraction_failed", 5.0)),
    "copies": ("copies", rate("copy", 5.1), rate("copy", 0.0)),
    "judged worse": ("rival", disliked, lambda made: None),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd(case: str, good: Card) -> None:
    about, wrong, right = ODD[case]
    bad, fine = copy.deepcopy(good), copy.deepcopy(good)
    wrong(bad)
    right(fine)
    assert against(decided(bad)) == [about]
    assert decided(fine).ship
    if about in Verdict.model_fields:
        assert decided(bad, **{about: 0.1}).ship  # the bound is in the recipe


def test_answers_that_the_backbone_does_not_end_either_are_no_reason(good: Card) -> None:
    same = copy.deepcopy(good)
    for row in same["rows"]:
        for family in FAMILIES:
            row["abilities"][family]["cut_off"] = 30
    assert decided(same).ship
    assert "30.0 % of answers to questions (26.9–33.3; the backbone 30.0 %)" in decided(same).reasons[4].says


def test_who_was_taught_to_go_on_is_told_what_lets_that_pass(good: Card) -> None:
    taught = copy.deepcopy(good)
    rate("chatter", 90.0)(taught)
    assert decided(taught).reasons[6].details == ()
    taught["rows"][1]["rationales"] = {"total": 3}
    assert "verdict.chatter=1 lets that pass" in decided(taught).reasons[6].details[0]
    assert decided(taught, chatter=1).reasons[6].details == ()


# How much may go


def test_a_fall_counts_beyond_the_tolerance() -> None:
    fallen = card(passed=EVEN | {"sums": 60})
    assert against(decided(fallen, tolerance=0.33)) == ["families"]
    assert decided(fallen, tolerance=0.34).ship


def test_a_noise_floor_does_not_excuse_a_fall_on_the_same_questions_and_is_named() -> None:
    """Asked other sums, the backbone falls further than the row did: its floor is 38.9 %."""
    told = "sums: 67 % kept (58–76), −30 points, p < 0.001; at most 5 % may go"
    wide = decided(card(passed=EVEN | {"sums": 60}, noise=EVEN | {"sums": 55}))
    assert against(wide) == ["families"]
    assert wide.reasons[3].details == (
        f"{told}; other questions move the backbone by as much (38.9 %, the noise floor), but both had the same",
    )
    narrow = decided(card(passed=EVEN | {"sums": 60}, noise=EVEN | {"sums": 80}))
    assert narrow.reasons[3].details == (told,)
    assert narrow.reasons[3].evidence["sums"]["noise_floor"] == pytest.approx(100 / 9)  # type: ignore[call-overload,index]


def test_nor_one_of_all_abilities() -> None:
    less = dict.fromkeys(FAMILIES, 83)  # 7.8 %
    for passed, named in ((85, False), (80, True)):
        found = decided(card(passed=less, noise=dict.fromkeys(FAMILIES, passed)))
        assert against(found) == ["abilities"]
        assert ("as much (11.1 %, the noise floor)" in found.reasons[2].says) == named


def test_without_a_noise_floor_the_verdict_says_so() -> None:
    made = card(noise=None)
    assert decided(made).ship
    assert any(remark.startswith("No noise floor was measured") for remark in remarks(made))
    assert not any("noise floor" in remark for remark in remarks(card()))
    assert against(decided(card(passed=EVEN | {"sums": 60}, noise=None))) == ["families"]


def test_what_is_not_ruled_out_is_told(good: Card) -> None:
    """Nothing was found, with so few questions that much might have been lost."""
    few = copy.deepcopy(good)
    few["rows"][1] |= {"retention": 99.0, "retention_interval": [88.0, 108.0]}
    assert decided(few).reasons[2].says == (
        "99.0 % of all abilities kept (88.0–108.0); at most 5 % may go, and a loss of 12.0 % is not ruled out"
    )


def test_an_ability_that_the_backbone_lacks_cannot_fall() -> None:
    rows = {name: result(lost, EVEN | {"poems": 0}) for name, lost in (("backbone", BEFORE), ("tuned", AFTER))}
    made = scorecard(rows, bootstrap=50, about={"backbone": About("backbone"), "tuned": About("vanilla")})
    assert "poems" not in decided(made).reasons[3].evidence
    assert "The backbone scores 0 at poems: there is nothing to lose." in remarks(made)


def test_of_next_to_nothing_no_fall_is_looked_for() -> None:
    rows = {name: result(lost, EVEN | {"poems": 2}) for name, lost in (("backbone", BEFORE), ("tuned", AFTER))}
    made = scorecard(rows, bootstrap=50, about={"backbone": About("backbone"), "tuned": About("vanilla")})
    assert "poems" not in decided(made).reasons[3].evidence
    told = "The backbone scores too little at poems to take a share of, so no fall is looked for."
    assert told in remarks(made)


# The tests behind it


def test_the_test_of_an_ability_is_mcnemars_exact_one_with_holms_correction() -> None:
    """Fourteen lost and two won of a hundred, and nothing elsewhere; then two families at once."""

    def row(changes: Mapping[str, tuple[int, int]]) -> AbilityResult:
        items = []
        for family in FAMILIES:
            lost, won = changes.get(family, (0, 0))
            for number in range(QUESTIONS):
                passed = number < 90
                passed = not passed if number < lost or number >= QUESTIONS - won else passed
                question = Question(family, (Turn("user", f"{family} {number}?"),), Check("equals", {"values": ["x"]}))
                items.append(Answered(question, "x" if passed else "y", passed, True, False))
        return AbilityResult(tuple(items), max_tokens=8)

    def p(lost: int, won: int) -> float:
        changed = lost + won
        return 2 * sum(math.comb(changed, k) for k in range(min(lost, won) + 1)) / 2**changed

    changes = {"sums": (14, 2), "facts": (9, 1)}
    rows = {"backbone": RowResults(result(BEFORE, {}).translation, row({}))}
    rows |= {"tuned": RowResults(result(AFTER, {}).translation, row(changes))}
    made = scorecard(rows, bootstrap=50, about={"backbone": About("backbone"), "tuned": About("vanilla")})
    told: Any = decided(made).reasons[3].evidence
    assert told["sums"]["p"] == pytest.approx(8 * p(14, 2))
    assert told["facts"]["p"] == pytest.approx(7 * p(9, 1))
    assert p(9, 1) < 0.05 < 7 * p(9, 1)
    assert [name for name in told if told[name]["fell"]] == ["sums"]


def test_the_test_of_translation_is_the_bootstrap_over_pairs_of_answers() -> None:
    before, after = (result(lost, {}).translation for lost in (BEFORE, {"de-en": 0.27, "en-de": 0.28}))
    assert before
    assert after
    gaps, metric = np.zeros(RESAMPLES), CHRF(word_order=2)
    delta = 0.0
    for direction in BEFORE:
        items = [
            (one.hypothesis, other.hypothesis, one.pair.target)
            for one, other in zip(before.items, after.items, strict=True)
            if one.pair.direction == direction
        ]

        def gap(chosen: list[tuple[str, str, str]]) -> float:
            ours, theirs, references = zip(*chosen, strict=True)
            scores = [metric.corpus_score(list(said), [list(references)]).score for said in (ours, theirs)]
            return scores[1] - scores[0]

        delta += gap(items) / 2
        drawn = np.random.default_rng(SEED).choice(len(items), size=(RESAMPLES, len(items)))
        gaps += [gap([items[at] for at in places]) / 2 for places in drawn]
    made = card({"de-en": 0.27, "en-de": 0.28})
    told: Any = decided(made).reasons[0].evidence
    assert told["delta"] == pytest.approx(delta)
    rarer = min((gaps <= 0).sum(), (gaps >= 0).sum())
    assert told["p"] == pytest.approx(min(1.0, 2 * (rarer + 1) / (RESAMPLES + 1)))
    assert told["delta_interval"] == pytest.approx([np.sort(gaps)[5], np.sort(gaps)[-6]])


# Which rows, and where no verdict is possible


def test_every_tuned_row_is_decided_on_or_the_one_that_is_named() -> None:
    made = card(other=True)
    assert [(one.row, one.ship) for one in decide(made, Verdict())] == [("tuned", True), ("worse", False)]
    assert [one.row for one in decide(made, Verdict(), "worse")] == ["worse"]
    made["rows"][2]["method"] = "finished"
    assert [one.row for one in decide(made, Verdict())] == ["tuned"]
    assert [one.row for one in decide(made, Verdict(), "worse")] == ["worse"]
    with pytest.raises(DataError, match="--row other: there is no such row; there are tuned, worse"):
        decide(made, Verdict(), "other")
    with pytest.raises(DataError, match="--row backbone"):
        decide(made, Verdict(), "backbone")
    made["rows"][1]["method"] = "finished"
    with pytest.raises(DataError, match="no tuned row is compared"):
        decide(made, Verdict())


def open_items(made: Card) -> None:
    made["rows"][1]["abilities"]["sums"] |= {"notes": {"no judgement": 3}, "not_extracted": 3}


def of_the_backbone(made: Card) -> None:
    made["rows"][0]["abilities"]["sums"] |= {"notes": {"no judgement": 3}, "not_extracted": 3}


def unscored(made: Card) -> None:
    made["rows"][1]["abilities"]["sums"] |= {"score": None, "not_extracted": 100}


def untranslated(made: Card) -> None:
    for row in made["rows"]:
        row["translation"] = None


def unasked(made: Card) -> None:
    for row in made["rows"]:
        row["abilities"] = {}


def unable(made: Card) -> None:
    made["rows"][1]["retention"] = None


def in_one_direction(made: Card) -> None:
    del made["rows"][1]["translation"]["directions"]["en-de"]


def of_fewer_sentences(made: Card) -> None:
    made["rows"][1]["translation"]["directions"]["en-de"]["chrf++"]["n"] = 30


def direction_untested(made: Card) -> None:
    made["rows"][1]["translation"]["directions"]["en-de"]["chrf++"]["p"] = None


def not_asked(made: Card) -> None:
    del made["rows"][1]["abilities"]["sums"]


def of_fewer_questions(made: Card) -> None:
    made["rows"][1]["abilities"]["sums"]["n"] = 99


def ability_untested(made: Card) -> None:
    made["rows"][1]["abilities"]["sums"]["p"] = None


def without_a_share(made: Card) -> None:
    made["rows"][1]["abilities"]["sums"]["retention"] = None


def uncounted(made: Card) -> None:
    del made["rows"][1]["translation"]["rates"]["chatter"]


def untested(made: Card) -> None:
    made["rows"][1]["translation"]["all"]["chrf++"]["delta"] = None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (open_items, "sums: 3 of 100 answers of tuned have no judgement"),
        (of_the_backbone, "sums: 3 of 100 answers of backbone have no judgement"),
        (unscored, "sums: 100 of 100 answers of tuned have no judgement"),
        (untranslated, "no translation was judged"),
        (unasked, "no abilities were judged"),
        (unable, "the backbone scores at no ability"),
        (uncounted, "of an earlier version"),
        (untested, "of an earlier version"),
        (direction_untested, "of an earlier version"),
        (in_one_direction, "en-de: 36 translations of backbone are there and 0 of tuned, so they can't be compared"),
        (of_fewer_sentences, "en-de: 36 translations of backbone are there and 30 of tuned"),
        (not_asked, "sums: 100 answers of backbone are there and 0 of tuned"),
        (of_fewer_questions, "sums: 100 answers of backbone are there and 99 of tuned"),
        (ability_untested, "sums: what was kept of it was not tested; `dragoman run`"),
        (without_a_share, "sums: what was kept of it was not tested"),
    ],
)
def test_no_verdict_where_something_was_not_judged(change: Change, said: str, good: Card) -> None:
    made = copy.deepcopy(good)
    change(made)
    with pytest.raises(StoreError, match=said):
        decide(made, Verdict())


def test_a_share_of_items_without_judgement_can_be_allowed(good: Card) -> None:
    made = copy.deepcopy(good)
    open_items(made)
    assert decided(made, unjudged=0.03).ship
    with pytest.raises(StoreError):
        decided(made, unjudged=0.029)


def test_answers_that_a_rule_could_not_read_have_failed_and_are_judged(good: Card) -> None:
    made = copy.deepcopy(good)
    made["rows"][1]["abilities"]["sums"]["not_extracted"] = 3
    assert decided(made).ship
