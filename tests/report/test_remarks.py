"""What is said before rows are compared: who is ahead, the noise floor, and what no share can be told of."""

import copy
import warnings

from dragoman.report.remarks import remarks
from tests.plain_card import Card
from tests.report.study_card import study_card
from tests.report.verdict_card import Rows
from tests.report.verdict_card import card as made_card


def test_the_noise_floor_is_that_of_rp_and_of_single_abilities(card: Card) -> None:
    noise = remarks(card)[0]
    assert "the backbone itself moves by up to 2.8 points of retention (RP), at single abilities by up to " in noise
    assert "at single abilities the test on the same questions decides." in noise


def test_remarks_compare_only_beyond_the_noise(card: Card) -> None:
    ahead = remarks(card)[1]
    assert ahead == (
        "radis kept 55 points more than vanilla and translates worse on average (−4.9 chrF++): worse in it-en (−6.5), "
        "with no difference found in en-de (−5.9 ± 8.3), de-en (−5.2 ± 6.3) and en-it (−2.1 ± 6.8)."
    )
    close = copy.deepcopy(card)
    pair = next(pair for pair in close["pairs"] if pair["row"] == "vanilla")
    pair["families"] = {}
    pair["retention"] |= {"delta": -1.5, "p": 0.001}
    close["rows"][1]["retention"] = close["rows"][2]["retention"] - 1.5
    assert remarks(close)[1] == "Between radis and vanilla no difference in RP counts (1.5 points)."
    pair["retention"] |= {"delta": -9.0, "p": 0.06}
    close["rows"][1]["retention"] = close["rows"][2]["retention"] - 9.0
    assert remarks(close)[1] == "Between radis and vanilla no difference in RP was found (9.0 points)."
    close["rows"][1]["retention_without"] = ["follow_up"]
    assert "The backbone" not in " ".join(remarks(close))  # it has a score; the row may lack judgements
    assert remarks(card | {"noise": None}) == [ahead]
    assert remarks(card | {"noise": None, "pairs": []}) == []  # nothing is claimed that was not tested


def test_what_went_wrong_in_a_training_is_said_of_its_row(card: Card) -> None:
    wrong = copy.deepcopy(card)
    wrong["rows"][1]["hints"] = ["the loss has hardly moved (3.91 → 3.88)."]
    name = wrong["rows"][1]["name"]
    assert [one for one in remarks(wrong) if one not in remarks(card)] == [
        f"{name}: the loss has hardly moved (3.91 → 3.88)."
    ]


def test_a_row_that_is_below_at_abilities_is_not_called_noise(card: Card) -> None:
    """Nine abilities far below, and an RP that a wide noise floor would swallow."""
    wide = copy.deepcopy(card)
    wide["noise"]["retention"] = 60.0
    (alike,) = remarks(wide)[1:]
    assert alike.startswith(
        "Between radis and vanilla no difference in RP counts (55.4 points), but they differ at single abilities: "
        "beside radis, vanilla is worse at all 9, most at instructions (−75), "
    )
    assert "noise" not in alike


def test_of_many_methods_all_that_cannot_be_told_apart_are_named(study: Card) -> None:
    assert remarks(study)[1:] == [
        "seq_kd kept 3 points more than radis and translates worse in all 4 directions (−16.4 chrF++)."
    ]
    study["noise"]["retention"] = 4.0
    assert remarks(study)[1:] == [
        "Between seq_kd and radis no difference in RP counts (3.1 points), but they differ at single abilities: "
        "beside seq_kd, radis is worse at refusal (−11).",
        "seq_kd kept 8 points more than radis-stronger and translates worse in all 4 directions (−17.9 chrF++).",
    ]
    study["noise"]["retention"] = 8.0
    assert remarks(study)[1].startswith(
        "Between seq_kd, radis and radis-stronger no difference in RP counts (up to 7.6 points), but they differ"
    )
    two: Card = {**study, "rows": [row for row in study["rows"] if row["name"] in ("backbone", "multitask", "vanilla")]}
    assert remarks(two)[1] == (
        "multitask kept 26 points more than vanilla and translates with no difference found in any of 4 directions "
        "(−0.6 ± 2.0 chrF++)."
    )


def test_where_the_backbone_has_nothing_a_difference_is_told() -> None:
    rows: Rows = {"backbone": ({}, {"sums": 90, "talk": 0}), "new": ({}, {"sums": 90, "talk": 12})}
    assert remarks(made_card({**rows, "other": ({}, {"sums": 60, "talk": 1})}))[1:] == [
        "The backbone scores 0 at talk, so no share of that is kept or lost (no part of RP); in points: new +12*, "
        "other +1."
    ]
    rows = {"backbone": ({}, {"a": 0, "b": 0, "c": 0}), "new": ({}, {"a": 0, "b": 30, "c": 1})}
    assert remarks(made_card(rows))[-1] == (
        "The backbone scores 0 at a, b and c, so no share of that is kept or lost (no part of RP); in points: "
        "b: new +30*; c: new +1."
    )


def test_no_share_is_told_of_next_to_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        card = made_card({"backbone": ({}, {"sums": 1, "talk": 50}), "new": ({}, {"sums": 5, "talk": 25})})
    assert card["rows"][1]["retention"] == 50
    assert remarks(card)[-1] == (
        "The backbone scores too little at sums, so no share of that is kept or lost (no part of RP); in points: "
        "new +4."
    )


def test_of_two_models_nothing_is_said_of_a_backbone() -> None:
    rows: Rows = {"runs/a": ({}, {"sums": 90, "talk": 0}), "runs/b": ({}, {"sums": 60, "talk": 12})}
    assert remarks(made_card(rows, first="runs/a")) == []


def test_what_a_method_teaches_is_explained_where_it_is_counted(card: Card) -> None:
    assert "was taught to go on" not in " ".join(remarks(card))  # it did not
    talking = copy.deepcopy(card)
    for row in talking["rows"][1:]:
        row["translation"]["rates"]["chatter"] |= {"count": 186, "rate": 96.875}
    (told,) = [one for one in remarks(talking) if "was taught to go on" in one]
    assert told.startswith("radis was taught to go on after the translation: ")  # and vanilla was not
    assert "(goes on to talk 96.9 %)" in told


def test_tokens_beyond_the_translations_are_told_where_there_are_many(card: Card) -> None:
    assert not any("Tokens" in remark for remark in remarks(card))
    talking = copy.deepcopy(card)
    answers = talking["rows"][0]["translation"]["rates"]["chatter"]["n"]
    for row, count in zip(talking["rows"], (12, 0, 72), strict=True):
        signed = {"interval": [0.0, 90.0], "signature": "beyond|"}
        row["translation"]["beyond"] = {"count": count * answers, "n": 100 * answers, "rate": count, **signed}
    assert remarks(talking)[-1] == (
        "Tokens of an answer that are no part of its translation: backbone 12.0 (12 % of all) and radis 72.0 (72 % of "
        "all)."
    )


def test_the_settings_in_which_rows_differ_are_said_with_the_rows_that_have_them(card: Card) -> None:
    changed = copy.deepcopy(card)
    backbone, first, second = changed["rows"][:3]
    first["settings"] = {"training.learning_rate": 1e-4, "training.lora": None, "limit": 500}
    second["settings"] = {"training.learning_rate": 3e-5, "training.lora.rank": 64, "limit": None}
    a, b = first["name"], second["name"]
    assert (
        f"The rows differ in training.learning_rate (0.0001: {a}; 3e-5: {b}), training.lora.rank (null: {a}; "
        f"64: {b}) and limit (500: {a}; all: {b})."
    ) in remarks(changed)
    assert not any("differ in" in remark for remark in remarks(card))
    assert backbone["settings"] == {}


def test_the_setting_of_most_rows_is_said_without_their_names() -> None:
    card = study_card()
    for row, limit in zip(card["rows"], (0, 4, 8, 8, 8, 8, 8, 8), strict=True):
        row["settings"] = {"limit": limit, "training.lora.rank": 16} if limit else {}
    assert "The rows differ in limit (4: vanilla; otherwise 8) and training.lora.rank (16 where there is one)." in (
        remarks(card)
    )


def test_what_rounds_to_nothing_is_left_out(card: Card) -> None:
    close = copy.deepcopy(card)
    pair = next(pair for pair in close["pairs"] if pair["row"] == "vanilla")
    pair["families"] = {}
    pair["retention"] |= {"delta": -0.04, "p": 0.5}
    close["rows"][1]["retention"] = close["rows"][2]["retention"] - 0.04
    close["noise"]["retention"] = 0.04
    for one in close["noise"]["families"].values():
        one["retention"] = 0.03
    noise, leaders = remarks(close)
    assert "the backbone itself moves by less than 0.1 points of retention (RP). A difference" in noise
    assert leaders == "Between radis and vanilla no difference in RP was found."
    pair["retention"] |= {"p": 0.001}
    close["noise"]["retention"] = 0.01
    assert remarks(close)[1].startswith("radis kept more than vanilla and translates worse")
    close["rows"][1]["retention"] = close["rows"][2]["retention"] - 0.3
    assert remarks(close)[1].startswith("radis kept 0.3 points more than vanilla")


def test_other_weights_than_the_published_ones_are_told(card: Card) -> None:
    card = copy.deepcopy(card)
    for row in card["rows"]:
        row["weights"] = "dequantised from Q4_1"
    told = "weights dequantised from Q4_1, so published scores of the original model are not theirs."
    assert f"All rows have {told}" in remarks(card)
    for row in card["rows"][1:]:
        del row["weights"]
    assert f"backbone: {told}" in remarks(card)


def test_a_recovery_is_told_with_what_it_took_back(card: Card) -> None:
    card = copy.deepcopy(card)
    moved = {"translation": {"before": 0.2, "after": 0.19}, "general": {"before": 0.081, "after": 0.0561}}
    card["rows"][-1]["recovery"] = {"steps": 60, "answers": 960, "kl": "reverse", "drift": moved}
    told = (
        f"{card['rows'][-1]['name']} was recovered after its training: in 60 steps it learnt on 960 answers of its own "
        "to general prompts what the backbone says there (reverse KL)"
    )
    drift = "; drift went 0.081 → 0.056 on general prompts and 0.200 → 0.190 on dev pairs."
    assert told + drift in remarks(card)
    card["rows"][-1]["recovery"]["drift"] = {}
    assert f"{told}." in remarks(card)


def test_what_was_replayed_is_told_with_what_is_near(card: Card) -> None:
    card = copy.deepcopy(card)
    kept = card["rows"][-1]
    prompts = {"requests": {"code": 70, "writing": 60}, "own": {"": 20}}
    kept["replay"] = {"prompts": prompts, "near": {"maths": 68}, "overlapping": 0, "share": 0.1}
    assert (
        f"{kept['name']} learnt general prompts with the backbone's own answers beside the task: 130 of requests and "
        "20 of own, of the kinds code and writing, which evaluation does not ask. Of kinds that evaluation asks "
        "(maths) none was among them. Of what kind 20 of own are is not known: any family may have been practised with "
        "them."
    ) in remarks(card)
    kept["replay"]["near"] = {"code": 0}
    (told,) = [one for one in remarks(card) if "general prompts" in one]
    assert "of the kinds writing, which evaluation does not ask. Evaluation asks the kinds code too" in told
