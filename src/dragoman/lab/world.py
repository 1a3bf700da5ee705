"""The lab's world: sentences in English, German and Italian, all from one grammar.

`draw` makes up a meaning, `say` says it in a language, `split` tells which part of the experiment it belongs to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Literal

from dragoman.corpora.records import Pair
from dragoman.lab.grammar import english, german, italian
from dragoman.lab.grammar.entries import Adjective, Adverb, Language, Name, Noun, Verb
from dragoman.lab.grammar.meaning import Clause, Meaning, Phrase, Pronoun, Spot, Tense
from dragoman.lab.grammar.pools import adjectives_for, nouns_of, places_of
from dragoman.lab.grammar.sentences import draw
from dragoman.lab.grammar.verbs import VERBS

__all__ = [
    "LANGUAGES",
    "Parts",
    "Split",
    "UsedNoun",
    "UsedVerb",
    "distinct_sentences",
    "draw",
    "meanings",
    "pairs",
    "parts",
    "phrase",
    "say",
    "split",
]

Split = Literal["pretrain", "train", "test"]
LANGUAGES: tuple[Language, ...] = ("en", "de", "it")
SENTENCE: dict[str, Callable[[Meaning], str]] = {
    "en": english.sentence, "de": german.sentence, "it": italian.sentence,
}  # fmt: skip


def say(meaning: Meaning, language: str) -> str:
    """The sentence in that language, with capital letter and final punctuation."""
    text = SENTENCE[language](meaning)
    return text[0].upper() + text[1:] + ("?" if meaning.asked else ".")


def phrase(noun: Noun, language: str, *, definite: bool, plural: bool) -> str:
    """The noun with its article: the dogs, ein Hund, un cane. Without one if the language has none (dogs, Hunde)."""
    if plural and noun.mass:
        raise ValueError(f"{noun.en} has no plural")
    said = Phrase(noun, plural, "the" if definite else "bare" if plural or noun.mass else "a")
    if language == "de":
        return german.noun_phrase(said, "nom")
    return italian.noun_phrase(said) if language == "it" else english.noun_phrase(said)


def phrases(meaning: Meaning) -> Iterator[Phrase]:
    """Every phrase of the sentence with its parts."""
    for clause in clauses(meaning):
        spots = [spot.phrase for spot in clause.spots if isinstance(spot, Spot)]
        for said in (clause.subject, clause.object, clause.recipient, clause.compared, *spots):
            while said is not None:
                yield said
                said = said.also


def clauses(meaning: Meaning) -> Iterator[Clause]:
    """Every clause of the sentence: main, subordinate, relative."""
    waiting = [meaning.clause] + ([meaning.other] if meaning.other is not None else [])
    while waiting:
        clause = waiting.pop(0)
        yield clause
        if clause.that is not None:
            waiting.append(clause.that)
        if clause.subject is not None and clause.subject.relative is not None:
            waiting.append(clause.subject.relative)


def content(meaning: Meaning) -> str:
    """The sentence's content whatever its form: its English content words, sorted.

    Two sentences that look the same in any of the languages have the same content, because no German or Italian word
    is the translation of two English words (tests hold the dictionary to it).
    """
    words = set()
    for clause in clauses(meaning):
        words.add(clause.verb.en)
        words.update(a.en for a in (clause.predicate, clause.manner, clause.time, clause.frequency) if a is not None)
        words.update(spot.en for spot in clause.spots if isinstance(spot, Adverb))
        if clause.modal is not None:
            words.add(clause.modal.en)
    for said in phrases(meaning):
        if not isinstance(said.head, Pronoun):
            words.add(said.head.text if isinstance(said.head, Name) else said.head.en)
        if said.adjective is not None:
            words.add(said.adjective.en)
        if said.number:
            words.add(str(said.number))
    return " ".join(sorted(words))


def split(meaning: Meaning) -> Split:
    """The part of the experiment that may see this sentence, in whatever language."""
    share = int.from_bytes(blake2b(content(meaning).encode(), digest_size=4).digest(), "big") / 2**32
    return "pretrain" if share < 0.78 else "train" if share < 0.98 else "test"


def meanings(part: Split, seed: int | str) -> Iterator[Meaning]:
    """An endless stream of sentences of one part, none of them twice."""
    rng = Random(f"{part} {seed}")
    seen: set[int] = set()
    while True:
        meaning = draw(rng)
        if split(meaning) != part:
            continue
        key = hash(say(meaning, "en"))
        if key not in seen:
            seen.add(key)
            yield meaning


def pairs(part: Split, directions: Sequence[str], count: int, seed: int | str) -> list[Pair]:
    """`count` different pairs for each direction, such as "de-en", one direction after the other."""
    found = []
    for direction in directions:
        source, target = direction.split("-")
        seen: set[str] = set()
        for meaning in meanings(part, f"{seed} {direction}"):
            pair = Pair(say(meaning, source), say(meaning, target), source, target)
            if pair.source not in seen:
                seen.add(pair.source)
                found.append(pair)
            if len(seen) == count:
                break
    return found


def distinct_sentences() -> int:
    """A lower bound on the number of different sentences in each language.

    It counts only these: a definite singular noun does one thing in one of three tenses to a definite singular noun,
    which may have an adjective, possibly at a place: *the man sees the small dog in the garden*. Verbs that share a
    form with another, and those that need more, are left out, so that no two of these sentences look the same.
    """
    count = 0
    forms = [verb.en for verb in VERBS]
    for verb in VERBS:
        bare = verb.objects and not any(take.endswith("!") or take.startswith("animal:") for take in verb.takes)
        if not bare or forms.count(verb.en) > 1 or verb.en == verb.en_past:
            continue
        subjects = [noun for noun in nouns_of(verb.subjects).items if not noun.family]
        things = nouns_of(verb.objects).items
        places = 1 + (len(places_of(verb.takes).items) if "place" in verb.takes else 0)
        for subject in subjects:
            count += 3 * places * sum(1 + len(adjectives_for(thing.en).items) for thing in things if thing != subject)
    return count


@dataclass(frozen=True, slots=True)
class UsedNoun:
    entry: Noun
    plural: bool


@dataclass(frozen=True, slots=True)
class UsedVerb:
    entry: Verb
    tense: Tense


@dataclass(frozen=True, slots=True)
class Parts:
    """What can be said about a sentence."""

    nouns: tuple[UsedNoun, ...]
    names: tuple[Name, ...]
    verbs: tuple[UsedVerb, ...]
    adjectives: tuple[Adjective, ...]
    adverbs: tuple[Adverb, ...]
    numbers: tuple[int, ...]
    tense: Tense
    negated: bool
    question: bool
    subordinate: bool
    subject: Noun | Name | Pronoun | None


def parts(meaning: Meaning) -> Parts:
    """The words of the sentence and its grammar, the main clause first."""
    said = list(phrases(meaning))
    every = list(clauses(meaning))
    adjectives = [p.adjective for p in said] + [clause.predicate for clause in every]
    adverbs = [word for c in every for word in (c.time, c.frequency, c.manner, *c.spots) if isinstance(word, Adverb)]
    main = meaning.clause
    subject = main.object if main.exists else main.subject
    return Parts(
        nouns=tuple(UsedNoun(p.head, p.plural) for p in said if isinstance(p.head, Noun)),
        names=tuple(p.head for p in said if isinstance(p.head, Name)),
        verbs=tuple(UsedVerb(clause.verb, clause.tense) for clause in every),
        adjectives=tuple(adjective for adjective in adjectives if adjective is not None),
        adverbs=tuple(adverbs),
        numbers=tuple(p.number for p in said if p.number),
        tense=main.tense,
        negated=main.negated or main.never,
        question=bool(meaning.asked),
        subordinate=len(every) > 1 and meaning.link not in ("and", "but"),
        subject=subject.head if subject is not None else None,
    )
