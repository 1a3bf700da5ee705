"""The lab's ratings: what is wrong stands where the error says, and nothing of it is asked."""

import pytest

from dragoman.errors import DataError
from dragoman.lab import world
from dragoman.lab.ratings import ratings


@pytest.mark.parametrize("direction", ["en-de", "de-en", "en-it", "it-en"])
def test_three_of_four_translations_have_an_error_in_its_place(direction: str) -> None:
    many = ratings(direction, 80, 0)
    assert ratings(direction, 30, 0) == many[:30]
    assert len({one.source for one in many}) == 80
    for rated in many:
        good, twice, swapped, other = rated.translations
        assert (good.score, good.errors, good.system) == (0, (), "fake-good")
        assert [one.score for one in (twice, swapped, other)] == [-1, -1, -5]
        assert all(one.system.startswith("fake-") for one in rated.translations)
        assert len({one.text for one in rated.translations}) == 4
        words = good.text.split(" ")
        for one in (twice, swapped, other):
            (error,) = one.errors
            assert error.start is not None
            assert error.end is not None
            spot = one.text[error.start : error.end].split(" ")
            at = len(one.text[: error.start].split(" ")) - 1
            if one is twice:
                assert [*words[:at], words[at - 1], *words[at:]] == one.text.split(" ")
            elif one is swapped:
                assert [*words[:at], *reversed(spot), *words[at + 2 :]] == words
            else:
                assert spot != words[at : at + 1]
                assert [*words[:at], *spot, *words[at + 1 :]] == one.text.split(" ")


def test_no_sentence_is_one_that_is_asked_and_another_language_is_refused() -> None:
    asked = {pair.source for pair in world.pairs("test", ("de-en",), 200, 0)}
    assert not asked & {one.source for one in ratings("de-en", 200, 0)}
    with pytest.raises(DataError, match=r"lab-ratings has no 'fr'; it has en, de, it"):
        ratings("en-fr", 3, 0)
