"""The shapes of the dictionary's entries. Irregular forms are data here; regular ones are made by the grammars."""

from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en", "de", "it"]
Gender = Literal["m", "f", "n"]
Kind = Literal[
    "person",
    "animal",
    "food",
    "drink",
    "text",
    "music",
    "object",
    "tool",
    "furniture",
    "clothing",
    "vehicle",
    "plant",
    "nature",
    "building",
    "place",
    "idea",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun; a mass noun (milk) has no plural, which then is an empty string."""

    en: str
    en_plural: str
    en_gender: Gender  # what English calls it: he, she, it
    de: str
    de_plural: str
    de_gender: Gender
    de_weak: bool  # der Junge, den Jungen
    it: str
    it_plural: str
    it_gender: Literal["m", "f"]
    kind: Kind
    family: bool = False  # Italian: mia madre, without article
    at: tuple[str, str, str] | None = None  # where one is there: prepositions in en, de, it ("a!": no article)
    to: tuple[str, str, str] | None = None  # where one goes there

    @property
    def mass(self) -> bool:
        return not self.en_plural


@dataclass(frozen=True, slots=True)
class Name:
    """A first name, the same in every language."""

    text: str
    gender: Literal["m", "f"]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb and what it takes. An English word that is two in German (eat: essen, fressen) has two entries."""

    en: str
    en_past: str
    en_third: str
    en_particle: str  # look *for*, get *up*: stays behind the verb
    de: str  # infinitive, separable prefix and all
    de_prefix: str  # the separable prefix, or nothing
    de_present: tuple[str, str, str, str]  # ich, du, er, wir/sie, without the prefix
    de_participle: str
    de_is: bool  # perfect with sein
    de_past: str  # preterite of ich/er where it is used instead of the perfect
    de_reflexive: bool
    it: str
    it_present: tuple[str, str, str, str, str]  # io, tu, lui, noi, loro
    it_participle: str  # masculine singular
    it_is: bool  # passato prossimo with essere
    it_future: str  # stem of the future
    it_reflexive: bool
    lasting: bool  # a state: Italian imperfect, German preterite
    subjects: frozenset[str]  # kinds
    objects: frozenset[str]  # kinds or English words, empty: intransitive
    de_object: str  # "acc", "dat", or a preposition with its case: "auf+acc"
    it_object: str  # "" or the preposition
    takes: frozenset[str]  # place, goal, manner, recipient, with, that, optional, animal …

    @property
    def key(self) -> str:
        """A name that no other entry has."""
        return f"{self.en} {self.en_particle} {self.de} {self.it}"


@dataclass(frozen=True, slots=True)
class Modal:
    """A verb that is followed by another verb's infinitive."""

    en: str
    en_past: str
    de_present: tuple[str, str, str, str]
    de_past: str
    it_present: tuple[str, str, str, str, str]
    it_past: str  # stem of the imperfect


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective with its comparatives; `en_opposite` is the English word of its opposite, or nothing."""

    en: str
    en_more: str
    de: str
    de_stem: str  # teuer: teur-
    de_more: str
    it: str
    it_plural: str  # masculine
    it_before: bool  # stands before its noun in Italian
    en_opposite: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Adverb:
    """An adverb or a fixed expression; its kind says when and where it stands."""

    en: str
    de: str
    it: str
    kind: Literal["past", "present", "future", "frequency", "manner", "place", "goal"]


Entry = Noun | Name | Verb | Adjective | Adverb
