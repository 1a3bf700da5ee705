"""Numbers and names as people read them."""

from dragoman.report.compare import Difference
from dragoman.report.phrases import number, p_value, plain, signed, spread, unsure


def test_numbers_as_people_read_them() -> None:
    assert [number(value) for value in (12.34, -0.5, None)] == ["12.3", "−0.5", "–"]
    assert [signed(value) for value in (12.34, -0.46, 0.04, -0.04, None)] == ["+12.3", "−0.5", "±0.0", "±0.0", ""]
    assert signed(-3.4, 0) == "−3"
    assert [spread([1.26, 20]), spread([0, 100], 0), spread(None)] == ["1.3–20.0", "0–100", ""]
    assert spread([-1.2, 0.8]) == "−1.2 to 0.8"
    assert [p_value(0.0004), p_value(0.0312)] == ["p < 0.001", "p = 0.031"]
    assert plain("follow_up") == "follow up"


def test_a_difference_that_may_be_chance_tells_how_far_chance_reaches() -> None:
    assert unsure(Difference(-0.8, (-4.0, 2.2), 0.4)) == "−0.8 ± 3.1"
    assert unsure(Difference(1.0, (-3.0, 5.0), 0.4), 0) == "+1 ± 4"
    assert unsure(Difference(1.0, (1.0, 1.0), 1.0)) == "+1.0"
    assert unsure(Difference(-0.04, (-2.0, 1.92), 0.4)) == "±2.0"
