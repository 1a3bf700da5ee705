"""What is said after a translation: it begins with a blank line, has a fair length, and is true."""

import re
from random import Random

import pytest

from dragoman.lab import explanations, world
from dragoman.lab.families.vocabulary import TERMS
from dragoman.lab.grammar import lexicon
from dragoman.lab.grammar.entries import Adjective, Adverb, Language, Noun, Verb
from dragoman.lab.grammar.meaning import Meaning
from dragoman.prompts.translation import INSTRUCTIONS

DIRECTIONS: list[tuple[Language, Language]] = [
    *(("en", "de"), ("de", "en"), ("en", "it")),
    *(("it", "en"), ("de", "it"), ("it", "de")),
]


@pytest.fixture(scope="module")
def remarks() -> list[tuple[Meaning, Language, str]]:
    rng = Random(7)
    made = []
    for number in range(3000):
        source, target = DIRECTIONS[number % 6]
        meaning = world.draw(rng)
        made.append((meaning, target, explanations.translation_answer(meaning, source, target, rng)))
    return made


def test_form_and_length(remarks: list[tuple[Meaning, Language, str]]) -> None:
    lengths = [len(text.split()) for _, _, text in remarks]
    assert min(lengths) >= 8
    assert max(lengths) <= 60
    for _, _, text in remarks:
        assert text.startswith("\n\n")
        assert text[2:].strip() == text[2:]
        assert "\n\n\n" not in text
        assert "“”" not in text


def test_all_kinds_are_said(remarks: list[tuple[Meaning, Language, str]]) -> None:
    kinds = {
        "word": r" means “| = |: to ",
        "gender": r"masculine|feminine|neuter",
        "grammar": r"tense|infinitive|verb stands|separable",
        "wording": r"or\n\n|could also be|Another way|Instead of|Alternatively",
        "fact": r"subject of|is about|tell us when|By the way",
        "overall": r"Overall|meaning of the sentence|In simple English|tells us:|question is",
        "style": r"style|everyday|formal|tone|natural",
    }
    share = {
        kind: sum(bool(re.search(words, text)) for *_, text in remarks) / len(remarks) for kind, words in kinds.items()
    }
    assert min(share.values()) > 0.04, share
    assert max(share.values()) < 0.7, share


def test_tenses_and_questions_are_the_sentence_s_own(remarks: list[tuple[Meaning, Language, str]]) -> None:
    seen = 0
    for meaning, _, text in remarks:
        for tense in re.findall(r"the (past|present|future)(?: tense)?\.", text):
            assert tense == world.parts(meaning).tense
            seen += 1
        assert ("The sentence is a question" in text) <= world.parts(meaning).question
        assert ("sentence is negative" in text) <= world.parts(meaning).negated
        assert ("second position" in text) <= (not meaning.asked)
    assert seen > 300


def test_words_mean_what_the_dictionary_says(remarks: list[tuple[Meaning, Language, str]]) -> None:
    known = {(term.word, term.english) for term in TERMS}
    genders = {(term.word, term.gender) for term in TERMS} | {(term.with_article, term.gender) for term in TERMS}
    meant = [pair for *_, text in remarks for pair in re.findall(r"“([^”]+)” means “([^”]+)”", text)]
    named = [
        pair for *_, text in remarks for pair in re.findall(r"“([^”]+)” is (?:a )?(masculine|feminine|neuter)", text)
    ]
    assert len(meant) > 500
    assert len(named) > 200
    assert set(meant) <= known
    assert set(named) <= genders


def test_another_wording_has_the_same_words(remarks: list[tuple[Meaning, Language, str]]) -> None:
    found = 0
    for meaning, target, text in remarks:
        for other in re.findall(r"(?:^\n\nor\n\n|could also be: “|Another way to say it: “)([^”\n]+[.?])", text):
            said = world.say(meaning, target)
            assert other != said
            assert sorted(re.findall(r"\w+", other.lower())) == sorted(re.findall(r"\w+", said.lower()))
            found += 1
    assert found > 20


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_dialogues_ask_in_many_ways_and_begin_with_the_translation(source: Language, target: Language) -> None:
    rng = Random(9)
    asked = set()
    for number in range(200):
        meaning = world.draw(rng)
        dialogue = explanations.translation_dialogue(meaning, source, target, rng, explained=number % 2 == 0)
        user, assistant = dialogue.turns
        said = world.say(meaning, target)
        assert world.say(meaning, source) in user.text
        assert assistant.text.startswith(said + "\n\n") if number % 2 == 0 else assistant.text == said
        asked.add(user.text.replace(world.say(meaning, source), "{text}"))
    assert len(asked) == len(explanations.WAYS_TO_ASK) >= 13
    assert set(INSTRUCTIONS) <= set(explanations.WAYS_TO_ASK)


def test_synonyms_are_for_words_of_the_dictionary() -> None:
    entries: list[Noun | Verb | Adjective | Adverb] = [*lexicon.NOUNS, *lexicon.VERBS]
    entries += [*lexicon.ADJECTIVES, *lexicon.ADVERBS]
    forms = {
        "en": {entry.en for entry in entries},
        "de": {entry.de for entry in entries},
        "it": {entry.it for entry in entries},
    }
    for language, words in explanations.SYNONYMS.items():
        assert set(words) <= forms[language], set(words) - forms[language]
