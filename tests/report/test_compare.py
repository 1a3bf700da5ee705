"""Who is ahead, and when nobody is."""

import copy

from dragoman.report.compare import RETENTION, alike, difference, marks, told_apart
from tests.plain_card import Card

READING = ("families", "reading")


def scores(card: Card, *names: str) -> dict[str, float]:
    return {row["name"]: row["retention"] for row in card["rows"] if row["name"] in names}


def test_a_difference_is_read_from_both_ends(study: Card) -> None:
    ahead, behind = difference(study, "radis", "vanilla", READING), difference(study, "vanilla", "radis", READING)
    assert ahead is not None
    assert behind is not None
    assert (ahead.delta, behind.delta) == (22.0, -22.0)
    assert ahead.interval == (20.0, 24.0)
    assert behind.interval == (-24.0, -20.0)
    assert difference(study, "radis", "other", READING) is None
    assert difference(study, "radis", "vanilla", ("skills", "programs")) is None


def test_retention_has_to_differ_by_more_than_the_noise_floor_as_well(study: Card) -> None:
    """Seq-KD is 3.1 points ahead of RaDis with p 0.001."""
    assert told_apart(study, "seq_kd", "radis", RETENTION)
    study["noise"]["retention"] = 3.2
    assert told_apart(study, "seq_kd", "radis", RETENTION) is False
    study["noise"]["retention"] = 3.0
    assert told_apart(study, "seq_kd", "radis", RETENTION)
    assert told_apart(study, "seq_kd", "radis", READING) is False  # 73 and 72
    assert told_apart(study, "seq_kd", "nobody", READING) is None


def test_best_and_second_best_with_ties(study: Card) -> None:
    three = scores(study, "seq_kd", "radis", "vanilla")
    assert marks(study, three, RETENTION) == {"seq_kd": "best", "radis": "second"}
    study["noise"]["retention"] = 3.2
    assert alike(study, three, RETENTION) == ["seq_kd", "radis"]
    assert marks(study, three, RETENTION) == {"seq_kd": "best", "radis": "best", "vanilla": "second"}
    assert marks(study, scores(study, "seq_kd", "radis"), RETENTION) == {}  # nobody is ahead
    assert marks(study, scores(study, "radis", "vanilla"), RETENTION) == {"radis": "best"}  # of two, none is second


def test_nothing_is_marked_where_a_test_is_missing(study: Card) -> None:
    card = copy.deepcopy(study)
    for pair in card["pairs"]:
        if {pair["row"], pair["other"]} == {"radis", "vanilla"}:
            pair["retention"] = None
    assert marks(card, scores(card, "seq_kd", "radis", "vanilla"), RETENTION) == {}
    assert marks(card, scores(card, "seq_kd", "radis"), RETENTION) == {"seq_kd": "best"}
