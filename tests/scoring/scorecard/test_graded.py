"""What others judge, in the scorecard."""

import json
import math
from typing import Any

import pytest

from dragoman.corpora.records import Check, Question, Turn
from dragoman.errors import DataError
from dragoman.scoring.results import RowResults
from dragoman.suites import Graded, Item
from dragoman.suites.questions.suite import AbilityResult, Answered
from tests.plain_card import scorecard


def graded(name: str, *values: float | None, **more: Any) -> Graded:
    items = tuple(Item(f"q{number}", value, "odd" if number % 2 else "even") for number, value in enumerate(values))
    settings: dict[str, Any] = {"side": "general", "signature": name, "items": items, **more}
    return Graded(name, **settings)


def row(*benchmarks: Graded) -> RowResults:
    return RowResults(graded=benchmarks)


def test_results_are_the_same_after_a_round_through_json() -> None:
    result = row(graded("mt-bench", 7.0, None, unit="/10", notes={"no judgement": 1}, facts={"turn 1": 7.0}))
    assert RowResults.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_what_was_not_judged_is_counted_and_left_out_of_the_mean() -> None:
    base = row(graded("mt-bench", 8.0, 6.0, 4.0, 6.0, unit="/10", side="instruction"))
    tuned = row(graded("mt-bench", 4.0, None, 4.0, 1.0, unit="/10", side="instruction", notes={"no judgement": 1}))
    card = scorecard({"backbone": base, "tuned": tuned}, bootstrap=200)
    before, after = (one["abilities"]["mt-bench"] for one in card["rows"])
    assert (before["score"], after["score"]) == (6.0, 3.0)
    assert (after["n"], after["not_extracted"], after["notes"]) == (4, 1, {"no judgement": 1})
    assert (after["unit"], after["side"], after["passed"]) == ("/10", "instruction", None)
    assert (after["delta"], after["retention"]) == (-3.0, 50.0)
    assert after["subjects"] == {"even": {"score": 4.0, "n": 2}, "odd": {"score": 1.0, "n": 2}}
    assert card["rows"][1]["retention"] == 50.0
    low, high = after["interval"]
    assert 1.0 <= low < 3.0 < high <= 4.0


@pytest.mark.usefixtures("few_stand_for_many")
def test_where_nothing_was_judged_there_is_no_score_and_no_retention() -> None:
    base = row(graded("mt-bench", None, None, unit="/10"), graded("safety", 100.0, 0.0, side="safety"))
    tuned = row(graded("mt-bench", None, None, unit="/10"), graded("safety", 100.0, 100.0, side="safety"))
    card = scorecard({"backbone": base, "tuned": tuned}, bootstrap=50)
    assert "NaN" not in json.dumps(card, allow_nan=False)
    tuned_row = card["rows"][1]
    assert (tuned_row["abilities"]["mt-bench"]["score"], tuned_row["abilities"]["mt-bench"]["interval"]) == (None, None)
    assert tuned_row["retention_without"] == ["mt-bench"]
    assert tuned_row["retention"] == 200.0
    assert "mt-bench" not in card["pairs"][0]["families"]


def test_shares_of_yes_and_no_get_wilsons_interval_and_mcnemars_test() -> None:
    base, tuned = graded("safety", *[100.0] * 10, side="safety"), graded("safety", *[0.0] * 8, 100.0, 100.0)
    card = scorecard({"backbone": row(base), "tuned": row(tuned)}, bootstrap=50)
    first, second = (one["abilities"]["safety"] for one in card["rows"])
    assert first["interval"] == pytest.approx([72.25, 100.0], abs=0.01)
    assert first["signature"].endswith("|interval:wilson")
    assert (second["passed"], second["score"]) == (2, 20.0)
    assert second["p"] == pytest.approx(2 / 2**8)


@pytest.mark.usefixtures("few_stand_for_many")
def test_a_comparison_with_the_backbone_counts_as_a_change_and_not_as_retention() -> None:
    base = row(graded("ifeval", 100.0, 0.0, side="instruction"))
    pairwise = graded("pairwise", 100.0, 50.0, 0.0, 0.0, side="instruction", kept=False)
    tuned = row(graded("ifeval", 100.0, 100.0, side="instruction"), pairwise)
    card = scorecard({"backbone": base, "tuned": tuned}, bootstrap=50)
    told = card["rows"][1]
    assert told["abilities"]["pairwise"]["score"] == 37.5
    assert (told["abilities"]["pairwise"]["retention"], told["abilities"]["pairwise"]["kept"]) == (None, False)
    assert told["retention"] == 200.0  # of ifeval alone
    assert told["retention_without"] == []
    change = told["trace"]["instruction"]
    assert change["families"] == ["ifeval", "pairwise"]
    assert change["delta"] == pytest.approx((50 + -25) / 2)  # wins less losses: 25 % - 50 %
    assert (told["trace"]["safety"], card["rows"][0]["trace"]) == (None, None)


def test_a_rating_out_of_ten_counts_ten_times_in_a_change() -> None:
    base = row(graded("mt-bench", 8.0, 8.0, unit="/10", side="instruction"))
    tuned = row(graded("mt-bench", 7.5, 7.5, unit="/10", side="instruction"))
    card = scorecard({"backbone": base, "tuned": tuned}, bootstrap=50)
    assert card["rows"][1]["trace"]["instruction"]["delta"] == pytest.approx(-5.0)


def test_answers_that_are_drawn_again_give_a_noise_floor() -> None:
    base = row(graded("mt-bench", 8.0, 8.0, unit="/10"), graded("gsm8k", 100.0, 0.0))
    again = row(graded("mt-bench", 7.0, 8.0, unit="/10"))
    card = scorecard({"backbone": base, "tuned": base}, [again], bootstrap=20)
    assert card["noise"]["families"] == {"mt-bench": {"scores": [8.0, 7.5], "retention": pytest.approx(6.25)}}
    assert card["rows"][1]["abilities"]["gsm8k"]["inside_noise"] is None


def test_a_skill_is_apart_and_no_part_of_what_is_kept() -> None:
    code = graded("humaneval", 40.0, 80.0, side="skill", kept=False)
    card = scorecard({"backbone": row(code), "tuned": row(code)}, bootstrap=20)
    assert list(card["rows"][1]["skills"]) == ["humaneval"]
    assert (card["rows"][1]["abilities"], card["rows"][1]["retention"]) == ({}, None)


def test_other_items_than_the_backbones_are_refused() -> None:
    with pytest.raises(DataError, match="Row 'tuned' was judged on other items of gsm8k"):
        scorecard({"backbone": row(graded("gsm8k", 1.0, 2.0)), "tuned": row(graded("gsm8k", 1.0))})


def test_the_score_is_the_mean_of_what_was_judged() -> None:
    assert graded("x", 1.0, None, 3.0).score == 2.0
    assert graded("x", None).score is None
    several = [row(graded("x", 10.0, 20.0)), row(graded("x", 20.0, 40.0))]
    card = scorecard({"backbone": row(graded("x", 10.0, 10.0)), "tuned": several}, bootstrap=50)
    found = card["rows"][1]["abilities"]["x"]
    assert (found["score"], found["seeds"]) == (22.5, [15.0, 30.0])
    assert found["sd"] == pytest.approx(15 / math.sqrt(2))


def test_one_verdict_of_many_is_as_uncertain_as_one() -> None:
    """An interval is of what was judged, with nothing said of the rest."""
    some = graded("pairwise", 100.0, *[None] * 519, kept=False)
    card = scorecard({"backbone": row(), "tuned": row(some)}, bootstrap=100)["rows"][1]["abilities"]["pairwise"]
    assert (card["score"], card["n"], card["passed"], card["not_extracted"]) == (100, 520, 1, 519)
    assert card["interval"] == pytest.approx([20.7, 100], abs=0.1)
    assert card["signature"].endswith("|interval:wilson")


def test_rows_are_compared_by_what_was_judged_of_both() -> None:
    """A judge that has no room for the worst answers of one row doesn't make it better."""
    ratings = [3.0, 4.0, 5.0, 6.0, 9.0, 10.0] * 5
    kept = [None if rating < 5 else rating for rating in ratings]
    rows = {"backbone": row(graded("b", *ratings, unit="/10")), "tuned": row(graded("b", *kept, unit="/10"))}
    card = scorecard(rows, bootstrap=200)
    tuned = card["rows"][1]
    assert tuned["abilities"]["b"]["score"] == 7.5  # of what was judged
    assert (tuned["abilities"]["b"]["delta"], tuned["abilities"]["b"]["p"]) == (0, 1)
    assert (tuned["retention"], tuned["retention_interval"]) == (100, [100, 100])
    assert tuned["trace"]["general"]["delta"] == 0
    assert card["pairs"][0]["families"]["b"]["delta"] == 0
    shares = {"backbone": row(graded("s", 100.0, 0.0, 0.0)), "tuned": row(graded("s", 100.0, None, 0.0))}
    assert scorecard(shares, bootstrap=50)["rows"][1]["abilities"]["s"]["p"] == 1
    nothing = {"backbone": row(graded("s", None, 0.0)), "tuned": row(graded("s", 100.0, None))}
    apart = scorecard(nothing, bootstrap=50)["rows"][1]["abilities"]["s"]
    assert (apart["delta"], apart["delta_interval"], apart["p"], apart["retention"]) == (None, None, None, None)


def test_what_belongs_together_is_drawn_together() -> None:
    alone = [Item(f"q{at}-{turn}", float(at % 10), "", {}) for at in range(40) for turn in (1, 2)]
    talks = [Item(f"q{at}-{turn}", float(at % 10), "", {}, group=f"q{at}") for at in range(40) for turn in (1, 2)]
    widths = []
    for items in (alone, talks):
        rows = {"backbone": row(graded("m", unit="/10", items=tuple(items)))}
        low, high = scorecard(rows, bootstrap=1000)["rows"][0]["abilities"]["m"]["interval"]
        widths.append(high - low)
    assert widths[1] / widths[0] == pytest.approx(2**0.5, rel=0.15)  # both turns say the same


def test_no_share_is_taken_of_next_to_nothing() -> None:
    def retained(right: int) -> tuple[float | None, object, list[str]]:
        backbone = [100.0] * right + [0.0] * (200 - right)
        rows = {"backbone": row(graded("rare", *backbone)), "tuned": row(graded("rare", *[100.0] * 20 + [0.0] * 180))}
        tuned = scorecard(rows, bootstrap=400)["rows"][1]
        return tuned["retention"], tuned["abilities"]["rare"]["retention_interval"], tuned["retention_without"]

    assert retained(3) == (None, None, ["rare"])  # 5 % of the resamples have none of the three
    kept, interval, without = retained(4)
    assert (kept, without) == (500, [])
    assert interval is not None


def test_the_noise_floor_is_of_the_mean_that_it_is_held_against() -> None:
    fixed = [graded(f"fixed {at}", 50.0, 60.0) for at in range(9)]
    draws = [row(graded("m", 6.3, unit="/10")), row(graded("m", None, unit="/10")), row(graded("m", 5.7, unit="/10"))]
    floor = scorecard({"backbone": row(*fixed, graded("m", 6.0, unit="/10"))}, draws, bootstrap=20)["noise"]
    assert (floor["draws"], floor["left_out"]) == (2, 1)
    assert floor["retention"] == pytest.approx(0.5)  # 5 % of one family in ten
    assert list(floor["families"]) == ["m"]
    assert floor["families"]["m"]["retention"] == pytest.approx(5)
    nothing = scorecard({"backbone": row(graded("m", 6.0))}, [row(graded("m", None))], bootstrap=20)
    assert nothing["noise"] is None


def test_questions_and_a_benchmark_of_one_name_are_refused() -> None:
    asked = Answered(Question("s", (Turn("user", "?"),), Check("contains")), "x", True, True, False)
    both = RowResults(None, AbilityResult((asked,), 8), (graded("s", 100.0),))
    with pytest.raises(DataError, match="a family 's' and a benchmark of that name"):
        scorecard({"backbone": both}, bootstrap=10)


def test_a_benchmark_without_items_has_no_score() -> None:
    card = scorecard({"backbone": row(graded("empty"))}, bootstrap=10)["rows"][0]["abilities"]["empty"]
    assert (card["score"], card["interval"], card["n"]) == (None, None, 0)
