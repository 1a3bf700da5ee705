"""What the experiment relies on: splits that share no sentence, the same world from the same seed, enough of it."""

import json
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from itertools import islice
from typing import Any

import pytest

from dragoman.lab import world
from dragoman.lab.grammar import lexicon
from dragoman.lab.grammar.entries import Language
from dragoman.lab.grammar.meaning import Clause, Meaning, Phrase, Pronoun
from dragoman.lab.grammar.pools import adjectives_for, nouns_of

DRAWS = 50_000
Drawn = list[tuple[world.Split, dict[Language, str]]]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Many sentences: the split of each and how it is said."""
    rng = random.Random(20)
    found = []
    for _ in range(DRAWS):
        meaning = world.draw(rng)
        found.append((world.split(meaning), {language: world.say(meaning, language) for language in world.LANGUAGES}))
    return found


def test_splits_share_no_sentence_in_any_language(drawn: Drawn) -> None:
    for language in world.LANGUAGES:
        splits = defaultdict(set)
        for split, said in drawn:
            splits[said[language]].add(split)
        assert [text for text, found in splits.items() if len(found) > 1] == []


def test_splits_have_their_shares(drawn: Drawn) -> None:
    shares = {split: count / DRAWS for split, count in Counter(split for split, _ in drawn).items()}
    assert shares == pytest.approx({"pretrain": 0.78, "train": 0.2, "test": 0.02}, abs=0.02)


def test_sentences_are_written_properly(drawn: Drawn) -> None:
    for _, said in drawn[:20_000]:
        for text in said.values():
            assert text[0].isupper(), text
            assert text[-1] in ".?", text
            assert "  " not in text, text
            assert " ," not in text, text
            assert ",," not in text, text
            assert "' " not in text, text
            assert "--" not in text, text
        assert len({text[-1] for text in said.values()}) == 1, said


def test_sentences_are_of_a_useful_length(drawn: Drawn) -> None:
    lengths = [len(said["en"].split()) for _, said in drawn]
    assert 7 < sum(lengths) / DRAWS < 10
    assert sum(3 <= length <= 18 for length in lengths) > 0.98 * DRAWS


def test_words_are_common_and_rare(drawn: Drawn) -> None:
    words = Counter(word for _, said in drawn for word in said["de"].rstrip(".?").split() if word[0].isupper())
    nouns = [words[noun.de] for noun in lexicon.NOUNS]
    assert all(nouns), [noun.de for noun in lexicon.NOUNS if not words[noun.de]]
    assert max(nouns) > 50 * min(nouns)


def test_nearly_every_draw_is_new(drawn: Drawn) -> None:
    assert len({said["en"] for _, said in drawn}) > 0.9 * DRAWS


def test_at_least_250_content_words_in_each_language() -> None:
    for language in world.LANGUAGES:
        assert len(lexicon.content_words(language)) >= 350


@pytest.mark.parametrize("table", [lexicon.NOUNS, lexicon.VERBS, lexicon.ADJECTIVES, lexicon.ADVERBS])
@pytest.mark.parametrize("language", ["de", "it"])
def test_no_word_translates_two_english_words(table: Any, language: str) -> None:
    """What keeps the splits apart: `split` hashes the English words. At home and home share one Italian form."""
    meanings = defaultdict(set)
    for entry in table:
        meanings[getattr(entry, language)].add(entry.en)
    several = {form: words for form, words in meanings.items() if len(words) > 1}
    assert several in ({}, {"a casa": {"at home", "home"}})


def test_more_than_ten_million_sentences() -> None:
    assert world.distinct_sentences() > 10**7


def test_the_bound_counts_different_sentences() -> None:
    """One verb's share of the bound, said in full."""
    verb = next(verb for verb in lexicon.VERBS if verb.en == "cook")
    things = nouns_of(verb.objects).items
    subjects = [noun for noun in nouns_of(verb.subjects).items if not noun.family][:12]
    meanings = [
        Meaning(Clause(verb, Phrase(subject), tense, Phrase(thing, adjective=adjective)))
        for subject in subjects
        for tense in ("past", "present", "future")
        for thing in things
        for adjective in (None, *adjectives_for(thing.en).items)
    ]
    for language in world.LANGUAGES:
        assert len({world.say(meaning, language) for meaning in meanings}) == len(meanings)


def test_pairs_are_distinct_and_of_their_split() -> None:
    directions = ("de-en", "en-it")
    pairs = world.pairs("train", directions, 300, seed=3)
    assert Counter(pair.direction for pair in pairs) == {"de-en": 300, "en-it": 300}
    assert len({pair.key for pair in pairs}) == 600
    assert len({pair.source for pair in pairs if pair.direction == "de-en"}) == 300
    assert pairs == world.pairs("train", directions, 300, seed=3)
    assert pairs != world.pairs("train", directions, 300, seed=4)
    assert pairs[:300] == world.pairs("train", ("de-en",), 300, seed=3)


def test_meanings_are_new_each_time_and_of_their_split() -> None:
    found = list(islice(world.meanings("test", 1), 100))
    assert {world.split(meaning) for meaning in found} == {"test"}
    assert len({world.say(meaning, "en") for meaning in found}) == 100


def test_the_same_world_in_every_process() -> None:
    """Neither the process nor the order of sets has a say."""
    program = (
        "import json; from dragoman.lab import world;"
        "print(json.dumps([[p.source, p.target] for p in world.pairs('test', ['en-de'], 20, 5)]))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert json.loads(runs[0]) == [[p.source, p.target] for p in world.pairs("test", ["en-de"], 20, 5)]


def test_parts_of_a_sentence() -> None:
    nouns = {noun.en: noun for noun in lexicon.NOUNS}
    verbs = {verb.en: verb for verb in lexicon.VERBS}
    adjectives = {adjective.en: adjective for adjective in lexicon.ADJECTIVES}
    adverbs = {adverb.en: adverb for adverb in lexicon.ADVERBS}
    dog = Phrase(nouns["dog"])
    main = Clause(
        verbs["find"], dog, "past", Phrase(nouns["ball"], True, "number", 3, adjective=adjectives["red"]),
        time=adverbs["yesterday"], negated=True,
    )  # fmt: skip
    reason = Clause(verbs["sleep"], Phrase(Pronoun(3, antecedent=dog)), "past")
    parts = world.parts(Meaning(main, link="because", other=reason))
    assert [(used.entry.en, used.plural) for used in parts.nouns] == [("dog", False), ("ball", True)]
    assert [(used.entry.en, used.tense) for used in parts.verbs] == [("find", "past"), ("sleep", "past")]
    assert [word.en for word in parts.adjectives] + [word.en for word in parts.adverbs] == ["red", "yesterday"]
    assert parts.numbers == (3,)
    assert (parts.tense, parts.negated, parts.question, parts.subordinate) == ("past", True, False, True)
    assert parts.subject is nouns["dog"]
