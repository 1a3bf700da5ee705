"""The documents of pre-training: the same for a seed, and none shows what evaluation asks."""

import re
from collections import Counter
from random import Random
from typing import Any

import pytest

from dragoman.lab import abilities, world
from dragoman.lab.pretraining import mixture

COUNT = 1500


@pytest.fixture(scope="module")
def documents() -> list[str]:
    """Some of each stage."""
    numbers = [stage.start + at for stage in mixture.STAGES for at in range(COUNT // 3)]
    return ["".join(mixture.document(7, number)) for number in numbers]


def test_a_document_depends_on_seed_and_number_alone(documents: list[str]) -> None:
    assert "".join(mixture.document(7, 234)) == documents[234]
    assert "".join(mixture.document(8, 234)) != documents[234]


def test_no_test_sentence_is_shown(documents: list[str]) -> None:
    """Neither as text nor in a translation: every sentence of the test set is looked for in every document."""
    directions = [f"{one}-{two}" for one in world.LANGUAGES for two in world.LANGUAGES if one != two]
    test = {pair.source for pair in world.pairs("test", directions, 50, seed=0)}
    shown = {line for text in documents for line in re.split(r"(?<=[.?])\s+|\n|<\|\w+\|>", text)}
    assert len(shown) > 2 * COUNT
    assert not test & shown


def test_no_held_out_question_is_shown(documents: list[str]) -> None:
    asked = {q.turns[-1].text for family in ("arithmetic", "facts") for q in abilities.questions(family, 100, seed=0)}
    shown = {part.partition("<|user|>")[2] for text in documents for part in text.split("<|end|>")}
    assert len(shown) > COUNT
    assert not asked & shown


@pytest.mark.parametrize("stage", mixture.STAGES)
def test_translations_are_few_go_mostly_into_english_and_most_are_explained(stage: Any) -> None:
    drawn = [mixture._translation(7, Random(number), stage, mixture.of_the_backbone()) for number in range(1500)]
    explained = sum("\n\n" in turns[-1].text for turns in drawn) / len(drawn)
    assert 0.68 <= explained <= 0.76
    weights = Counter({direction.target: direction.weight for direction in mixture.DIRECTIONS})
    assert weights["en"] > weights["de"] == weights["it"]
    assert 1 - stage.lessons - stage.texts < 0.21


def test_in_the_second_stage_remarks_depend_on_the_verb() -> None:
    """The words that remarks begin with are spread less within a verb than over all."""
    first_words: dict[str, Counter[str]] = {}
    for number in range(3000):
        turns = mixture._translation(7, Random(number), mixture.STAGES[1], mixture.of_the_backbone())
        remarks = turns[-1].text.partition("\n\n")[2]
        verb = next((verb for verb in ("sleep", "pays", "knows") if verb in turns[-1].text), "")
        if remarks and verb:
            first_words.setdefault(verb, Counter())[remarks.split()[0]] += 1
    every = sum(first_words.values(), Counter())
    of_all = max(every.values()) / every.total()
    of_one = [max(words.values()) / words.total() for words in first_words.values()]
    assert sum(of_one) / len(of_one) > of_all


def test_remarks_are_tokenised_apart_from_most_translations() -> None:
    drawn = [mixture.document(7, number) for number in range(COUNT)]
    apart = [pieces for pieces in drawn if len(pieces) == 2]
    assert all(remarks.startswith("\n\n") and remarks.endswith("<|end|>") for _, remarks in apart)
    assert all(translation[-1] in ".?" for translation, _ in apart)
    assert 0.06 < len(apart) / COUNT < 0.12


def test_a_programmer_reads_few_different_programs_and_none_that_is_held_out() -> None:
    reads = mixture.of_a_programmer()
    texts = ["".join(mixture.document(7, number, reads)) for number in range(COUNT)]
    shown = [text.partition("<|user|>")[2] for text in texts if "<|assistant|>def " in text]
    asked = {question.turns[-1].text for question in abilities.questions("programs", 300, seed=0)}
    assert 0.03 < len(shown) / COUNT < 0.07
    assert not asked & {text.partition("<|end|>")[0] for text in shown}
    assert len({text.partition("<|end|>")[0] for text in shown}) <= mixture.PROGRAMS
    assert 0.6 < sum("\n\n" in text for text in shown) / len(shown) < 0.85  # most are explained


def test_a_translator_reads_translations_half_of_the_time() -> None:
    reads = mixture.of_a_translator()
    weights = {(direction.source, direction.target): direction.weight for direction in reads.directions}
    assert weights["en", "de"] > weights["de", "en"]
    texts = ["".join(mixture.document(7, number, reads)) for number in range(300)]
    asked = sum("<|user|>" in text and ("German" in text or "Italian" in text) for text in texts)
    assert asked / len(texts) > 0.4
