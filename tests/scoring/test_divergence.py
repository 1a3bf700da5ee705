"""Divergences added up: per token, over trainings, and intervals that know of both."""

import math

import numpy as np
import pytest

from dragoman.scoring.divergence import text_drift

ONE = np.array([[2.0, 1.0, 4.0], [8.0, 3.0, 6.0]])
OTHER = np.array([[2.0, 3.0, 2.0], [8.0, 5.0, 2.0]])


def test_means_are_per_token_and_over_seeds() -> None:
    found = text_drift([ONE, OTHER], 200)
    assert (found["texts"], found["tokens"]) == (2, 10)
    assert found["forward"]["seeds"] == pytest.approx([0.4, 0.8])
    assert found["forward"]["mean"] == pytest.approx(0.6)
    assert found["forward"]["sd"] == pytest.approx(0.4 / math.sqrt(2))
    assert found["reverse"]["mean"] == pytest.approx(0.7)
    # of one of the trainings, as two are so few, and of either text: 3 / 8 to 3 / 2
    assert found["forward"]["interval"] == pytest.approx([0.375, 1.5])


def test_the_interval_of_one_training_is_of_the_texts_alone() -> None:
    found = text_drift([ONE], 200)["forward"]
    assert found["sd"] is None
    assert found["interval"] == pytest.approx([0.375, 0.5])  # 3 / 8 and 1 / 2
