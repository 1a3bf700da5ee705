"""Multiple choice: facts about words with four options, in English, German or Italian; the lab's stand-in for MMLU.

Each fact is in one of two halves. Lessons in German and Italian use one half, evaluation the other: what is asked in
German was never taught in German. In English all facts are taught.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random
from typing import Literal

from dragoman.corpora.records import Check, Question, Turn, draw
from dragoman.lab import world
from dragoman.lab.families.tasks import Task, capital
from dragoman.lab.grammar.entries import Adjective, Kind, Language, Noun
from dragoman.lab.grammar.nouns import NOUNS
from dragoman.lab.grammar.words import ADJECTIVES
from dragoman.lab.tongues import tables
from dragoman.lab.tongues.tables import Triple

Half = Literal["all", "taught", "asked"]
LETTERS = "ABCD"
HALVES = 137  # the seed, among a thousand, that divides every kind and subject most evenly
AT: dict[Language, int] = {"en": 0, "de": 1, "it": 2}

_FRAMES: dict[Language, tuple[str, ...]] = {
    "en": ("{}\nChoose the right answer.", "Which answer is right?\n{}", "Question: {}\nThe right answer is:"),
    "de": ("{}\nWähle die richtige Antwort.", "Welche Antwort ist richtig?\n{}",
           "Frage: {}\nDie richtige Antwort ist:"),
    "it": ("{}\nScegli la risposta giusta.", "Quale risposta è giusta?\n{}", "Domanda: {}\nLa risposta giusta è:"),
}  # fmt: skip
_FRAMES_OF_LETTERS = ("{}\nAnswer with the letter.", "Which answer is right?\n{}", "Question: {}\nThe right letter is:")


@dataclass(frozen=True, slots=True)
class Fact:
    """A question and its answer in three languages, with all wrong answers that could stand beside it."""

    subject: str
    key: str
    """Identifies the fact. Facts that follow from one another, such as both directions of an opposite, share a key."""
    asked: Triple
    answer: Triple
    wrong: tuple[Triple, ...]

    @property
    def taught(self) -> bool:
        """Whether lessons in German and Italian may be about it."""
        return is_taught(self.key)


def is_taught(key: str) -> bool:
    """Whether the fact with this key is in the half that lessons in German and Italian may use."""
    return draw(key, "taught in other languages", HALVES) < 0.5


def named(noun: Noun) -> Triple:
    """The noun alone, as in a dictionary."""
    return noun.en, noun.de, noun.it


def with_article(noun: Noun) -> Triple:
    """A dog, ein Hund, un cane; if uncountable: milk, Milch, il latte."""
    en, de, it = (world.phrase(noun, language, definite=False, plural=False) for language in AT)
    return en, de, world.phrase(noun, "it", definite=True, plural=False) if noun.mass else it


@cache
def sorted_nouns(half: Half = "all") -> dict[Kind, list[Noun]]:
    """The nouns that have one clear kind, by kind: all of them, or those of one half of the facts."""
    found: dict[Kind, list[Noun]] = {kind: [] for kind in tables.KIND_NAMES}
    for noun in NOUNS:
        wanted = half == "all" or is_taught(f"kind {noun.en}") == (half == "taught")
        if noun.kind in found and noun.en not in tables.DOUBTFUL and wanted:
            found[noun.kind].append(noun)
    return found


def _kinds() -> list[Fact]:
    names = {kind: one for kind, (one, _) in tables.KIND_NAMES.items()}
    facts = []
    for kind, nouns in sorted_nouns().items():
        wrong = tuple(name for other, name in names.items() if other != kind)
        for noun in nouns:
            en, de, it = with_article(noun)
            asked = (f"What is {en}?", f"Was ist {de}?", f"Che cosa è {it}?")
            facts.append(Fact("kinds", f"kind {noun.en}", asked, names[kind], wrong))
    return facts


def _examples() -> list[Fact]:
    """The same facts as of kinds, asked the other way round. Wrong answers are from the same half."""
    facts = []
    every = [(kind, noun) for kind, nouns in sorted_nouns().items() for noun in nouns]
    for kind, noun in every:
        en, de, it = tables.KIND_NAMES[kind][0]
        asked = (f"Which word is for: {en}?", f"Welches Wort passt zu: {de}?", f"Quale parola va con: {it}?")
        key = f"kind {noun.en}"
        wrong = tuple(
            named(other) for of, other in every if of != kind and is_taught(f"kind {other.en}") == is_taught(key)
        )
        facts.append(Fact("examples", key, asked, named(noun), wrong))
    return facts


def _opposites() -> list[Fact]:
    known = {adjective.en: adjective for adjective in ADJECTIVES}

    def said(adjective: Adjective) -> Triple:
        return adjective.en, adjective.de, adjective.it

    facts = []
    for adjective in ADJECTIVES:
        opposite = known.get(adjective.en_opposite)
        # Old has two opposites, and is not the only one of modern.
        if opposite is None or "old" in (adjective.en, opposite.en):
            continue
        en, de, it = said(adjective)
        asked = (f"What is the opposite of {en}?", f"Was ist das Gegenteil von {de}?", f"Qual è il contrario di {it}?")
        wrong = tuple(
            said(other)
            for other in ADJECTIVES
            if other.en not in (adjective.en, opposite.en) and adjective.en not in (other.en_opposite, *_near(other))
        )
        key = " ".join(("opposites", *sorted((adjective.en, opposite.en))))
        facts.append(Fact("opposites", key, asked, said(opposite), wrong))
    return facts


def _near(adjective: Adjective) -> tuple[str, ...]:
    """The adjectives with the same opposite."""
    return tuple(other.en for other in ADJECTIVES if other.en_opposite and other.en_opposite == adjective.en_opposite)


def _told(subject: str, rows: Sequence[tuple[Triple, Triple]]) -> list[Fact]:
    """Facts from the rows of a table; wrong answers are the other rows' answers."""
    answers = tuple(dict.fromkeys(answer for _, answer in rows))
    return [
        Fact(subject, f"{subject} {asked[0]}", asked, answer, tuple(other for other in answers if other != answer))
        for asked, answer in rows
    ]


def _colours() -> list[Fact]:
    rows = [
        ((f"What colour is {en}?", f"Welche Farbe hat {de}?", f"Di che colore è {it}?"), colour)
        for (en, de, it), colour in tables.COLOURS
    ]
    return _told("colours", rows)


def _next(subject: str, things: Sequence[Triple], frame: Triple, back: Triple) -> list[Fact]:
    """Facts about what comes after each thing, and before it."""
    facts = []
    for one, two in pairwise(things):
        for asked, given, answer in ((frame, one, two), (back, two, one)):
            en, de, it = (text.format(word) for text, word in zip(asked, given, strict=True))
            wrong = tuple(thing for thing in things if thing not in (one, two))
            facts.append(Fact(subject, f"{subject} {one[0]} {two[0]}", (en, de, it), answer, wrong))
    return facts


def _order() -> list[Fact]:
    after = tables.triple("What comes after {}? / Was kommt nach {}? / Che cosa viene dopo {}?")
    before = tables.triple("What comes before {}? / Was kommt vor {}? / Che cosa viene prima di {}?")
    return _next("order", tables.NUMBERS, after, before) + _next("order", tables.DAYS, after, before)


SUBJECTS: dict[str, list[Fact]] = {
    "kinds": _kinds(),
    "examples": _examples(),
    "opposites": _opposites(),
    "people": _told("people", tables.PEOPLE),
    "animals": _told("animals", tables.ANIMALS),
    "places": _told("places", tables.PLACES),
    "colours": _colours(),
    "order": _order(),
}
# Subjects with many facts are asked more often.
_WEIGHTS = {"kinds": 2.0, "examples": 2.0}
_OF: dict[Half, Callable[[Fact], bool]] = {
    "all": lambda fact: True,
    "taught": lambda fact: fact.taught,
    "asked": lambda fact: not fact.taught,
}
_FACTS: dict[Half, dict[str, list[Fact]]] = {
    half: {subject: [fact for fact in facts if of(fact)] for subject, facts in SUBJECTS.items()}
    for half, of in _OF.items()
}


def fact(rng: Random, half: Half) -> Fact:
    """One fact of that half: first a subject is drawn, then one of its facts."""
    subject = rng.choices(tuple(SUBJECTS), [_WEIGHTS.get(subject, 1.0) for subject in SUBJECTS])[0]
    return rng.choice(_FACTS[half][subject])


def task(rng: Random, language: Language, half: Half = "all") -> Task:
    """A question about a fact of that half, with four options in any order; the answer is the words of
    the right one.
    """
    chosen = fact(rng, half)
    prompt, letter, texts = _with_options(rng, chosen, language, chosen.asked[AT[language]], _FRAMES[language])
    check = Check("letter", {"value": letter, "options": texts})
    turns = (Turn("user", prompt),)
    answer = texts[LETTERS.index(letter)]
    return Task(Question(f"choice-{language}", turns, check, language, chosen.subject), answer)


def lettered(rng: Random, named: bool) -> Task:
    """A question in English that is answered with a letter; if `named`, the word itself is looked for.

    The lab's models read such questions, but are never asked them: models this small do not learn it.
    """
    chosen = fact(rng, "all")
    asked = f"Which of these is: {chosen.answer[0]}?" if named else chosen.asked[0]
    prompt, letter, texts = _with_options(rng, chosen, "en", asked, _FRAMES_OF_LETTERS)
    check = Check("letter", {"value": letter, "options": texts})
    return Task(Question("choice-en", (Turn("user", prompt),), check, "en", chosen.subject), letter)


def _with_options(
    rng: Random, chosen: Fact, language: Language, asked: str, frames: Sequence[str]
) -> tuple[str, str, list[str]]:
    """The prompt, the letter of the right option, and the texts of all."""
    frame, at = rng.choice(frames), AT[language]
    options = [chosen.answer, *rng.sample(chosen.wrong, 3)]
    rng.shuffle(options)
    texts = [option[at] for option in options]
    lines = "\n".join(f"{mark}) {text}" for mark, text in zip(LETTERS, texts, strict=True))
    return frame.format(f"{asked}\n{lines}"), LETTERS[options.index(chosen.answer)], texts


def told(rng: Random, language: Language) -> Task:
    """A fact asked without options and answered with the word: how facts are learnt. Not used in evaluation."""
    chosen, at = fact(rng, "all"), AT[language]
    while chosen.subject == "examples":  # they have many answers
        chosen = fact(rng, "all")
    asked, answer = chosen.asked[at], chosen.answer[at]
    check = Check("equals", {"values": [answer]})
    return Task(
        Question(f"choice-{language}", (Turn("user", asked),), check, language, chosen.subject), capital(answer)
    )
