"""Drawing phrases: who, whom, where, with whom."""

from dataclasses import replace
from random import Random

from dragoman.lab.grammar.entries import Adverb, Noun, Verb
from dragoman.lab.grammar.meaning import Determiner, Phrase, Pronoun, Relation, Spot, Tense
from dragoman.lab.grammar.pools import (
    FAR_GOALS,
    GOALS,
    VEHICLES,
    Pool,
    adjectives_for,
    nouns_of,
    objects_for,
    places_of,
    zipf,
)
from dragoman.lab.grammar.words import ADVERBS, NAMES

TENSES: Pool[Tense] = Pool([("present", 0.45), ("past", 0.33), ("future", 0.22)])
TIMES = {
    tense: zipf([adverb for adverb in ADVERBS if adverb.kind == tense], 3) for tense in ("past", "present", "future")
}
FREQUENCIES = zipf([adverb for adverb in ADVERBS if adverb.kind == "frequency"], 2)
PLACE_ADVERBS = zipf([adverb for adverb in ADVERBS if adverb.kind == "place"], 2)
HOMEWARD = next(adverb for adverb in ADVERBS if adverb.kind == "goal")
MANNERS = {adverb.en: adverb for adverb in ADVERBS if adverb.kind == "manner"}
NAME_POOL = zipf(NAMES, 5)
FREE_PRONOUNS = Pool(
    [
        (Pronoun(1), 3), (Pronoun(2), 2), (Pronoun(3, gender="m"), 2), (Pronoun(3, gender="f"), 2),
        (Pronoun(1, plural=True), 2), (Pronoun(3, plural=True), 1.5),
    ]
)  # fmt: skip
PARTNERS = Pool([(Pronoun(1), 3), (Pronoun(2), 2), (Pronoun(1, plural=True), 2)])  # me, you, us
Determiners = Pool[Determiner]
FOR_SUBJECTS: Determiners = Pool(
    [("the", 0.6), ("own", 0.11), ("this", 0.08), ("a", 0.08), ("number", 0.06), ("many", 0.03), ("every", 0.04)]
)
FOR_OBJECTS: Determiners = Pool(
    [("the", 0.42), ("a", 0.3), ("own", 0.1), ("this", 0.06), ("number", 0.09), ("many", 0.03)]
)
WHERE_DENIED: Determiners = Pool([("the", 0.55), ("a", 0.3), ("own", 0.08), ("this", 0.07)])
WHERE_KNOWN: Determiners = Pool([("the", 0.7), ("this", 0.2), ("own", 0.1)])
INDEFINITE: Determiners = Pool([("a", 1)])
TO_GO_TO: Determiners = Pool([("the", 0.94), ("this", 0.06)])
NUMBER_POOL = zipf(range(2, 13), 1)
PERSON = frozenset({"person"})
UNDER = frozenset({"tree", "table", "bed", "bridge", "bench", "chair", "bush"})
BESIDE = frozenset({"house", "church", "school", "tree", "station", "castle", "river", "window", "tower", "theatre"})
OWNABLE = ("house", "garden", "room", "kitchen", "shop", "office", "farm", "village", "city", "school")
RELATIONS: Pool[Relation] = Pool([("under", 1), ("behind", 1), ("in front of", 1), ("next to", 1)])


def kind_of(phrase: Phrase) -> tuple[str, str]:
    """Kind and English name of what a phrase stands for; names and free pronouns are persons without a name."""
    head = phrase.head
    while isinstance(head, Pronoun) and head.antecedent is not None:
        head = head.antecedent.head
    return (head.kind, head.en) if isinstance(head, Noun) else ("person", "")


def stands_for(phrase: Phrase) -> Pronoun:
    """The pronoun that refers back to the phrase."""
    head = phrase.head
    if isinstance(head, Pronoun) and (head.person < 3 or head.antecedent is not None or head.gender == "n"):
        return head
    also = Phrase(phrase.also.head) if phrase.also is not None else None
    return Pronoun(3, phrase.many, antecedent=Phrase(head, phrase.plural, also=also))


def describe(rng: Random, phrase: Phrase, chance: float) -> Phrase:
    """The phrase, sometimes with an adjective."""
    if rng.random() < chance and isinstance(phrase.head, Noun):
        pool = adjectives_for(phrase.head.en)
        if pool.items:
            return replace(phrase, adjective=pool.draw(rng))
    return phrase


def determined(rng: Random, noun: Noun, determiners: Determiners, owner: Pronoun | None = None) -> Phrase:
    """The noun with a suitable determiner and number."""
    determiner = determiners.draw(rng)
    if determiner == "own" and (owner is None or noun.en in ("man", "woman") or (noun.at and noun.en not in OWNABLE)):
        determiner = "the"
    if noun.family and determiner == "a":
        determiner = "the"
    if noun.mass:
        if determiner == "a":
            determiner = "bare"
        elif determiner != "this":
            determiner = "the"
    elif determiner == "number":
        return Phrase(noun, True, "number", NUMBER_POOL.draw(rng))
    elif determiner == "many":
        return Phrase(noun, True, "many")
    plural = not noun.mass and determiner != "every" and rng.random() < (0.06 if noun.family else 0.22)
    if determiner == "a" and plural:
        determiner = "bare"
    return Phrase(noun, plural, determiner, owner=owner if determiner == "own" else None)


def draw_subject(rng: Random, kinds: frozenset[str], *, safe: bool = False) -> Phrase:
    """Who does it. `safe` keeps to somebody definite, about whom one can deny or ask something."""
    if "person" in kinds:
        luck = rng.random()
        if luck < 0.2:
            return Phrase(FREE_PRONOUNS.draw(rng))
        if luck < 0.36:
            name, other = NAME_POOL.draw(rng), NAME_POOL.draw(rng)
            return Phrase(name, also=Phrase(other)) if luck < 0.23 and other != name else Phrase(name)
    noun = nouns_of(kinds).draw(rng)
    owner = PARTNERS.draw(rng)
    if noun.family:
        owned = rng.random() < 0.75
        return describe(
            rng, Phrase(noun, rng.random() < 0.08, "own" if owned else "the", owner=owner if owned else None), 0.1
        )
    phrase = determined(rng, noun, WHERE_DENIED if safe else FOR_SUBJECTS, owner)
    if phrase.determiner == "bare" or (safe and phrase.determiner == "a") or noun.kind == "nature":
        phrase = Phrase(noun, phrase.plural)
    return describe(rng, phrase, 0.2)


def draw_object(rng: Random, verb: Verb, subject: Phrase, negated: bool) -> Phrase | None:
    """Whom or what; None if the drawn object does not go with the subject."""
    if "person" in verb.objects and verb.en != "think" and rng.random() < 0.22:
        if rng.random() < 0.5:
            return another(rng, subject)
        name = NAME_POOL.draw(rng)
        return None if subject.also is not None or subject.head == name else Phrase(name)
    pool = nouns_of(objects_for(verb, kind_of(subject)[0]))
    noun = pool.draw(rng)
    if kind_of(subject)[1] == noun.en:
        return None
    known = verb.lasting and verb.en != "have"
    phrase = determined(
        rng, noun, WHERE_KNOWN if known else WHERE_DENIED if negated else FOR_OBJECTS, stands_for(subject)
    )
    if noun.kind == "nature" and noun.mass:
        return Phrase(noun)
    phrase = describe(rng, phrase, 0.25)
    if phrase.determiner in ("bare", "number", "a") and not negated and rng.random() < 0.15:
        second = determined(rng, pool.draw(rng), INDEFINITE)
        if second.head != noun and kind_of(second)[0] == noun.kind and second.plural == phrase.plural:
            return replace(phrase, also=second)
    return phrase


def another(rng: Random, subject: Phrase) -> Phrase:
    """me, you, us: somebody other than the subject."""
    if subject.person < 3:
        return Phrase(Pronoun(2 if subject.person == 1 else 1))
    return Phrase(PARTNERS.draw(rng))


def companion(rng: Random, subject: Phrase) -> Phrase | None:
    """With whom, or to whom; None if that would be the subject again."""
    found = draw_subject(rng, PERSON, safe=True)
    if isinstance(found.head, Pronoun) or found.also is not None:
        found = Phrase(NAME_POOL.draw(rng))
    if found.owner is not None:
        found = replace(found, owner=stands_for(subject))
    same = found.head in (subject.head, subject.also.head if subject.also is not None else None)
    return None if same or kind_of(found) == ("person", kind_of(subject)[1]) != ("person", "") else found


def draw_spots(rng: Random, verb: Verb, subject: Phrase, chance: float) -> tuple[Spot | Adverb, ...]:
    """Where, whereto, with whom, by what, as far as the verb asks or allows; `chance` applies to what may be left
    out.
    """
    takes = verb.takes
    spots: list[Spot | Adverb] = []
    if "goal!" in takes or ("goal" in takes and rng.random() < chance):
        if verb.en != "fly" and rng.random() < 0.12:
            spots.append(HOMEWARD)
        else:
            goals = FAR_GOALS if "vehicle!" in takes else GOALS
            goal = replace(determined(rng, goals.draw(rng), TO_GO_TO), plural=False)
            spots.append(Spot("to", describe(rng, goal, 0.15)))
    if "vehicle!" in takes:
        spots.append(Spot("by", Phrase(VEHICLES.draw(rng))))
    if "with!" in takes or ("with" in takes and rng.random() < 0.2):
        friend = companion(rng, subject)
        if friend is not None:
            spots.append(Spot("with", friend))
    if "place!" in takes or ("place" in takes and rng.random() < chance):
        spots.append(draw_place(rng, takes))
    return tuple(spots)


def draw_place(rng: Random, takes: frozenset[str]) -> Spot | Adverb:
    """Where it happens, depending on what the verb takes."""
    luck = rng.random()
    if luck < 0.12:
        return PLACE_ADVERBS.draw(rng)
    if luck < 0.24 and not any(take.startswith("@") for take in takes):
        relation = RELATIONS.draw(rng)
        noun = nouns_of(UNDER if relation == "under" else BESIDE).draw(rng)
        return Spot(relation, describe(rng, Phrase(noun), 0.15))
    return Spot("at", describe(rng, Phrase(places_of(takes).draw(rng)), 0.15))
