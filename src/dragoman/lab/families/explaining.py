"""Explaining, in English: German and Italian words, English forms, and the grammar of a given sentence."""

from collections.abc import Callable
from random import Random

from dragoman.corpora.records import Check
from dragoman.lab.families import grammar
from dragoman.lab.families.tasks import Task, single
from dragoman.lab.families.vocabulary import MEANINGS, TERMS, Term
from dragoman.lab.grammar.verbs import VERBS
from dragoman.lab.grammar.words import ADJECTIVES

_NOUNS = [term for term in TERMS if term.gender]
_COUNTED = [term for term in _NOUNS if term.plural]
# Words that are two things at once (schnell: fast and quickly) are asked for no kind.
_SIMPLE = [term for term in TERMS if len(MEANINGS[term.language, term.word]) == 1 and " " not in term.word]
_PAST = {verb.en: verb.en_past for verb in VERBS}
_MORE = {adjective.en: adjective.en_more for adjective in ADJECTIVES}


def task(rng: Random) -> Task:
    """One thing to explain."""
    prompt, check, answer = rng.choice(_KINDS)(rng)
    prompt = rng.choice(
        ("{}", "{}", "{}", "I am learning languages. {}", "{} Please explain.", "A question: {}")
    ).format(prompt)
    return single("explaining", prompt, check, answer)


def _accepted(term: Term) -> list[str]:
    return MEANINGS[term.language, term.word]


def _meaning(rng: Random) -> tuple[str, Check, str]:
    term = rng.choice(TERMS)
    prompt = rng.choice(
        (
            f"What does the {term.tongue} word '{term.word}' mean?",
            f"What does '{term.word}' mean in {term.tongue}?",
            f"What is the meaning of the {term.tongue} word '{term.word}'?",
            f"I do not know the {term.tongue} word '{term.word}'. What does it mean?",
            f"Tell me what '{term.word}' means in {term.tongue}.",
            f"Which English word fits the {term.tongue} '{term.word}'?",
        )
    )
    return (
        prompt,
        Check("contains", {"any": _accepted(term)}),
        f"The {term.tongue} word '{term.word}' means '{term.english}'.",
    )


def _gender(rng: Random) -> tuple[str, Check, str]:
    term = rng.choice(_NOUNS)
    prompt = rng.choice(
        (
            f"Which gender has the {term.tongue} noun '{term.word}'?",
            f"What is the gender of the {term.tongue} word '{term.word}'?",
            f"Tell me the gender of '{term.word}' in {term.tongue}.",
            f"Is the {term.tongue} noun '{term.word}' masculine or not?",
            f"What gender does '{term.word}' have in {term.tongue}?",
        )
    )
    others = [gender for gender in ("masculine", "feminine", "neuter") if gender != term.gender]
    check = Check("contains", {"any": [term.gender], "none": others})
    return prompt, check, f"The {term.tongue} noun '{term.word}' is {term.gender}: {term.with_article}."


def _article(rng: Random) -> tuple[str, Check, str]:
    term = rng.choice(_NOUNS)
    prompt = rng.choice(
        (
            f"Which article has the {term.tongue} word '{term.word}'?",
            f"What is the definite article of '{term.word}' in {term.tongue}?",
            f"Write the {term.tongue} noun '{term.word}' with its article.",
            f"Which article goes with '{term.word}' in {term.tongue}?",
            f"Give me the article of the {term.tongue} noun '{term.word}'.",
        )
    )
    return prompt, Check("contains", {"any": [term.with_article]}), f"With its article it is '{term.with_article}'."


def _plural(rng: Random) -> tuple[str, Check, str]:
    term = rng.choice(_COUNTED)
    prompt = rng.choice(
        (
            f"What is the plural of the {term.tongue} word '{term.word}'?",
            f"What is the {term.tongue} plural of '{term.word}'?",
            f"Tell me the plural of '{term.word}' in {term.tongue}.",
            f"How do you form the plural of the {term.tongue} noun '{term.word}'?",
            f"Give me the plural of the {term.tongue} noun '{term.word}'.",
        )
    )
    return (
        prompt,
        _told(term.word, term.plural),
        f"The plural of '{term.word}' is '{term.plural}'.",
    )


def _told(word: str, form: str) -> Check:
    """Checks that the form is named; if it looks like the word itself (cut, cut), that it is named as the answer."""
    return Check("contains", {"any": [form if form != word else f"is '{form}'"]})


def _kind(rng: Random) -> tuple[str, Check, str]:
    term = rng.choice(_SIMPLE)
    article = "an" if term.kind.startswith("a") else "a"
    prompt = rng.choice(
        (
            f"What kind of word is the {term.tongue} word '{term.word}'?",
            f"Is the {term.tongue} word '{term.word}' a noun, a verb or an adjective?",
            f"Which part of speech is '{term.word}' in {term.tongue}?",
            f"What sort of word is '{term.word}' in {term.tongue}?",
        )
    )
    others = [kind for kind in ("noun", "verb", "adjective", "adverb") if kind != term.kind]
    return (
        prompt,
        Check("contains", {"any": [term.kind], "none": others}),
        f"The word '{term.word}' is {article} {term.kind}.",
    )


def _everything(rng: Random) -> tuple[str, Check, str]:
    term = rng.choice(_SIMPLE)
    prompt = rng.choice(
        (
            f"Explain the {term.tongue} word '{term.word}'.",
            f"What can you tell me about the {term.tongue} word '{term.word}'?",
            f"Describe the {term.tongue} word '{term.word}': meaning and grammar.",
            f"Explain '{term.word}' to somebody who learns {term.tongue}.",
        )
    )
    wanted = [term.kind, term.english.removeprefix("to ")]
    if not term.gender:
        article = "an" if term.kind.startswith("a") else "a"
        return (
            prompt,
            Check("contains", {"all": wanted}),
            f"'{term.word}' is {article} {term.kind}. It means '{term.english}'.",
        )
    answer = f"'{term.with_article}' is a {term.gender} noun. It means '{term.english}'."
    if term.plural:
        answer += f" The plural is '{term.plural}'."
    return prompt, Check("contains", {"all": [*wanted, term.gender]}), answer


def _form(rng: Random) -> tuple[str, Check, str]:
    if rng.random() < 0.5:
        name, (word, form) = "past tense", rng.choice(list(_PAST.items()))
    else:
        name, (word, form) = "comparative", rng.choice(list(_MORE.items()))
    prompt = rng.choice(
        (
            f"What is the {name} of the English word '{word}'?",
            f"What is the {name} of '{word}'?",
            f"Tell me the {name} of '{word}'.",
            f"Which form is the {name} of '{word}'?",
            f"Give me the {name} of the word '{word}'.",
        )
    )
    return prompt, _told(word, form), f"The {name} of '{word}' is '{form}'."


_KINDS: tuple[Callable[[Random], tuple[str, Check, str]], ...] = (
    _meaning,
    _meaning,
    _gender,
    _article,
    _plural,
    _kind,
    _everything,
    _form,
    grammar.explained,
    grammar.explained,
    grammar.explained,
    grammar.explained,
)
