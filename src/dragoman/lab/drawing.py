"""Draws meanings: which sentence comes next, with words as frequent and as rare as in a language.

Every choice comes from the one `random.Random` that is handed in. Words of a kind follow Zipf's law in the order of their
table. What goes with what (who eats what, where one cooks) is written in the dictionary.
"""

from bisect import bisect
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Generic, TypeVar

from dragoman.lab.entries import Adjective, Adverb, Name, Noun, Verb
from dragoman.lab.meaning import Determiner, Phrase, Pronoun, Relation, Spot, Tense
from dragoman.lab.nouns import NOUNS
from dragoman.lab.verbs import BE, VERBS
from dragoman.lab.words import ADJECTIVES, ADVERBS, FITS, NAMES

T = TypeVar("T", bound=Hashable)


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

    def draw(self, rng: Random) -> T:
        return self.items[min(bisect(self.sums, rng.random() * self.sums[-1]), len(self.items) - 1)]


def zipf(items: Sequence[T], offset: float) -> Pool[T]:
    """The first item is the commonest; a larger offset makes the list more even."""
    return Pool((item, 1 / (rank + offset)) for rank, item in enumerate(items))


def rank_in_kind() -> dict[Noun, int]:
    seen: dict[str, int] = {}
    ranks = {}
    for noun in NOUNS:
        ranks[noun] = seen.get(noun.kind, 0)
        seen[noun.kind] = ranks[noun] + 1
    return ranks


RANK = {noun.en: rank for noun, rank in rank_in_kind().items()}
BY_NAME = {noun.en: noun for noun in NOUNS}
TENSES: Pool[Tense] = Pool([("present", 0.45), ("past", 0.33), ("future", 0.22)])
TIMES = {
    tense: zipf([adverb for adverb in ADVERBS if adverb.kind == tense], 3) for tense in ("past", "present", "future")
}
FREQUENCIES = zipf([adverb for adverb in ADVERBS if adverb.kind == "frequency"], 2)
PLACE_ADVERBS = zipf([adverb for adverb in ADVERBS if adverb.kind == "place"], 2)
HOMEWARD = next(adverb for adverb in ADVERBS if adverb.kind == "goal")
MANNERS = {adverb.en: adverb for adverb in ADVERBS if adverb.kind == "manner"}
NAMES_POOL = zipf(NAMES, 5)
FREE_PRONOUNS: Pool[Pronoun] = Pool(
    [
        (Pronoun(1), 3), (Pronoun(2), 2), (Pronoun(3, gender="m"), 2), (Pronoun(3, gender="f"), 2),
        (Pronoun(1, plural=True), 2), (Pronoun(3, plural=True), 1.5),
    ]
)  # fmt: skip
OWNERS: Pool[Pronoun] = Pool([(Pronoun(1), 4), (Pronoun(2), 2), (Pronoun(1, plural=True), 2)])
SUBJECT_DETERMINERS: Pool[Determiner] = Pool(
    [("the", 0.6), ("own", 0.11), ("this", 0.08), ("a", 0.08), ("number", 0.06), ("many", 0.03), ("every", 0.04)]
)
OBJECT_DETERMINERS: Pool[Determiner] = Pool(
    [("the", 0.42), ("a", 0.3), ("own", 0.1), ("this", 0.06), ("number", 0.09), ("many", 0.03)]
)
PLAIN_DETERMINERS: Pool[Determiner] = Pool([("the", 0.55), ("a", 0.3), ("own", 0.08), ("this", 0.07)])
NUMBER_POOL = zipf(list(range(2, 13)), 1)
UNDER = ("tree", "table", "bed", "bridge", "bench", "chair", "bush")
BESIDE = (
    "house",
    "church",
    "school",
    "tree",
    "station",
    "door",
    "castle",
    "river",
    "window",
    "tower",
    "theatre",
    "shop",
)
SPEECH = {"present": 0.7, "past": 0.3}
WEATHER = [verb for verb in VERBS if "weather" in verb.subjects]
IT = Phrase(Pronoun(3, gender="n"))
MOODS = frozenset(
    [
        "happy",
        "tired",
        "ill",
        "sad",
        "hungry",
        "thirsty",
        "angry",
        "lazy",
        "curious",
        "brave",
        "strong",
        "young",
        "old",
        "poor",
    ]
)  # what may be a reason


@cache
def nouns_of(kinds: frozenset[str]) -> Pool[Noun] | None:
    """The nouns of those kinds, or with those English names."""
    found = [noun for noun in NOUNS if noun.kind in kinds or noun.en in kinds]
    return Pool((noun, 1 / (RANK[noun.en] + 4)) for noun in found) if found else None


@cache
def places_of(verb_key: str) -> Pool[Noun]:
    verb = VERB_BY_KEY[verb_key]
    named = [take[1:] for take in verb.takes if take.startswith("@")]
    found = [noun for noun in NOUNS if noun.at and (not named or noun.en in named)]
    return Pool((noun, 1 / (RANK[noun.en] + 3)) for noun in found)


GOALS = Pool((noun, 1 / (RANK[noun.en] + 3)) for noun in NOUNS if noun.to)
VEHICLES = Pool((noun, 1 / (RANK[noun.en] + 2)) for noun in NOUNS if noun.kind == "vehicle")
VERB_BY_KEY = {verb.key: verb for verb in (*VERBS, BE)}
VERB_RANK = {verb.key: rank for rank, verb in enumerate(VERBS)}
SPEAKING = ("say", "know", "see", "hear", "forget", "explain")


def fits(verb: Verb, kind: str, name: str) -> bool:
    return kind in verb.subjects or name in verb.subjects


@cache
def verbs_for(kind: str, name: str, purpose: str = "") -> Pool[Verb]:
    """The verbs such a subject can be the subject of; `purpose` asks for a frame."""
    found = [verb for verb in VERBS if fits(verb, kind, name) and "that!" not in verb.takes and serves(verb, purpose)]
    return Pool((verb, 1 / (VERB_RANK[verb.key] + 7)) for verb in found)


def serves(verb: Verb, purpose: str) -> bool:
    if purpose == "what":
        return bool(verb.objects) and verb.de_object == "acc" and "person" not in verb.objects
    if purpose == "how many":
        return serves(verb, "what") and not verb.objects <= {"drink", "language", "clothing"}
    if purpose == "where":
        return bool(verb.takes & {"place", "place!", "goal!"}) and "vehicle!" not in verb.takes
    if purpose == "that":
        return bool(verb.takes & {"that", "that!"})
    return True


@cache
def adjectives_for(noun_name: str) -> Pool[Adjective] | None:
    noun = BY_NAME[noun_name]
    found = [
        (adjective, 1 / (rank + 6))
        for rank, adjective in enumerate(ADJECTIVES)
        if noun.kind in adjective.kinds and noun.en in FITS.get(adjective.en, noun.en).split()
    ]
    return Pool(found) if found else None


PERSON_ADJECTIVES = zipf([adjective for adjective in ADJECTIVES if "person" in adjective.kinds], 6)
MOOD_ADJECTIVES = zipf([a for a in ADJECTIVES if "person" in a.kinds and a.en in MOODS], 4)
COMPARABLE = Pool((verb, 1.0) for verb in [a for a in ADJECTIVES if a.en not in ("broken", "good", "modern")])


def kind_of(subject: Phrase) -> tuple[str, str]:
    """Kind and English name of what a phrase stands for; names and free pronouns are persons."""
    head: Noun | Name | Pronoun = subject.head
    while isinstance(head, Pronoun) and head.antecedent is not None:
        head = head.antecedent.head
    return (head.kind, head.en) if isinstance(head, Noun) else ("person", "")


def stands_for(phrase: Phrase) -> Pronoun:
    """The pronoun that takes the phrase up again."""
    if isinstance(phrase.head, Pronoun):
        return phrase.head
    plain = Phrase(phrase.head, phrase.plural, also=Phrase(phrase.also.head) if phrase.also else None)
    return Pronoun(3, antecedent=plain)


def describe(rng: Random, phrase: Phrase, chance: float) -> Phrase:
    if isinstance(phrase.head, Noun) and rng.random() < chance:
        pool = adjectives_for(phrase.head.en)
        if pool is not None:
            return replace(phrase, adjective=pool.draw(rng))
    return phrase


def determined(rng: Random, noun: Noun, determiners: Pool[Determiner], owner: Pronoun | None) -> Phrase:
    """The noun with a determiner and a number of things that fits it."""
    determiner = determiners.draw(rng)
    if noun.mass:
        determiner = {"number": "the", "many": "the", "every": "the", "this": "this", "own": "own"}.get(
            determiner, determiner
        )  # type: ignore[assignment]
        return Phrase(noun, determiner="bare" if determiner == "a" else determiner, owner=owner)
    if determiner == "number":
        return Phrase(noun, True, "number", NUMBER_POOL.draw(rng))
    if determiner == "many":
        return Phrase(noun, True, "many")
    plural = determiner not in ("every",) and rng.random() < 0.22
    if determiner == "a" and plural:
        determiner = "bare"
    return Phrase(noun, plural, determiner, owner=owner if determiner == "own" else None)


def draw_subject(rng: Random, kinds: frozenset[str], safe: bool = False) -> Phrase:
    """Who does it. `safe` keeps to subjects that may be denied something."""
    if "person" in kinds:
        luck = rng.random()
        if luck < 0.2:
            return Phrase(FREE_PRONOUNS.draw(rng))
        if luck < 0.36:
            name = NAMES_POOL.draw(rng)
            if luck < 0.23:
                other = NAMES_POOL.draw(rng)
                return Phrase(name, also=Phrase(other)) if other != name else Phrase(name)
            return Phrase(name)
    pool = nouns_of(kinds)
    assert pool is not None, kinds
    noun = pool.draw(rng)
    owner = OWNERS.draw(rng)
    if noun.family and rng.random() < 0.7:
        return describe(rng, Phrase(noun, rng.random() < 0.1, "own", owner=owner), 0.1)
    phrase = determined(rng, noun, PLAIN_DETERMINERS if safe else SUBJECT_DETERMINERS, owner)
    if phrase.determiner == "bare" or (safe and phrase.determiner == "a") or noun.mass or noun.kind == "nature":
        phrase = Phrase(noun, phrase.plural)
    return describe(rng, phrase, 0.2)


def draw_object(rng: Random, verb: Verb, subject: Phrase | None, negated: bool) -> Phrase | None:
    """Whom or what; None if this draw cannot have one."""
    if "person" in verb.objects and verb.en != "think" and rng.random() < 0.22:
        if rng.random() < 0.5:
            return other_person(rng, subject)
        name = NAMES_POOL.draw(rng)
        return Phrase(name) if subject is None or (subject.also is None and subject.head != name) else None
    pool = nouns_of(verb.objects)
    assert pool is not None, verb.key
    noun = pool.draw(rng)
    if subject is not None and subject.head == noun:
        return None
    owner = stands_for(subject) if subject is not None else None
    if verb.lasting and verb.en != "have":
        phrase = determined(rng, noun, Pool([("the", 0.7), ("this", 0.2), ("own", 0.1)]), owner)
    else:
        phrase = determined(rng, noun, PLAIN_DETERMINERS if negated else OBJECT_DETERMINERS, owner)
    if phrase.determiner == "own" and owner is None:
        phrase = replace(phrase, determiner="the")
    if noun.kind == "nature" and noun.mass:
        phrase = Phrase(noun)
    phrase = describe(rng, phrase, 0.25)
    if phrase.determiner in ("bare", "number", "a") and not negated and rng.random() < 0.12:
        second = pool.draw(rng)
        if second != noun and second.kind == noun.kind:
            return replace(phrase, also=determined(rng, second, Pool([("a", 1.0)]), None))
    return phrase


def other_person(rng: Random, subject: Phrase | None) -> Phrase | None:
    """me, you, us: somebody else than the subject."""
    if subject is not None and subject.person == 1:
        return Phrase(Pronoun(2))
    if subject is not None and subject.person == 2:
        return Phrase(Pronoun(1))
    return Phrase(Pool([(Pronoun(1), 3.0), (Pronoun(2), 2.0), (Pronoun(1, plural=True), 2.0)]).draw(rng))


def draw_spots(rng: Random, verb: Verb, subject: Phrase | None, chance: float) -> tuple[Spot | Adverb, ...]:
    spots: list[Spot | Adverb] = []
    if "goal!" in verb.takes or ("goal" in verb.takes and rng.random() < chance):
        if verb.en in ("go", "come", "carry", "run") and rng.random() < 0.12:
            spots.append(HOMEWARD)
        else:
            spots.append(
                Spot(
                    "to",
                    describe(rng, determined(rng, GOALS.draw(rng), Pool([("the", 0.94), ("this", 0.06)]), None), 0.15),
                )
            )
            spots = [replace(s, phrase=replace(s.phrase, plural=False)) if isinstance(s, Spot) else s for s in spots]
    if "vehicle!" in verb.takes:
        spots.append(Spot("by", Phrase(VEHICLES.draw(rng))))
    if "with!" in verb.takes or ("with" in verb.takes and rng.random() < 0.2):
        companion = companion_of(rng, subject)
        if companion is not None:
            return (Spot("with", companion), *spots) if verb.en == "speak" else (*spots, Spot("with", companion))
    if "place!" in verb.takes or ("place" in verb.takes and rng.random() < chance):
        spots.append(draw_place(rng, verb))
    return tuple(spots)


def companion_of(rng: Random, subject: Phrase | None) -> Phrase | None:
    """With whom; not with oneself."""
    companion = draw_subject(rng, frozenset({"person"}), safe=True)
    if isinstance(companion.head, Pronoun) or companion.also is not None:
        companion = Phrase(NAMES_POOL.draw(rng))
    if subject is not None and (companion.head in (subject.head, subject.also.head if subject.also else None)):
        return None
    if subject is not None and companion.owner is not None:
        companion = replace(companion, owner=stands_for(subject))
    elif companion.owner is not None:
        companion = replace(companion, determiner="the", owner=None)
    return companion


def draw_place(rng: Random, verb: Verb) -> Spot | Adverb:
    luck = rng.random()
    restricted = any(take.startswith("@") for take in verb.takes)
    if luck < 0.12:
        return PLACE_ADVERBS.draw(rng)
    if luck < 0.24 and not restricted:
        relation: Relation = Pool[Relation]([("under", 1), ("behind", 1), ("in front of", 1), ("next to", 1)]).draw(rng)
        pool = nouns_of(frozenset(UNDER if relation == "under" else BESIDE))
        assert pool is not None
        return Spot(relation, describe(rng, Phrase(pool.draw(rng)), 0.15))
    return Spot("at", describe(rng, Phrase(places_of(verb.key).draw(rng)), 0.15))
