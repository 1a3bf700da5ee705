"""The documents of pre-training: the same for a seed, and none shows what evaluation asks."""

import re
from collections import Counter

import pytest

from dragoman.lab import abilities, mixture, world

COUNT = 1500


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return ["".join(mixture.document(7, number)) for number in range(COUNT)]


def test_a_document_depends_on_seed_and_number_alone(documents):
    assert "".join(mixture.document(7, 1234)) == documents[1234]
    assert "".join(mixture.document(8, 1234)) != documents[1234]


def test_no_test_sentence_is_shown(documents):
    """Neither as text nor in a translation: every sentence of the test set is looked for in every document."""
    directions = [f"{one}-{two}" for one in world.LANGUAGES for two in world.LANGUAGES if one != two]
    test = {pair.source for pair in world.pairs("test", directions, 50, seed=0)}
    shown = {line for text in documents for line in re.split(r"(?<=[.?])\s+|\n|<\|\w+\|>", text)}
    assert len(shown) > 2 * COUNT
    assert not test & shown


def test_no_held_out_question_is_shown(documents):
    asked = {q.turns[-1].text for family in ("arithmetic", "facts") for q in abilities.questions(family, 100, seed=0)}
    shown = {part.removeprefix("<|user|>") for text in documents for part in text.split("<|end|>")}
    assert not asked & {part.partition("<|user|>")[2] or part for part in shown}


def test_translations_are_few_go_mostly_into_english_and_most_are_explained():
    rng_draws = [mixture._translation(7, mixture.Random(number)) for number in range(1500)]
    answers = [turns[-1].text for turns in rng_draws]
    explained = sum("\n\n" in answer for answer in answers) / len(answers)
    assert 0.6 <= explained <= 0.75
    weights = Counter({d.target: 0.0 for d in mixture.DIRECTIONS})
    for direction in mixture.DIRECTIONS:
        weights[direction.target] += direction.weight
    assert weights["en"] > weights["de"] + weights["it"]
    assert 1 - mixture.LESSONS - mixture.TEXTS < 0.25
