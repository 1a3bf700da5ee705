"""The verdict in words, on scorecards of which each is known: better, worse, or no difference found."""

import copy

import pytest

from dragoman.report.verdict import verdict
from tests.plain_card import Card
from tests.report.verdict_card import Rows
from tests.report.verdict_card import card as made_card

BASE = {"sums": 90, "facts": 80, "safe": 99}
BOTH = {"de-en": 0.3, "en-de": 0.3}


@pytest.fixture(scope="module")
def apart() -> Card:
    """One direction better and the other worse, with a mean that differs little."""
    worse = {"sums": 60, "facts": 80, "safe": 98}
    same = {"sums": 86, "facts": 81, "safe": 99}
    rows: Rows = {"backbone": (BOTH, BASE), "mixed": ({"de-en": 0.2, "en-de": 0.45}, worse), "even": (BOTH, same)}
    return made_card(rows, noise={"sums": 80, "facts": 81, "safe": 99})


def test_one_direction_better_and_the_other_worse(apart: Card) -> None:
    mean = apart["rows"][1]["translation"]["all"]["chrf++"]
    assert abs(mean["delta"]) < 1
    assert mean["p"] > 0.5
    assert dict(verdict(apart))["mixed"] == (
        "translates better in de-en (+13.9 chrF++), worse in en-de (−13.3), "
        "and kept 89 % of its abilities (85–92), worse at sums (−30)"
    )


def test_no_difference_found_is_no_equality(apart: Card) -> None:
    apart = copy.deepcopy(apart)
    directions = apart["rows"][2]["translation"]["directions"]
    for direction, delta in (("de-en", -0.4), ("en-de", 0.9)):
        directions[direction]["chrf++"] |= {"delta": delta, "delta_interval": [delta - 2, delta + 2], "p": 0.4}
    apart["rows"][2]["translation"]["all"]["chrf++"] |= {"delta": 0.2, "delta_interval": [-1.3, 1.7], "p": 0.6}
    claim = dict(verdict(apart))["even"]
    assert claim == (
        "translates with no difference found in any of 2 directions (+0.2 ± 1.5 chrF++) "
        "and kept 99 % of its abilities (97–101, no difference found overall or at any of 3)"
    )
    apart["rows"][2]["translation"]["all"]["chrf++"] |= {"p": 0.01}
    assert (
        "translates better on average (+0.2 chrF++), with no difference found in any single direction"
        in (dict(verdict(apart))["even"])
    )
    directions["en-de"]["chrf++"] |= {"p": 0.01}
    assert (
        "translates better on average (+0.2 chrF++): better in en-de (+0.9), with no difference found in de-en "
        in (dict(verdict(apart))["even"])
    )
    for text in ("as well", "as good", "equal", "the same"):
        assert text not in claim


def test_an_ability_in_which_the_backbone_has_nothing_counts_as_a_difference() -> None:
    rows: Rows = {"backbone": ({}, BASE | {"talk": 0}), "new": ({}, {"sums": 90, "facts": 81, "safe": 99, "talk": 12})}
    made = made_card(rows)
    assert made["rows"][1]["retention_without"] == ["talk"]
    assert verdict(made) == [
        ("new", "kept 100 % of its abilities (100–101, overall no difference found), better at talk (+12)")
    ]
    nothing = made_card({"backbone": ({}, {"talk": 0, "tell": 0}), "new": ({}, {"talk": 12, "tell": 1})})
    assert verdict(nothing) == [("new", "is better at talk (+12), with no difference found at tell (+1 ± 2)")]


def test_of_two_models_neither_is_the_backbone_and_nothing_is_kept() -> None:
    rows: Rows = {
        "runs/a": (BOTH, BASE | {"talk": 0}),
        "runs/b": ({"de-en": 0.2, "en-de": 0.45}, BASE | {"sums": 60, "talk": 12}),
    }
    assert verdict(made_card(rows, first="runs/a")) == [
        (
            "runs/b",
            "translates better in de-en (+13.9 chrF++), worse in en-de (−13.3), and is worse at sums (−30), better at "
            "talk (+12), with no difference found at facts (±0) and safe (±0)",
        )
    ]


def test_rp_inside_the_noise_floor_is_said_only_where_no_ability_differs(apart: Card) -> None:
    apart = copy.deepcopy(apart)
    row = apart["rows"][2]
    pair = next(one for one in apart["pairs"] if {one["row"], one["other"]} == {"backbone", "even"})
    pair["retention"]["p"] = 0.01
    assert row["inside_noise"]
    assert "(97–101, inside the noise floor)" in dict(verdict(apart))["even"]
    row["abilities"]["sums"]["p"] = 0.01
    assert dict(verdict(apart))["even"].endswith("kept 99 % of its abilities (97–101), worse at sums (−4)")


def test_of_many_families_the_furthest_are_named(card: Card) -> None:
    assert verdict(card) == [
        (
            "vanilla",
            "translates better in all 4 directions (+42.6 chrF++) and kept 32 % of its abilities (28–35), worse at all "
            "9, most at refusals (−100), instructions (−87) and follow up (−83)",
        ),
        (
            "radis",
            "translates better in all 4 directions (+37.7 chrF++) and kept 87 % of its abilities (82–93), worse at "
            "refusals (−47), follow up (−22) and reading (−13)",
        ),
    ]


def test_of_many_directions_those_in_a_state_are_counted(study: Card) -> None:
    score = study["rows"][1]["translation"]["directions"]["en-de"]["chrf++"]
    directions = {f"en-{n}": copy.deepcopy(score) for n in range(9)}
    directions["en-0"]["chrf++"] = score
    for n in range(9):
        directions[f"en-{n}"] = {"chrf++": score | {"delta": float(n + 1), "p": 0.01}}
    directions["en-0"]["chrf++"] |= {"delta": -3.0}
    study["rows"][1]["translation"]["directions"] = directions
    assert dict(verdict(study))["vanilla"].startswith(
        "translates better in 8 directions (+2.0 to +9.0 chrF++), worse in en-0 (−3.0), and kept"
    )


@pytest.mark.parametrize(
    ("delta", "p", "claim"),
    [
        (-3.14, 0.001, "translates worse (−3.1 chrF++)"),
        (0.4, 0.3, "translates with no difference found (+0.4 ± 2.0 chrF++)"),
        (8.0, 0.049, "translates better (+8.0 chrF++)"),
    ],
)
def test_the_mean_alone_where_directions_were_not_compared(study: Card, delta: float, p: float, claim: str) -> None:
    row = study["rows"][1]
    row["translation"]["directions"] = {}
    interval = [delta - 2, delta + 2]
    row["translation"]["all"]["chrf++"] |= {"delta": delta, "delta_interval": interval, "p": p}
    assert dict(verdict(study))["vanilla"].startswith(f"{claim} and kept 45 % of its abilities (42–48), worse at all 7")


def test_abilities_alone_and_nothing_at_all(card: Card) -> None:
    card = copy.deepcopy(card)
    card["rows"][1]["translation"] = None
    assert verdict(card)[0][1].startswith("kept 32 % of its abilities (28–35), worse at all 9")
    card["rows"][1]["retention"] = None
    assert verdict(card)[0][1].startswith("is worse at all 9, most at refusals (−100)")
    for ability in card["rows"][1]["abilities"].values():
        ability |= {"delta": None, "p": None}
    assert verdict(card)[0][1] == "has scores, and no retention"
    card["rows"][1]["abilities"] = {}
    assert verdict(card)[0][1] == "was not judged"


def test_another_skill(skilled: Card) -> None:
    claims = dict(verdict(skilled))
    assert claims["seq_kd"].startswith(
        "translates better in all 4 directions (+4.8 chrF++), gained 6 points at programs and kept 95 % of its"
    )
    skilled["rows"][1]["translation"] = None
    skilled["rows"][1]["skills"]["programs"] |= {"delta": -1.2, "delta_interval": [-3.2, 0.8], "p": 0.4}
    assert dict(verdict(skilled))["vanilla"].startswith(
        "was not found to differ at programs (−1 ± 2 points) and kept 45 % of its abilities"
    )


def test_what_rounds_to_nothing_is_no_gain_and_no_loss(apart: Card) -> None:
    """However sure the test is of it, as with a hundred thousand sentences."""
    apart = copy.deepcopy(apart)
    row = apart["rows"][2]
    for direction, delta in (("de-en", 0.03), ("en-de", -0.04)):
        row["translation"]["directions"][direction]["chrf++"] |= {
            "delta": delta,
            "delta_interval": [-0.5, 0.5],
            "p": 0.001,
        }
    mean = row["translation"]["all"]["chrf++"]
    mean |= {"delta": -0.02, "delta_interval": [-0.3, 0.3], "p": 0.001}
    for name in ("sums", "facts"):
        row["abilities"][name] |= {"delta": 0.4, "p": 0.001}
    assert dict(verdict(apart))["even"].startswith(
        "translates with no difference found in any of 2 directions (±0.3 chrF++) and kept 99 % of its abilities ("
    )
    assert "sums" not in dict(verdict(apart))["even"]
    mean |= {"delta": 0.06}
    assert dict(verdict(apart))["even"].startswith(
        "translates better on average (+0.1 chrF++), with no difference found"
    )
    mean |= {"delta": -0.06, "p": 0.4}
    assert "(−0.1 ± 0.3 chrF++)" in dict(verdict(apart))["even"]


@pytest.mark.parametrize(
    ("delta", "n", "claim"),
    [
        (0.3, 100, "was not found to differ at code (±2 points)"),
        (-0.3, 100, "was not found to differ at code (±2 points)"),
        (0.3, 600, "gained 0.3 points at code"),
        (-1.2, 100, "lost 1 point at code"),
        (0.04, 600, "was not found to differ at code (±2.0 points)"),
    ],
)
def test_a_skill_is_gained_as_far_as_it_shows(apart: Card, delta: float, n: int, claim: str) -> None:
    apart = copy.deepcopy(apart)
    score = apart["rows"][2]["abilities"]["sums"] | {"n": n}
    for row in apart["rows"]:
        row["skills"] = {"code": score | {"delta": None}}
    apart["rows"][2]["skills"] = {"code": score | {"delta": delta, "delta_interval": [delta - 2, delta + 2], "p": 0.01}}
    assert claim in dict(verdict(apart))["even"]
