"""The lab's plain text: its languages, and that no test sentence is among it."""

import re

import pytest

from dragoman.errors import DataError
from dragoman.lab import world
from dragoman.lab.texts import texts


@pytest.mark.parametrize("language", world.LANGUAGES)
def test_documents_differ_and_a_few_are_the_first_of_many(language: str) -> None:
    many = texts(language, 60, 0)
    assert texts(language, 20, 0) == many[:20]
    assert len({one.text for one in many}) == 60
    assert {(one.language, one.origin) for one in many} == {(language, "lab-texts")}
    assert all(2 <= len(re.findall(r"[.?](?: |$)", one.text)) <= 8 for one in many)
    assert {one.text for one in texts(language, 60, 1)}.isdisjoint(one.text for one in many)


def test_no_sentence_is_one_that_is_asked() -> None:
    asked = {pair.source for pair in world.pairs("test", ("de-en",), 200, 0)}
    learnt = {sentence for one in texts("de", 200, 0) for sentence in re.split(r"(?<=[.?]) ", one.text)}
    assert not asked & learnt


def test_another_language_is_refused() -> None:
    with pytest.raises(DataError, match=r"lab-texts has no 'fr'; it has en, de, it"):
        texts("fr", 3, 0)
