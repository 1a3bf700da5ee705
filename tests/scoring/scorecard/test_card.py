"""The scorecard, value by value."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sacrebleu.metrics import CHRF

from dragoman.corpora.records import Check, Pair, Question, Turn
from dragoman.errors import DataError
from dragoman.generation.ask import Completion
from dragoman.scoring.scorecard.card import About, RowResults
from dragoman.scoring.scorecard.training import Cost, Replay
from dragoman.suites.questions.suite import AbilityResult, Answered
from dragoman.suites.translation.suite import TranslationResult, judge
from tests.plain_card import scorecard

SENTENCES = [
    f"the {a} {b} in the old {c}" for a in ("cat", "dog") for b in ("sleeps", "runs") for c in ("garden", "house")
]
PAIRS = [Pair(f"satz {i}", text, "de", "en") for i, text in enumerate(SENTENCES)]
PAIRS += [Pair(f"sentence {i}", f"der satz nummer {i} ist lang", "en", "it") for i in range(5)]
BACK = [pair.reversed() for pair in PAIRS[:3]]

Rows = dict[str, RowResults | Sequence[RowResults]]


def translated(hypotheses: Sequence[str], pairs: Sequence[Pair] = PAIRS) -> TranslationResult:
    return judge(pairs, [Completion((1, 0), text, "stop") for text in hypotheses])


def answered(**families: str) -> AbilityResult:
    """`facts="+-"`: one question passed, one failed; `?` could not be read."""
    items = [
        Answered(
            Question(family, (Turn("user", f"{family} {i}"),), Check("equals", {"values": ["x"]})),
            answer="x",
            passed=mark == "+",
            extracted=mark != "?",
            cut_off=False,
        )
        for family, marks in families.items()
        for i, mark in enumerate(marks)
    ]
    return AbilityResult(tuple(items), max_tokens=64)


def counted(rate: dict) -> tuple:
    return rate["count"], rate["n"], rate["rate"]


def drawn(**families: str) -> RowResults:
    """The backbone's answers to another draw of questions."""
    return RowResults(abilities=answered(**families))


PERFECT = [pair.target for pair in PAIRS]
POOR = [text.replace("old ", "") for text in PERFECT]
BACKBONE = RowResults(translated(POOR), answered(facts="++++-", refusals="++--"))
VANILLA = RowResults(translated(PERFECT), answered(facts="++---", refusals="?---"))


@pytest.mark.usefixtures("few_stand_for_many")
def test_a_row_after_another_is_held_against_that_as_well() -> None:
    later = RowResults(translated(PERFECT), answered(facts="++++-", refusals="?---"))
    learnt = {"directions": ["de-en"], "lessons": []}
    about = {"next": About(after="vanilla", learnt=learnt), "far": About(after="x of y.yaml")}  # type: ignore[arg-type]
    rows: Rows = {"backbone": BACKBONE, "vanilla": VANILLA, "next": later, "far": VANILLA}
    backbone, vanilla, after, far = scorecard(rows, bootstrap=200, about=about)["rows"]
    assert "after" not in backbone
    assert "after" not in vanilla
    assert (after["after"]["row"], after["learnt"]) == ("vanilla", learnt)
    kept = after["after"]["kept"]
    assert kept["families"] == ["facts"]  # vanilla has nothing of the other
    assert kept["retention"] == pytest.approx(200)
    assert "|of:score/vanilla|" in kept["signature"]
    assert after["retention"] == pytest.approx(50)
    assert far["after"] == {"row": "x of y.yaml", "kept": None}


def test_translation_is_scored_by_direction_and_averaged() -> None:
    card = scorecard({"backbone": BACKBONE, "vanilla": VANILLA}, bootstrap=200)
    backbone, vanilla = card["rows"]
    assert [row["name"] for row in card["rows"]] == ["backbone", "vanilla"]
    assert list(vanilla["translation"]["directions"]) == ["de-en", "en-it"]
    assert vanilla["translation"]["mean"] == vanilla["translation"]["all"]["chrf++"]["score"] == pytest.approx(100)
    assert vanilla["translation"]["into_english"]["directions"] == ["de-en"]
    assert vanilla["translation"]["out_of_english"]["directions"] == ["en-it"]

    into, out = (backbone["translation"]["directions"][name]["chrf++"]["score"] for name in ("de-en", "en-it"))
    assert into == pytest.approx(CHRF(word_order=2).corpus_score(POOR[:8], [PERFECT[:8]]).score, abs=1e-9)
    assert out == pytest.approx(100)
    assert backbone["translation"]["mean"] == pytest.approx((into + out) / 2)

    gained = vanilla["translation"]["into_english"]["chrf++"]
    assert gained["delta"] == pytest.approx(100 - into)
    assert gained["n"] == 8
    low, high = gained["delta_interval"]
    assert low <= gained["delta"] <= high
    assert gained["p"] < 0.05
    assert "chrf++|nrefs:1|bs:200|seed:12345|case:mixed" in gained["signature"]
    unchanged = vanilla["translation"]["out_of_english"]["chrf++"]
    assert (unchanged["delta"], unchanged["p"]) == (0, 1.0)
    mean = vanilla["translation"]["all"]["bleu"]
    assert mean["n"] == 13
    assert mean["signature"].startswith("mean of 2 directions: bleu|")
    assert backbone["translation"]["all"]["bleu"]["delta"] is None


def test_a_group_without_directions_is_null() -> None:
    card = scorecard({"backbone": RowResults(translated([pair.target for pair in BACK], BACK))}, bootstrap=10)
    row = card["rows"][0]
    assert row["translation"]["into_english"] is None
    assert row["translation"]["out_of_english"]["directions"] == ["en-de"]
    assert (row["abilities"], row["retention"], row["inside_noise"]) == ({}, None, None)


def test_no_questions_are_no_abilities() -> None:
    row = scorecard({"backbone": RowResults(None, answered())}, bootstrap=10)["rows"][0]
    assert (row["translation"], row["abilities"], row["retention"]) == (None, {}, None)


def test_rates_are_counted_over_what_could_be_judged() -> None:
    pairs = [Pair("Das ist gut.", "This is good.", "de", "en"), Pair("Ez jó.", "Good.", "hu", "en")]
    row = RowResults(translated(["Das ist gut.", "Sure! Here is the translation: Good."], pairs))
    rates = scorecard({"backbone": row}, bootstrap=10)["rows"][0]["translation"]["rates"]
    assert counted(rates["wrong_language"]) == (1, 1, 100.0)
    assert counted(rates["source_language"]) == (1, 1, 100.0)
    assert counted(rates["copy"]) == (1, 2, 50.0)
    assert counted(rates["chatter"]) == (1, 2, 50.0)
    assert counted(rates["empty"]) == (0, 2, 0.0)
    assert rates["wrong_language"]["interval"] == pytest.approx([20.65, 100], abs=0.01)
    assert rates["wrong_language"]["signature"].startswith("rate|identifier:py3langid-")


def test_tokens_beyond_the_translations_are_a_share_of_all() -> None:
    def row(*counted: tuple[int | None, int | None]) -> RowResults:
        result = translated([pair.target for pair in BACK], BACK)
        parts = zip(result.items, counted, strict=True)
        return RowResults(replace(result, items=tuple(replace(item, tokens=t, beyond=b) for item, (t, b) in parts)))

    rows: Rows = {"backbone": row((10, 0), (20, 10), (10, 0)), "several": [row(*[(10, 8)] * 3), row(*[(30, 24)] * 3)]}
    backbone, several = (one["translation"]["beyond"] for one in scorecard(rows, bootstrap=200)["rows"])
    assert counted(backbone) == (10, 40, 25)
    assert backbone["interval"][0] == 0 < 25 < backbone["interval"][1] <= 50
    assert backbone["signature"].startswith("beyond|rule:dragoman|extraction:2|interval:bs:200|seed:12345|version:")
    assert counted(several) == (96, 120, 80)
    assert several["interval"] == pytest.approx([80, 80])
    silent = scorecard({"backbone": row(*[(0, 0)] * 3)}, bootstrap=10)["rows"][0]["translation"]["beyond"]
    assert (counted(silent), silent["interval"]) == ((0, 0, None), None)
    older = scorecard({"backbone": row((10, 0), (None, None), (10, 0))}, bootstrap=10)
    assert "beyond" not in older["rows"][0]["translation"]


@pytest.mark.usefixtures("few_stand_for_many")
def test_retention_is_the_score_over_the_backbones() -> None:
    row = scorecard({"backbone": BACKBONE, "vanilla": VANILLA}, bootstrap=400)["rows"][1]
    facts, refusals = row["abilities"]["facts"], row["abilities"]["refusals"]
    assert (facts["score"], facts["n"], facts["passed"], facts["delta"], facts["retention"]) == (40, 5, 2, -40, 50)
    assert facts["p"] == 0.5  # two lost, none won
    assert facts["interval"] == pytest.approx([11.8, 76.9], abs=0.1)
    assert facts["retention_interval"][0] < 50 < facts["retention_interval"][1]
    assert facts["signature"].startswith("passed|check:equals|decoding:greedy|tokens:64|")
    assert (refusals["score"], refusals["retention"], refusals["not_extracted"]) == (0, 0, 1)
    assert refusals["retention_interval"] == [0, 0]
    assert row["retention"] == 25
    assert row["retention_interval"][0] < 25 < row["retention_interval"][1]


def test_the_backbone_keeps_all_of_itself() -> None:
    row = scorecard({"backbone": BACKBONE}, bootstrap=50)["rows"][0]
    assert row["retention"] == 100
    assert row["retention_interval"] == [100, 100]
    assert row["abilities"]["facts"]["delta"] is None


def test_an_ability_that_the_backbone_lacks_has_no_retention() -> None:
    backbone = RowResults(None, answered(facts="++", magic="--"))
    vanilla = RowResults(None, answered(facts="+-", magic="++"))
    row = scorecard({"backbone": backbone, "vanilla": vanilla}, bootstrap=50)["rows"][1]
    assert row["abilities"]["magic"]["retention"] is None
    assert row["abilities"]["magic"]["retention_interval"] is None
    assert row["retention"] == 50
    assert row["retention_without"] == ["magic"]


@pytest.mark.usefixtures("few_stand_for_many")
def test_the_noise_floor_is_the_backbone_against_itself() -> None:
    draws = [drawn(facts="+++--", refusals="++--"), drawn(facts="+++++", refusals="+++-")]
    kept = RowResults(BACKBONE.translation, answered(facts="+++--", refusals="++--"))
    card = scorecard({"backbone": BACKBONE, "vanilla": VANILLA, "radis": kept}, draws, bootstrap=50)
    assert card["noise"] == {
        "draws": 2,
        "left_out": 0,
        "retention": pytest.approx(37.5),  # (125 + 150) / 2 of the second draw
        "families": {
            "facts": {"scores": [80, 60, 100], "retention": pytest.approx(25)},
            "refusals": {"scores": [50, 50, 75], "retention": pytest.approx(50)},
        },
    }
    backbone, vanilla, radis = card["rows"]
    assert (backbone["inside_noise"], vanilla["inside_noise"], radis["inside_noise"]) == (None, False, True)
    assert vanilla["abilities"]["facts"]["inside_noise"] is False
    assert radis["abilities"]["facts"]["inside_noise"] is True
    assert scorecard({"backbone": BACKBONE, "vanilla": VANILLA}, bootstrap=50)["rows"][1]["inside_noise"] is None


def test_a_scorecard_is_plain_data_and_the_same_every_time() -> None:
    rows = {"backbone": BACKBONE, "vanilla": VANILLA}
    stored = {name: RowResults.from_json(json.loads(json.dumps(row.to_json()))) for name, row in rows.items()}
    card = scorecard(rows, [RowResults(abilities=BACKBONE.abilities)], bootstrap=50)
    assert (
        json.loads(json.dumps(card))
        == card
        == scorecard(stored, [RowResults(abilities=BACKBONE.abilities)], bootstrap=50)
    )


def test_rows_that_cannot_be_compared_are_refused() -> None:
    other = RowResults(BACKBONE.translation, answered(facts="+", refusals="++--"))
    with pytest.raises(DataError, match="Row 'vanilla' was not asked the questions of the backbone"):
        scorecard({"backbone": BACKBONE, "vanilla": other})
    other = RowResults(translated(PERFECT[:-1], PAIRS[:-1]), BACKBONE.abilities)
    with pytest.raises(DataError, match="Row 'vanilla' was not judged on the test sentences of the backbone"):
        scorecard({"backbone": BACKBONE, "vanilla": other})
    with pytest.raises(DataError, match="No row 'backbone'"):
        scorecard({"vanilla": VANILLA})
    with pytest.raises(DataError, match="other families"):
        scorecard({"backbone": BACKBONE}, [drawn(facts="+", riddles="+")])
    with pytest.raises(DataError, match="other families"):
        scorecard({"backbone": BACKBONE}, [RowResults(abilities=BACKBONE.abilities), drawn(facts="+")])


@pytest.mark.filterwarnings("error")
def test_a_backbone_that_can_do_nothing_has_no_noise_floor_and_no_warning() -> None:
    card = scorecard({"backbone": RowResults(abilities=answered(facts="---"))}, [drawn(facts="---")], bootstrap=20)
    assert card["noise"]["retention"] is None


@pytest.mark.usefixtures("few_stand_for_many")
def test_a_family_that_is_not_drawn_anew_has_no_noise_floor() -> None:
    card = scorecard({"backbone": BACKBONE, "vanilla": VANILLA}, [drawn(facts="+++--")], bootstrap=20)
    assert card["noise"] == {
        "draws": 1,
        "left_out": 0,
        "retention": pytest.approx(12.5),  # the other is all that it was: RP is the mean of both
        "families": {"facts": {"scores": [80.0, 60.0], "retention": pytest.approx(25)}},
    }
    assert card["rows"][1]["abilities"]["facts"]["inside_noise"] is False
    assert card["rows"][1]["abilities"]["refusals"]["inside_noise"] is None


@pytest.mark.usefixtures("few_stand_for_many")
def test_a_recipe_says_which_families_are_skills() -> None:
    backbone = replace(answered(**{"qa-de": "+---", "facts": "++--"}), skills=("qa-*",))
    row = replace(answered(**{"qa-de": "++++", "facts": "+---"}), skills=("qa-*",))
    card = scorecard({"backbone": RowResults(None, backbone), "row": RowResults(None, row)}, bootstrap=20)
    judged = card["rows"][1]
    assert (list(judged["skills"]), list(judged["abilities"])) == (["qa-de"], ["facts"])
    assert judged["retention"] == 50  # of the facts alone
    (pair,) = card["pairs"]
    assert (list(pair["skills"]), list(pair["families"])) == (["qa-de"], ["facts"])


def taken(*parts: float, subjects: str = "") -> AbilityResult:
    """Answers taken from a text, by their F1; 1 is an exact match."""
    check = Check("squad", {"values": ["x"], "language": "de", "extract": "first_line", "prompt": "1a2b3c4d"})
    items = [
        Answered(
            Question("xquad-de", (Turn("user", "Answer.", f"Text {i}"),), check, "de", subjects[i : i + 1]),
            answer="x",
            passed=part == 1,
            extracted=True,
            cut_off=False,
            part=part,
        )
        for i, part in enumerate(parts)
    ]
    return AbilityResult(tuple(items), max_tokens=64)


def test_answers_from_a_text_have_f1_beside_exact_match() -> None:
    rows: Rows = {
        "backbone": RowResults(None, taken(1, 0.5, 0, 0)),
        "row": [RowResults(None, taken(1, 1, p, 0)) for p in (0, 0.4)],
    }
    ability = scorecard(rows, bootstrap=200)["rows"][1]["abilities"]["xquad-de"]
    assert (ability["score"], ability["f1"]["score"]) == (50, pytest.approx((50 + 60) / 2))
    assert ability["f1"]["seeds"] == pytest.approx([50, 60])
    assert ability["f1"]["n"] == 4
    low, high = ability["f1"]["interval"]
    assert 0 <= low < 55 < high <= 100
    made = "|check:squad|norm:mlqa-de|extract:first_line|prompt:1a2b3c4d|decoding:greedy|tokens:64|interval:bs:200|"
    assert ability["f1"]["signature"].startswith("f1" + made)
    assert ability["signature"].startswith("passed" + made)
    one = scorecard({"backbone": RowResults(None, taken(1, 0.5))}, bootstrap=20)["rows"][0]["abilities"]["xquad-de"]
    assert "interval:wilson" in one["signature"]
    assert "interval:bs:20" in one["f1"]["signature"]


def test_parts_of_a_family_are_scored_and_averaged_alike() -> None:
    ability = scorecard({"backbone": RowResults(None, taken(1, 1, 1, 0, 0, subjects="aaabb"))}, bootstrap=20)["rows"][0]
    card = ability["abilities"]["xquad-de"]
    assert card["subjects"] == {
        "a": {"score": 100, "n": 3},
        "b": {"score": 0, "n": 2},
    }
    assert (card["score"], card["subject_mean"]) == (60, 50)
    assert "|check:squad|norm:mlqa-de|extract:first_line|" in card["signature"]
    plain = scorecard({"backbone": BACKBONE}, bootstrap=20)["rows"][0]["abilities"]["facts"]
    assert (plain["f1"], plain["subjects"], plain["subject_mean"]) == (None, {}, None)


def test_results_of_an_older_version_still_load() -> None:
    stored: Any = BACKBONE.to_json()
    del stored["abilities"]["skills"]
    for row in stored["abilities"]["items"]:
        del row["part"], row["subject"]
    assert RowResults.from_json(stored) == BACKBONE
    kept = RowResults(None, taken(1, 0.5, subjects="ab"))
    assert RowResults.from_json(json.loads(json.dumps(kept.to_json()))) == kept


def test_a_row_has_the_report_on_its_rationales() -> None:
    report = {"total": 3}
    card = scorecard({"backbone": BACKBONE, "radis": VANILLA}, bootstrap=20, rationales={"radis": report})
    assert [row["rationales"] for row in card["rows"]] == [None, report]


# Several trainings of a row

WORSE = RowResults(translated([text.replace("the ", "") for text in PERFECT]), answered(facts="+++--", refusals="++--"))


def test_scores_of_several_seeds_are_means_over_them() -> None:
    cards = {
        name: scorecard({"backbone": BACKBONE, "vanilla": some}, bootstrap=200)["rows"][1]
        for name, some in (("first", VANILLA), ("second", WORSE), ("both", [VANILLA, WORSE]))
    }
    first, second, both = cards["first"], cards["second"], cards["both"]
    assert (first["seeds"], both["seeds"]) == ([], [0, 1])
    for one, other, mean in (
        *(
            (first["translation"][g][m], second["translation"][g][m], both["translation"][g][m])
            for g in ("all", "into_english")
            for m in ("chrf++", "bleu")
        ),
        *((first["abilities"][f], second["abilities"][f], both["abilities"][f]) for f in ("facts", "refusals")),
    ):
        assert mean["seeds"] == [one["score"], other["score"]]
        assert mean["score"] == pytest.approx((one["score"] + other["score"]) / 2)
        assert mean["delta"] == pytest.approx((one["delta"] + other["delta"]) / 2)
        assert mean["sd"] == pytest.approx(abs(one["score"] - other["score"]) / 2**0.5)
        assert mean["n"] == one["n"]
        assert (one["seeds"], one["sd"]) == ([], None)
        assert "trainings:2" in mean["signature"]
    assert both["retention_seeds"] == [first["retention"], second["retention"]]
    assert both["retention"] == pytest.approx((first["retention"] + second["retention"]) / 2)
    facts = both["abilities"]["facts"]
    assert (facts["passed"], facts["n"], facts["not_extracted"]) == (5, 5, 0)
    assert both["translation"]["rates"]["copy"]["n"] == 2 * len(PAIRS)
    assert both["abilities"]["refusals"]["not_extracted"] == 1


def test_intervals_hold_what_another_training_would_have_changed() -> None:
    def spread(some: RowResults | list[RowResults]) -> list[float]:
        card = scorecard({"backbone": BACKBONE, "vanilla": some}, bootstrap=400)["rows"][1]
        low, high = card["translation"]["into_english"]["chrf++"]["interval"]
        return [low, high]

    assert spread([WORSE, WORSE]) == pytest.approx(spread(WORSE))  # the same thing twice is one thing
    low, high = spread([VANILLA, WORSE])
    assert high == pytest.approx(100)  # with two trainings, one is drawn
    assert low < spread(WORSE)[1]


def test_a_difference_between_the_seeds_alone_is_not_significant() -> None:
    """Two rows of the same two trainings, the one better by chance of the draw, do not differ."""
    rows: Rows = {"backbone": BACKBONE, "one": [VANILLA, WORSE], "other": [WORSE, VANILLA], "same": [VANILLA, VANILLA]}
    found = {(pair["row"], pair["other"]): pair for pair in scorecard(rows, bootstrap=400)["pairs"]}
    assert found["one", "other"]["into_english"]["p"] == 1
    low, high = found["one", "same"]["into_english"]["interval"]
    assert low < found["one", "same"]["into_english"]["delta"] < 0 <= high
    assert found["one", "same"]["into_english"]["p"] > 0.05
    assert found["backbone", "same"]["into_english"]["p"] < 0.05


@pytest.mark.usefixtures("few_stand_for_many")
def test_every_two_rows_are_compared() -> None:
    rows = {"backbone": BACKBONE, "vanilla": VANILLA, "radis": WORSE}
    card = scorecard(rows, bootstrap=200)
    assert [(pair["row"], pair["other"]) for pair in card["pairs"]] == [
        ("backbone", "vanilla"),
        ("backbone", "radis"),
        ("vanilla", "radis"),
    ]
    against, _, between = card["pairs"]
    row = card["rows"][1]
    assert against["translation"]["delta"] == -row["translation"]["all"]["chrf++"]["delta"]
    assert against["translation"]["p"] == row["translation"]["all"]["chrf++"]["p"]
    low, high = row["translation"]["all"]["chrf++"]["delta_interval"]
    assert against["translation"]["interval"] == pytest.approx([-high, -low])
    assert against["families"]["facts"] == {"delta": 40, "interval": pytest.approx([0, 80]), "p": 0.5}
    assert against["retention"]["delta"] == 75
    assert between["families"]["facts"]["delta"] == -20
    assert between["families"]["facts"]["p"] == 1.0  # one lost, none won
    assert between["retention"]["delta"] == pytest.approx(25 - 87.5)
    assert between["out_of_english"]["delta"] == pytest.approx(
        row["translation"]["out_of_english"]["chrf++"]["score"]
        - card["rows"][2]["translation"]["out_of_english"]["chrf++"]["score"]
    )
    assert between["skills"] == {}
    alone = scorecard({name: RowResults(None, one.abilities) for name, one in rows.items()}, bootstrap=50)["pairs"][0]
    assert (alone["translation"], alone["into_english"], alone["retention"]["delta"]) == (None, None, 75)


@pytest.mark.usefixtures("few_stand_for_many")
def test_a_skill_is_no_part_of_what_is_kept() -> None:
    backbone = RowResults(None, answered(facts="++--", programs="+---"))
    taught = RowResults(None, answered(facts="+---", programs="++++"))
    card = scorecard({"backbone": backbone, "vanilla": taught}, [drawn(facts="+++-", programs="++++")], bootstrap=50)
    row = card["rows"][1]
    assert list(row["abilities"]) == ["facts"]
    assert row["skills"]["programs"]["score"] == 100
    assert row["skills"]["programs"]["delta"] == 75
    assert row["retention"] == 50
    assert card["noise"]["retention"] == 50
    assert card["pairs"][0]["skills"]["programs"]["delta"] == -75
    assert list(card["pairs"][0]["families"]) == ["facts"]


def test_a_row_says_how_it_came_about() -> None:
    cost: Cost = {
        "examples": 4,
        "example_tokens": 40,
        "generated_tokens": None,
        "generating_seconds": None,
        "trained_tokens": 80,
        "training_seconds": 0.5,
        "steps": 12,
    }
    about = {"big": About("radis", "large", (3, 5), cost)}
    backbone, row = scorecard({"backbone": BACKBONE, "big": [VANILLA, WORSE]}, bootstrap=20, about=about)["rows"]
    assert [row[key] for key in ("method", "writer", "seeds", "cost")] == ["radis", "large", [3, 5], cost]
    assert [backbone[key] for key in ("method", "writer", "seeds", "cost")] == ["backbone", None, [], None]


def test_a_family_that_all_trainings_pass_whole_has_the_interval_of_its_questions() -> None:
    good = RowResults(None, answered(facts="+++++"))
    rows: Rows = {"backbone": RowResults(None, answered(facts="++++-")), "radis": [good, good, good]}
    facts = scorecard(rows, bootstrap=50)["rows"][1]["abilities"]["facts"]
    assert facts["interval"] == pytest.approx([56.6, 100], abs=0.1)  # Wilson's for 5 of 5


def test_a_study_is_added_up_in_seconds() -> None:
    def many(direction: str) -> list[Pair]:
        source, target = direction.split("-")
        return [
            Pair(f"{n} {pair.source}", f"{n} {pair.target}", source, target) for n in range(60) for pair in PAIRS[:8]
        ]

    pairs = [pair for direction in ("de-en", "en-de", "it-en", "en-it") for pair in many(direction)]
    result = RowResults(
        translated([pair.target for pair in pairs], pairs), answered(**{f"family{n}": "++-" * 30 for n in range(8)})
    )
    rows = {"backbone": result} | {f"method-{n}": [result] * 3 for n in range(7)}
    started = time.process_time()
    assert len(scorecard(rows, bootstrap=1000)["pairs"]) == 28
    assert time.process_time() - started < 20


def test_a_row_says_that_its_weights_are_not_the_published_ones() -> None:
    about = {"big": About("radis", weights="dequantised from Q4_1, Q8_0")}
    backbone, row = scorecard({"backbone": BACKBONE, "big": VANILLA}, bootstrap=20, about=about)["rows"]
    assert row["weights"] == "dequantised from Q4_1, Q8_0"
    assert "weights" not in backbone
    mark = "|weights:dequantised-from-Q4_1+Q8_0"
    signed = [one["signature"] for one in row["abilities"].values()] + [row["retention_signature"]]
    assert all(signature.endswith(mark) for signature in signed)
    assert all(mark not in one["signature"] for one in backbone["abilities"].values())
    assert row["translation"]["all"]["chrf++"]["signature"].endswith(mark)
    assert all(rate["signature"].endswith(mark) for rate in row["translation"]["rates"].values())


def test_rp_is_told_apart_for_all_rows_where_one_practised_families(few_stand_for_many: None) -> None:
    """As RP is made, of the families near to replay and of the others: with the same resamples, with each seed."""
    good = RowResults(None, answered(facts="++++-", refusals="+---", sums="++"))
    poor = RowResults(None, answered(facts="++---", refusals="++--", sums="+-"))
    rows: Rows = {"backbone": RowResults(None, answered(facts="++++-", refusals="++--", sums="++")), "plain": poor}
    rows["kept"] = [good, poor]
    prompts = {"mine": {"facts": 4, "cooking": 2}}
    replay: Replay = {"prompts": prompts, "near": {"facts": 0}, "overlapping": 0, "share": 0.1}
    about = {"kept": About(replay={**replay, "near_families": ["facts", "cooking"]})}
    backbone, plain, kept = scorecard(rows, bootstrap=50, about=about)["rows"]
    assert (plain["near"]["families"], plain["far"]["families"]) == (["facts"], ["refusals", "sums"])
    assert [plain[part]["retention"] for part in ("near", "far")] == [50, (100 + 50) / 2]
    assert [kept[part]["seeds"] for part in ("near", "far")] == [[100, 50], [75, 75]]
    assert kept["near"]["retention"] == kept["abilities"]["facts"]["retention"]
    assert kept["near"]["interval"] == kept["abilities"]["facts"]["retention_interval"]
    assert plain["far"]["signature"].startswith("RP|mean over:2|of:score/backbone|interval:bs:50|")
    assert backbone["far"]["interval"] == [100, 100]
    everything = {"kept": About(replay={**replay, "near_families": ["facts", "refusals", "sums"]})}
    row = scorecard(rows, bootstrap=50, about=everything)["rows"][2]
    assert row["near"]["retention"] == row["retention"]
    assert "far" not in row
    none: list[Replay] = [replay, {**replay, "near_families": []}, {**replay, "near_families": ["cooking"]}]
    for far in none:
        row = scorecard(rows, bootstrap=50, about={"kept": About(replay=far)})["rows"][2]
        assert not {"near", "far"} & row.keys()
