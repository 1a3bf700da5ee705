"""The dictionary of the lab's world: every entry, and the form of it that a dictionary shows."""

from dragoman.lab.grammar import german, italian
from dragoman.lab.grammar.entries import Adjective, Adverb, Entry, Language, Modal, Name, Noun, Verb
from dragoman.lab.grammar.nouns import NOUNS
from dragoman.lab.grammar.verbs import BE, MODALS, VERBS
from dragoman.lab.grammar.words import ADJECTIVES, ADVERBS, NAMES, NUMBERS

__all__ = [
    "ADJECTIVES", "ADVERBS", "BE", "MODALS", "NAMES", "NOUNS", "NUMBERS", "VERBS",
    "Adjective", "Adverb", "Entry", "Language", "Modal", "Name", "Noun", "Verb", "content_words", "word",
]  # fmt: skip


def word(entry: Entry, language: Language) -> str:
    """The dictionary form: "dog", "der Hund", "il cane"; "look for", "suchen", "cercare"."""
    if isinstance(entry, Name):
        return entry.text
    if isinstance(entry, Noun):
        return {"en": entry.en, "de": german.dictionary_form(entry), "it": italian.dictionary_form(entry)}[language]
    if isinstance(entry, Verb):
        english = f"{entry.en} {entry.en_particle}".strip()
        return {"en": english, "de": german.verb_form(entry), "it": italian.verb_form(entry)}[language]
    return {"en": entry.en, "de": entry.de, "it": entry.it}[language]


def content_words(language: Language) -> set[str]:
    """All different dictionary forms of nouns, verbs, adjectives and adverbs in that language."""
    entries: tuple[Entry, ...] = (*NOUNS, *VERBS, *ADJECTIVES, *ADVERBS)
    return {word(entry, language) for entry in entries}
