"""Facts about a German or Italian word: its meaning, kind, gender, article and plural."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from dragoman.lab.grammar import italian
from dragoman.lab.grammar.entries import Adjective, Adverb, Entry, Noun, Verb
from dragoman.lab.grammar.nouns import NOUNS
from dragoman.lab.grammar.verbs import VERBS
from dragoman.lab.grammar.words import ADJECTIVES, ADVERBS

Foreign = Literal["de", "it"]
LANGUAGES: dict[str, str] = {"en": "English", "de": "German", "it": "Italian"}
GENDERS = {"m": "masculine", "f": "feminine", "n": "neuter"}
ARTICLES = {"m": "der", "f": "die", "n": "das"}
KINDS = {Noun: "noun", Verb: "verb", Adjective: "adjective", Adverb: "adverb"}


@dataclass(frozen=True, slots=True)
class Term:
    """A word as in a dictionary. Fields that a word of its kind does not have are empty."""

    word: str
    language: Foreign
    english: str
    kind: str
    gender: str = ""
    with_article: str = ""
    plural: str = ""

    @property
    def tongue(self) -> str:
        return LANGUAGES[self.language]

    @property
    def article(self) -> str:
        return self.with_article.removesuffix(self.word).strip()


def english(entry: Entry) -> str:
    """The English word as a dictionary shows it: dog, to look for, big."""
    if isinstance(entry, Verb):
        return f"to {entry.en} {entry.en_particle}".strip()
    return entry.en if isinstance(entry, Noun | Adjective | Adverb) else entry.text


def term(entry: Noun | Verb | Adjective | Adverb, language: Foreign) -> Term:
    """What a dictionary of that language says about the entry."""
    word = entry.de if language == "de" else entry.it
    kind = KINDS[type(entry)]
    if isinstance(entry, Verb) and language == "de" and entry.de_reflexive:
        word = f"sich {word}"
    if not isinstance(entry, Noun):
        return Term(word, language, english(entry), kind)
    if language == "de":
        article = f"{ARTICLES[entry.de_gender]} {word}"
        return Term(word, language, entry.en, kind, GENDERS[entry.de_gender], article, entry.de_plural)
    return Term(
        word, language, entry.en, kind, GENDERS[entry.it_gender], italian.dictionary_form(entry), entry.it_plural
    )


_ENTRIES: tuple[Noun | Verb | Adjective | Adverb, ...] = (*NOUNS, *VERBS, *ADJECTIVES, *ADVERBS)


def _dictionary() -> tuple[tuple[Term, ...], dict[tuple[str, str], list[str]]]:
    languages: tuple[Foreign, ...] = ("de", "it")
    terms = tuple(dict.fromkeys(term(entry, language) for language in languages for entry in _ENTRIES))
    meanings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in terms:
        meanings[item.language, item.word].append(item.english.removeprefix("to "))
    return terms, meanings


# All terms, and for (language, word) every meaning it has: “schnell” is fast and quickly.
TERMS, MEANINGS = _dictionary()
