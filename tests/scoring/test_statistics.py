"""Intervals and tests against sacreBLEU's own, and against values worked out by hand."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, _bootstrap_resample

from dragoman.scoring.statistics import (
    bleu,
    chrf,
    holm,
    interval,
    mcnemar,
    paired_p,
    resample,
    resample_seeds,
    two_sided_p,
    wilson,
)

REFERENCES = [
    f"the {a} {b} in the old garden today" for a in ("cat", "dog", "bird") for b in ("sleeps", "runs", "sings")
]
SYSTEM = [line.replace("old ", "") if i % 2 else line for i, line in enumerate(REFERENCES)]
BASELINE = [line.replace("the ", "a ") if i % 3 else "no" for i, line in enumerate(REFERENCES)]
Formula = Callable[[np.ndarray], np.ndarray]
METRICS = [(CHRF(word_order=2), chrf), (BLEU(force=True), bleu)]


def counts(metric: CHRF | BLEU, hypotheses: list[str]) -> np.ndarray:
    return np.array(metric._extract_corpus_statistics(hypotheses, [REFERENCES]), dtype=np.float64)


@pytest.mark.parametrize(("metric", "formula"), METRICS)
@pytest.mark.parametrize("hypotheses", [SYSTEM, BASELINE, [""] * 9, ["x"] * 9, ["cat dog"] * 9], ids=str)
def test_the_formulas_are_sacrebleus(metric: CHRF | BLEU, formula: Formula, hypotheses: list[str]) -> None:
    expected = metric.corpus_score(hypotheses, [REFERENCES]).score
    assert formula(counts(metric, hypotheses).sum(0)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("metric", "formula"), METRICS)
def test_every_resample_scores_as_in_sacrebleu(metric: CHRF | BLEU, formula: Formula) -> None:
    stats = counts(metric, SYSTEM)
    _, expected = _bootstrap_resample(stats.tolist(), metric, 200)
    ours = formula(resample(stats, 200))
    np.testing.assert_allclose(ours, [score.score for score in expected], rtol=1e-6)  # sacreBLEU counts in float32
    low, high = interval(ours)
    metric_score = metric.corpus_score(SYSTEM, [REFERENCES])
    metric_score.estimate_ci(expected)
    assert (high - low) / 2 == pytest.approx(metric_score._ci)
    assert low < metric_score.score < high


@pytest.mark.parametrize(("metric", "formula"), METRICS)
def test_p_values_are_those_of_sacrebleus_paired_bootstrap(metric: CHRF | BLEU, formula: Formula) -> None:
    name = metric.corpus_score(SYSTEM, [REFERENCES]).name
    near = [line.replace("today", "now") if i % 4 == 0 else line for i, line in enumerate(SYSTEM)]
    systems = [("baseline", BASELINE), ("system", SYSTEM), ("near", near)]
    _, scores = PairedTest(systems, {name: metric}, [REFERENCES], test_type="bs", n_samples=300)()
    before = counts(metric, BASELINE)
    for result, hypotheses in zip(scores[name][1:], (SYSTEM, near), strict=True):
        after = counts(metric, hypotheses)
        difference = float(formula(after.sum(0)) - formula(before.sum(0)))
        p = paired_p(formula(resample(before, 300)), formula(resample(after, 300)), difference)
        assert p == pytest.approx(result.p_value, abs=1e-12)
        assert p < 0.05


def test_draws_do_not_depend_on_how_many_are_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = np.arange(14.0, dtype=np.float64).reshape(7, 2)
    whole = resample(stats, 50)
    monkeypatch.setattr("dragoman.scoring.statistics._BLOCK", 20)
    np.testing.assert_array_equal(resample(stats, 50), whole)
    assert resample(np.ones((7, 1), dtype=np.float64), 3).tolist() == [[7.0]] * 3
    assert not np.array_equal(resample(stats, 50, seed=1), whole)


def test_an_interval_leaves_out_resamples_without_a_score() -> None:
    assert interval(np.array([3.0, math.nan, 1.0, 2.0])) == (1.0, 3.0)
    assert interval(np.arange(1000.0, dtype=np.float64)) == (25.0, 974.0)
    assert all(math.isnan(end) for end in interval(np.array([math.nan])))


@pytest.mark.parametrize(
    ("passed", "asked", "low", "high"),
    [
        (0, 10, 0.0, 27.7533),
        (10, 10, 72.2467, 100.0),
        (81, 263, 25.5293, 36.6215),  # E. B. Wilson's method in R. G. Newcombe (1998), table I: 0.2553 to 0.3662
        (0, 0, 0.0, 100.0),
    ],
)
def test_wilson(passed: int, asked: int, low: float, high: float) -> None:
    assert wilson(passed, asked) == pytest.approx((low, high), abs=6e-3)


def test_an_interval_holds_a_score_of_all_or_none() -> None:
    assert {wilson(asked, asked)[1] for asked in range(1, 1000)} == {100.0}
    assert {wilson(0, asked)[0] for asked in range(1, 1000)} == {0.0}


def test_mcnemar_counts_only_what_changed() -> None:
    same = [True] * 50 + [False] * 50
    assert mcnemar(same, same) == 1.0
    assert mcnemar([True] * 5 + same, [False] * 5 + same) == 2 / 2**5
    assert mcnemar([True] * 8 + [False] * 2, [False] * 8 + [True] * 2) == pytest.approx(2 * (1 + 10 + 45) / 2**10)


def test_trainings_are_drawn_so_that_the_spread_of_their_mean_is_right() -> None:
    """The variance of a mean of S numbers is s² / S; S draws of S would give (S - 1) / S of that."""
    scores = np.array([40.0, 43.0, 49.0])
    weights = resample_seeds(3, 200_000, "radis")
    assert weights.shape == (200_000, 3)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert set(np.unique(weights)) == {0, 0.5, 1}
    assert (weights @ scores).mean() == pytest.approx(44, abs=0.05)
    assert (weights @ scores).var() == pytest.approx(np.var(scores, ddof=1) / 3, rel=0.02)


def test_each_row_draws_its_own_trainings_and_always_the_same() -> None:
    np.testing.assert_array_equal(resample_seeds(3, 50, "radis"), resample_seeds(3, 50, "radis"))
    assert not np.array_equal(resample_seeds(3, 50, "radis"), resample_seeds(3, 50, "vanilla"))
    assert resample_seeds(1, 4, "radis").tolist() == [[1.0]] * 4
    assert {tuple(line) for line in resample_seeds(2, 50, "radis").tolist()} == {(1.0, 0.0), (0.0, 1.0)}


def test_a_two_sided_p_value_counts_the_resamples_beyond_zero() -> None:
    gaps = np.array([-1.0, 0.0, *range(1, 98)])  # two of 99 are not above 0
    assert two_sided_p(gaps, 40.0) == two_sided_p(-gaps, -40.0) == 2 * 3 / 100
    assert two_sided_p(np.arange(1.0, 100.0, dtype=np.float64), 50.0) == 2 / 100
    assert two_sided_p(np.array([1.0, math.nan, 2.0]), 1.5) == 2 / 3
    assert two_sided_p(np.array([-1.0, 1.0]), 0.1) == two_sided_p(gaps, 0.0) == two_sided_p(gaps[:0], 1.0) == 1.0


def test_holm_rejects_what_stepping_down_by_hand_does() -> None:
    """From the smallest p on: each is held against 0.05 over the number of those that are left, until one fails."""
    assert holm([]) == []
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.5, 0.5]) == [1.0, 1.0]
    rng = np.random.default_rng(0)
    for size in rng.integers(1, 12, 200):
        ps = (rng.random(size) ** 3).round(3).tolist()
        for alpha in (0.01, 0.05, 0.2):
            rejected = set()
            for rank, at in enumerate(sorted(range(size), key=lambda at: ps[at])):
                if ps[at] * (size - rank) >= alpha:
                    break
                rejected.add(at)
            assert {at for at, p in enumerate(holm(ps)) if p < alpha} == rejected
