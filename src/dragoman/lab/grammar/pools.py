"""Pools to draw words from that go together, each as frequent as its place in its table says (Zipf's law)."""

from bisect import bisect
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from typing import Generic, TypeVar

from dragoman.lab.grammar.entries import Adjective, Noun, Verb
from dragoman.lab.grammar.nouns import NOUNS
from dragoman.lab.grammar.verbs import VERBS
from dragoman.lab.grammar.words import ADJECTIVES, FITS

T = TypeVar("T")
MOODS = (
    "happy", "tired", "ill",
    "sad", "hungry", "thirsty", "angry", "lazy", "curious", "brave", "strong", "young", "old", "poor",
)  # what may be a reason  # fmt: skip
INCOMPARABLE = ("ill", "broken", "modern", "good", "empty", "full", "ripe")


class Pool(Generic[T]):
    """Things to draw from, each with its weight."""

    def __init__(self, weighted: Iterable[tuple[T, float]]) -> None:
        self.items: list[T] = []
        self.sums: list[float] = []
        total = 0.0
        for item, weight in weighted:
            total += weight
            self.items.append(item)
            self.sums.append(total)
        self.last = len(self.items) - 1
        self.total = total

    def draw(self, rng: Random) -> T:
        return self.items[bisect(self.sums, rng.random() * self.total, 0, self.last)]


def zipf(items: Sequence[T], offset: float) -> Pool[T]:
    """The first item is the commonest; a larger offset makes the list more even."""
    return Pool((item, 1 / (rank + offset)) for rank, item in enumerate(items))


def ranks() -> dict[str, int]:
    """The place of each noun in the table of its kind."""
    seen: dict[str, int] = {}
    found = {}
    for noun in NOUNS:
        found[noun.en] = seen.get(noun.kind, 0)
        seen[noun.kind] = found[noun.en] + 1
    return found


RANK = ranks()
NOUN = {noun.en: noun for noun in NOUNS}
VERB_RANK = {verb.key: rank for rank, verb in enumerate(VERBS)}


def weighted(nouns: Iterable[Noun], offset: float) -> Pool[Noun]:
    return Pool((noun, 1 / (RANK[noun.en] + offset)) for noun in nouns)


@cache
def nouns_of(kinds: frozenset[str]) -> Pool[Noun]:
    """The nouns of those kinds, and those with these English names."""
    return weighted((noun for noun in NOUNS if noun.kind in kinds or noun.en in kinds), 4)


@cache
def places_of(takes: frozenset[str]) -> Pool[Noun]:
    """Where it may be, depending on what the verb takes: the places marked with @, or any."""
    named = [take[1:] for take in takes if take.startswith("@")]
    return weighted((noun for noun in NOUNS if noun.at and (not named or noun.en in named)), 3)


def objects_for(verb: Verb, kind: str) -> frozenset[str]:
    """The objects that the verb has with a subject of that kind: an animal's may be fewer (`animal:water`)."""
    fewer = frozenset(take[7:] for take in verb.takes if take.startswith("animal:")) if kind == "animal" else None
    return fewer or verb.objects


GOALS = weighted((noun for noun in NOUNS if noun.to), 3)
FAR_GOALS = weighted((noun for noun in GOALS.items if noun.en not in ("kitchen", "room", "garden", "office")), 3)
VEHICLES = weighted((noun for noun in NOUNS if noun.kind == "vehicle"), 2)
ACTIONS = Pool(
    (verb, 1 / (rank + 7))
    for rank, verb in enumerate(VERBS)
    if "weather" not in verb.subjects and "that!" not in verb.takes
)
SAYING = Pool((verb, 1.0) for verb in VERBS if verb.takes & {"that", "that!"})


def can_answer(verb: Verb, asked: str) -> bool:
    """Whether that question can be asked about the verb."""
    if asked in ("what", "how many"):
        things = (
            bool(verb.objects) and verb.de_object == "acc" and not verb.de_reflexive and "person" not in verb.objects
        )
        return things and (asked == "what" or not verb.objects <= {"drink", "language", "clothing"})
    if asked == "where":
        return bool(verb.takes & {"place", "place!", "goal!"}) and "vehicle!" not in verb.takes
    return True


@cache
def verbs_for(kind: str, name: str, asked: str = "") -> Pool[Verb]:
    """The verbs such a subject can have; with `asked`, those that have an answer to the question."""
    return Pool(
        (verb, 1 / (VERB_RANK[verb.key] + 7))
        for verb in ACTIONS.items
        if (kind in verb.subjects or name in verb.subjects) and can_answer(verb, asked)
    )


@cache
def adjectives_for(name: str) -> Pool[Adjective]:
    """The adjectives that go with a noun; without a name, with a person."""
    kind = NOUN[name].kind if name else "person"
    fitting = [
        adjective
        for adjective in ADJECTIVES
        if kind in adjective.kinds and name in FITS.get(adjective.en, name).split(" ")
    ]
    return zipf(fitting, 6)


MOOD_ADJECTIVES = zipf([adjective for adjective in ADJECTIVES if adjective.en in MOODS], 4)
