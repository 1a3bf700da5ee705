"""Shares of texts, and the order in which their documents come."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from dragoman.pipeline.data.texts.shares import drawn, shares
from dragoman.recipe.data.texts import Mixture, Texts

COUNTS = {0: 600, 1: 300, 2: 100}


def texts(*fixed: float | None) -> list[Texts]:
    return [Texts(file="a.txt", language="de", share=share) for share in fixed]


def order(mixture: Mixture, chances: dict[int, float], counts: dict[int, int] = COUNTS) -> list[tuple[int, int]]:
    def begin(count: int) -> Callable[[], Iterator[int]]:
        return lambda: iter(range(count))

    return list(drawn({number: begin(count) for number, count in counts.items()}, counts, chances, mixture))


def test_a_temperature_draws_small_ones_more_often_and_leaves_a_fixed_share() -> None:
    sizes = (600, 300, 100)
    assert shares(texts(None, None, None), sizes, None) == pytest.approx([0.6, 0.3, 0.1])
    assert shares(texts(None, None, None), sizes, 1) == pytest.approx([0.6, 0.3, 0.1])
    sixth = [size ** (1 / 6) for size in sizes]
    assert shares(texts(None, None, None), sizes, 6) == pytest.approx([one / sum(sixth) for one in sixth])
    rest = sum(sixth[1:])
    wanted = [1 / 6, *(5 / 6 * one / rest for one in sixth[1:])]
    assert shares(texts(1 / 6, None, None), sizes, 6) == pytest.approx(wanted)
    assert shares(texts(0.5, 0.2, 0.3), sizes, None) == pytest.approx([0.5, 0.2, 0.3])


EVEN = {0: 1 / 3, 1: 1 / 3, 2: 1 / 3}


def test_once_comes_to_every_document_in_the_order_of_its_text() -> None:
    found = order(Mixture(), EVEN)
    assert Counter(number for number, _ in found) == COUNTS
    for number, count in COUNTS.items():
        assert [document for text, document in found if text == number] == list(range(count))
    early = Counter(number for number, _ in found[:210])
    assert min(early.values()) > 50  # drawn evenly, as long as there are documents of each
    assert order(Mixture(), EVEN) == found
    assert order(Mixture(seed=1), EVEN) != found


def test_first_stops_when_one_is_used_up() -> None:
    found = Counter(number for number, _ in order(Mixture(stop="first"), EVEN))
    assert found[2] == 100
    assert 70 < found[0] < 140


def test_all_goes_on_until_each_was_used_up_and_begins_those_again() -> None:
    found = order(Mixture(stop="all"), EVEN)
    counts = Counter(number for number, _ in found)
    assert counts[0] == 600
    assert 500 < counts[1] < 700
    assert 500 < counts[2] < 700
    assert [document for text, document in found if text == 2][98:102] == [98, 99, 0, 1]


@pytest.mark.parametrize("stop", ["once", "all"])
def test_no_more_than_so_many_documents(stop: str) -> None:
    whole = order(Mixture.model_validate({"stop": stop}), EVEN)
    assert order(Mixture.model_validate({"stop": stop, "documents": 250}), EVEN) == whole[:250]


def test_shares_are_kept_over_many() -> None:
    found = order(Mixture(stop="all", documents=20_000), {0: 0.17, 1: 0.22, 2: 0.61})
    counts = Counter(number for number, _ in found)
    assert [counts[number] / len(found) for number in range(3)] == pytest.approx([0.17, 0.22, 0.61], abs=0.015)
