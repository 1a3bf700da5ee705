"""Numbers and verdicts in words."""

import copy

import pytest

from dragoman.report.phrases import number, p_value, plain, remarks, signed, spread, verdict
from tests.plain_card import Card


def test_numbers_as_people_read_them() -> None:
    assert [number(value) for value in (12.34, -0.5, None)] == ["12.3", "−0.5", "–"]
    assert [signed(value) for value in (12.34, -0.46, 0.04, -0.04, None)] == ["+12.3", "−0.5", "±0.0", "±0.0", ""]
    assert signed(-3.4, 0) == "−3"
    assert [spread([1.26, 20]), spread([0, 100], 0), spread(None)] == ["1.3–20.0", "0–100", ""]
    assert [p_value(0.0004), p_value(0.0312)] == ["p < 0.001", "p = 0.031"]
    assert plain("follow_up") == "follow up"


def test_the_verdict_says_what_was_gained_and_kept(card: Card) -> None:
    assert verdict(card) == [
        ("vanilla", "gained 42.6 chrF++ and kept 32 % of its abilities"),
        ("radis", "gained 37.7 chrF++ and kept 87 % of its abilities"),
    ]


@pytest.mark.parametrize(
    ("delta", "p", "retention", "claim"),
    [
        (-3.14, 0.001, 50.0, "lost 3.1 chrF++ and kept 50 % of its abilities"),
        (0.4, 0.3, 101.2, "translates as well as before (+0.4 chrF++) and kept all of its abilities (101 %)"),
        (8.0, 0.049, None, "gained 8.0 chrF++"),
    ],
)
def test_it_claims_no_more_than_the_numbers(
    card: Card, delta: float, p: float, retention: float | None, claim: str
) -> None:
    card = copy.deepcopy(card)
    row = card["rows"][1]
    row["translation"]["all"]["chrf++"] |= {"delta": delta, "p": p}
    row["retention"] = retention
    assert verdict(card)[0] == ("vanilla", claim)


def test_abilities_alone_and_nothing_at_all(card: Card) -> None:
    card = copy.deepcopy(card)
    card["rows"][1]["translation"] = None
    assert verdict(card)[0][1] == "kept 32 % of its abilities"
    card["rows"][1]["retention"] = None
    assert verdict(card)[0][1] == "has scores, and no retention"
    card["rows"][1]["abilities"] = {}
    assert verdict(card)[0][1] == "was not judged"


def test_remarks_compare_only_beyond_the_noise(card: Card) -> None:
    noise, ahead = remarks(card)
    assert "up to 2.8 points of retention" in noise
    assert ahead == "radis kept 55 points more than vanilla and translates 4.9 chrF++ worse."
    close = copy.deepcopy(card)
    close["rows"][1]["retention"] = close["rows"][2]["retention"] - 1.5
    kept = next(pair for pair in close["pairs"] if pair["row"] == "vanilla")["retention"]
    kept |= {"delta": -1.5, "p": 0.001}
    assert remarks(close)[1] == "Between radis and vanilla the difference of 1.5 is noise."
    kept |= {"delta": -9.0, "p": 0.06}
    close["rows"][1]["retention"] = close["rows"][2]["retention"] - 9.0
    assert remarks(close)[1] == "Between radis and vanilla the difference of 9.0 is noise."
    close["rows"][1]["retention_without"] = ["follow_up"]
    assert "The backbone" not in " ".join(remarks(close))  # it has a score; the row may lack judgements
    close["rows"][0]["abilities"]["follow_up"]["score"] = 0
    assert "The backbone scores 0 at follow up" in remarks(close)[2]
    assert remarks(card | {"noise": None}) == [ahead]
    assert remarks(card | {"noise": None, "pairs": []}) == []  # nothing is claimed that was not tested


def test_of_many_methods_all_that_cannot_be_told_apart_are_named(study: Card) -> None:
    assert remarks(study)[1:] == ["seq_kd kept 3 points more than radis and translates 16.4 chrF++ worse."]
    study["noise"]["retention"] = 4.0
    assert remarks(study)[1:] == [
        "Between seq_kd and radis the difference of 3.1 is noise.",
        "seq_kd kept 8 points more than radis-stronger and translates 17.9 chrF++ worse.",
    ]
    study["noise"]["retention"] = 8.0
    assert remarks(study)[1] == "Between seq_kd, radis and radis-stronger the differences of up to 7.6 are noise."
    two: Card = {**study, "rows": [row for row in study["rows"] if row["name"] in ("backbone", "multitask", "vanilla")]}
    assert remarks(two)[1] == "multitask kept 26 points more than vanilla and translates equally well (−0.6 chrF++)."


def test_the_verdict_on_another_skill(skilled: Card) -> None:
    claims = dict(verdict(skilled))
    assert claims["seq_kd"] == "gained 4.8 chrF++, gained 6 points at programs and kept 95 % of its abilities"
    skilled["rows"][1]["translation"] = None
    skilled["rows"][1]["skills"]["programs"] |= {"delta": -1.2, "p": 0.4}
    assert dict(verdict(skilled))["vanilla"] == (
        "is as good at programs as before (−1 points) and kept 45 % of its abilities"
    )
