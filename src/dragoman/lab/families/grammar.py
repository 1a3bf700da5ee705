"""The grammar of a given sentence in any of the three languages, explained in English.

Sentences come from the part of the world that pre-training may see, so that no test sentence is shown here.
"""

from collections.abc import Callable
from random import Random

from dragoman.corpora.records import Check
from dragoman.lab import world
from dragoman.lab.families.vocabulary import LANGUAGES
from dragoman.lab.grammar import english, german, italian
from dragoman.lab.grammar.entries import Language
from dragoman.lab.grammar.meaning import Meaning, Phrase, Pronoun

Explained = tuple[str, Check, str]


def explained(rng: Random) -> Explained:
    """A question about a sentence, its check and its answer."""
    question, suits = rng.choice(_QUESTIONS)
    meaning = world.draw(rng)
    while world.split(meaning) != "pretrain" or not suits(meaning):
        meaning = world.draw(rng)
    return question(rng, meaning, rng.choice(world.LANGUAGES))


def phrase_text(phrase: Phrase, language: Language) -> str:
    """The phrase as the subject of a sentence."""
    if language == "en":
        return english.noun_phrase(phrase)
    return german.noun_phrase(phrase, "nom") if language == "de" else italian.noun_phrase(phrase)


def _ask(rng: Random, questions: tuple[str, ...], sentence: str) -> str:
    return rng.choice(("{question}\n{text}", "{question} {text}", "{text}\n{question}")).format(
        question=rng.choice(questions), text=sentence
    )


def _simple(meaning: Meaning) -> bool:
    """Whether it has one clause."""
    subject = meaning.clause.subject
    return meaning.other is None and meaning.clause.that is None and (subject is None or subject.relative is None)


def _has_subject(meaning: Meaning) -> bool:
    """Whether it has one clause, about somebody or something that is named."""
    subject = meaning.clause.subject
    return _simple(meaning) and subject is not None and not isinstance(subject.head, Pronoun)


def _has_verb(meaning: Meaning) -> bool:
    """Whether it has one clause, with one verb that says what happens."""
    return _simple(meaning) and meaning.clause.verb.en != "be" and meaning.clause.modal is None


def _tense(rng: Random, meaning: Meaning, language: Language) -> Explained:
    asked = (
        "In which tense is this sentence?",
        "What is the tense of this sentence?",
        "Is this sentence about the past, the present or the future?",
        "Tell me the tense of this sentence.",
    )
    tense = meaning.clause.tense
    others = [name for name in ("past", "present", "future") if name != tense]
    check = Check("contains", {"any": [tense], "none": others})
    return _ask(rng, asked, world.say(meaning, language)), check, f"The sentence is in the {tense} tense."


def _subject(rng: Random, meaning: Meaning, language: Language) -> Explained:
    asked = (
        "What is the subject of this sentence?",
        "Name the subject of this sentence.",
        "Which words are the subject of this sentence?",
        "Find the subject of this sentence.",
    )
    subject = meaning.clause.subject
    assert subject is not None
    text = phrase_text(subject, language)
    return (
        _ask(rng, asked, world.say(meaning, language)),
        Check("contains", {"any": [text]}),
        f"The subject of the sentence is '{text}'.",
    )


def _verb(rng: Random, meaning: Meaning, language: Language) -> Explained:
    asked = (
        "What is the infinitive of the verb in this sentence?",
        "Which verb is used in this sentence? Give the infinitive.",
        "Name the verb of this sentence in its basic form.",
        "Find the verb of this sentence and give its infinitive.",
    )
    verb = meaning.clause.verb
    form = verb.en if language == "en" else verb.de if language == "de" else verb.it
    return (
        _ask(rng, asked, world.say(meaning, language)),
        Check("contains", {"any": [form]}),
        f"The infinitive of the verb is '{form}'.",
    )


def _language(rng: Random, meaning: Meaning, language: Language) -> Explained:
    asked = (
        "Which language is this?",
        "In which language is this sentence written?",
        "What is the language of this sentence?",
        "Tell me the language of this sentence.",
    )
    names = [name for name in LANGUAGES.values() if name != LANGUAGES[language]]
    check = Check("contains", {"any": [LANGUAGES[language]], "none": names})
    return _ask(rng, asked, world.say(meaning, language)), check, f"This sentence is written in {LANGUAGES[language]}."


def _negation(rng: Random, meaning: Meaning, language: Language) -> Explained:
    asked = (
        "Is this sentence negative?",
        "Does this sentence contain a negation?",
        "Is there a negation in this sentence?",
        "Does this sentence deny something?",
    )
    negated = world.parts(meaning).negated
    answer = "Yes, the sentence is negative." if negated else "No, the sentence is not negative."
    check = Check("starts_with", {"text": "yes" if negated else "no"})
    return _ask(rng, asked, world.say(meaning, language)), check, answer


_QUESTIONS: tuple[tuple[Callable[[Random, Meaning, Language], Explained], Callable[[Meaning], bool]], ...] = (
    (_tense, _simple),
    (_tense, _simple),
    (_subject, _has_subject),
    (_verb, _has_verb),
    (_language, _simple),
    (_negation, _simple),
    # Denials are rare in the world; this makes them half of what is asked.
    (_negation, lambda meaning: _simple(meaning) and world.parts(meaning).negated),
)
