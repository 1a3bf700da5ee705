"""The meaning of a sentence, before it is said in any language: phrases, clauses and the sentence around them."""

from dataclasses import dataclass
from typing import Literal

from dragoman.lab.grammar.entries import Adjective, Adverb, Gender, Language, Modal, Name, Noun, Verb

Tense = Literal["past", "present", "future"]
Determiner = Literal["the", "a", "this", "own", "number", "many", "every", "bare", "no"]
Asked = Literal["", "yes or no", "who", "what", "how many", "where", "when", "why"]
Link = Literal["", "because", "when", "if", "and", "but"]
Relation = Literal["at", "to", "with", "under", "behind", "in front of", "next to", "by"]


@dataclass(frozen=True, slots=True)
class Pronoun:
    """I, you, he, she, it, we, they; `antecedent` is the phrase that a third person takes up."""

    person: Literal[1, 2, 3]
    plural: bool = False
    gender: Gender = "m"
    antecedent: "Phrase | None" = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun, a name or a pronoun with all that belongs to it; `also` is a second one joined by *and*."""

    head: Noun | Name | Pronoun
    plural: bool = False
    determiner: Determiner = "the"
    number: int = 0
    owner: Pronoun | None = None
    adjective: Adjective | None = None
    also: "Phrase | None" = None
    relative: "Clause | None" = None

    @property
    def many(self) -> bool:
        """Whether the verb stands in the plural."""
        return self.plural or self.also is not None or (isinstance(self.head, Pronoun) and self.head.plural)

    @property
    def person(self) -> Literal[1, 2, 3]:
        return self.head.person if isinstance(self.head, Pronoun) else 3


@dataclass(frozen=True, slots=True)
class Spot:
    """Where, whereto, with whom, by what."""

    relation: Relation
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Clause:
    """A verb with its subject and the rest. With the verb *be*: a predicate, or `exists` (there is)."""

    verb: Verb
    subject: Phrase | None  # None where the question is who
    tense: Tense
    object: Phrase | None = None
    recipient: Phrase | None = None
    predicate: Adjective | None = None
    compared: Phrase | None = None
    spots: tuple[Spot | Adverb, ...] = ()
    manner: Adverb | None = None
    time: Adverb | None = None
    time_first: bool = False
    frequency: Adverb | None = None
    modal: Modal | None = None
    negated: bool = False
    never: bool = False
    exists: bool = False
    that: "Clause | None" = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """A sentence. `other` is the second clause; with *and* and *but* it may share the first one's subject."""

    clause: Clause
    asked: Asked = ""
    toward: bool = False  # asked where: whereto
    link: Link = ""
    other: Clause | None = None
    other_first: bool = False
    shared: bool = False


def gender(head: Noun | Name | Pronoun, language: Language) -> Gender:
    """The gender that articles, adjectives and pronouns agree with in that language."""
    if isinstance(head, Noun):
        return {"en": head.en_gender, "de": head.de_gender, "it": head.it_gender}[language]
    if isinstance(head, Pronoun) and head.antecedent is not None:
        return phrase_gender(head.antecedent, language)
    return head.gender


def phrase_gender(phrase: Phrase, language: Language) -> Gender:
    """The gender of the whole phrase: of several, masculine if any is."""
    first = gender(phrase.head, language)
    return first if phrase.also is None or first == "m" else phrase_gender(phrase.also, language)
