"""Drawing clauses and whole sentences. Every choice comes from the one `random.Random` that is passed in."""

from dataclasses import replace
from random import Random

from dragoman.lab.grammar import phrases
from dragoman.lab.grammar.entries import Modal, Noun, Verb
from dragoman.lab.grammar.meaning import Asked, Clause, Determiner, Link, Meaning, Phrase, Pronoun, Spot, Tense
from dragoman.lab.grammar.phrases import PERSON, draw_place, draw_subject, kind_of, stands_for
from dragoman.lab.grammar.pools import (
    ACTIONS,
    INCOMPARABLE,
    MOOD_ADJECTIVES,
    NOUN,
    SAYING,
    Pool,
    adjectives_for,
    nouns_of,
    verbs_for,
)  # fmt: skip
from dragoman.lab.grammar.verbs import BE, MODALS, VERBS
from dragoman.lab.grammar.words import NAMES

FRAMES = Pool(
    [
        ("statement", 0.44), ("predicate", 0.06), ("comparison", 0.04), ("exists", 0.05), ("weather", 0.02),
        ("question", 0.14), ("because", 0.08), ("when", 0.06), ("if", 0.03), ("join", 0.07), ("that", 0.06),
    ]
)  # fmt: skip
ASKED: Pool[Asked] = Pool(
    [
        ("yes or no", 0.3), ("who", 0.14), ("what", 0.16), ("how many", 0.08), ("where", 0.14), ("when", 0.09),
        ("why", 0.09),
    ]
)  # fmt: skip
MODAL_POOL: Pool[Modal] = Pool((modal, 1) for modal in MODALS)
PRESENT_OR_PAST: Pool[Tense] = Pool([("present", 0.65), ("past", 0.35)])
EXISTING = frozenset({"animal", "plant", "object", "furniture", "person", "vehicle"})
EDIBLE = frozenset({"food", "drink"})
PANTRIES = Pool([(NOUN["kitchen"], 3), (NOUN["shop"], 1), (NOUN["house"], 1), (NOUN["restaurant"], 1)])
COUNTED: Pool[Determiner] = Pool([("a", 0.5), ("number", 0.35), ("many", 0.15)])
DESCRIBED: Pool[str] = Pool(
    [("person", 0.5), ("animal", 0.12), ("object", 0.08), ("building", 0.08), ("clothing", 0.06), ("food", 0.08),
     ("vehicle", 0.08)]
)  # fmt: skip
WEATHER = [verb for verb in VERBS if "weather" in verb.subjects]
RAINY = [NOUN[name] for name in ["city", "mountain", "village", "forest", "island", "garden", "beach"]]
IT = Phrase(Pronoun(3, gender="n"))


def draw(rng: Random) -> Meaning:
    """The next sentence from this random source."""
    while True:
        meaning = attempt(rng, FRAMES.draw(rng))
        if meaning is not None:
            return meaning


def attempt(rng: Random, frame: str) -> Meaning | None:
    """A sentence of that frame, or None if the drawn words do not go together."""
    match frame:
        case "statement":
            clause = draw_clause(rng)
            if clause is None:
                return None
            if not (clause.object or clause.spots or clause.time or clause.frequency or clause.never):
                clause = replace(clause, time=phrases.TIMES[clause.tense].draw(rng))  # not just: he sleeps
            return Meaning(clause)
        case "predicate":
            clause = draw_predicate(rng, phrases.TENSES.draw(rng))
            return Meaning(replace(clause, time=phrases.TIMES[clause.tense].draw(rng) if is_mood(clause) else None))
        case "comparison":
            return draw_comparison(rng)
        case "exists":
            return draw_exists(rng)
        case "weather":
            return Meaning(draw_weather(rng, phrases.TENSES.draw(rng)))
        case "question":
            return draw_question(rng, ASKED.draw(rng))
        case "that":
            return draw_that(rng)
        case "because":
            return draw_because(rng)
        case "join":
            return draw_join(rng)
    return draw_condition(rng, "when" if frame == "when" else "if")


def draw_clause(
    rng: Random,
    *,
    tense: Tense | None = None,
    subject: Phrase | None = None,
    verb: Verb | None = None,
    light: bool = False,
    plain: bool = False,
) -> Clause | None:
    """A clause with a full verb. `light` keeps it short, `plain` without negation and modal verb."""
    tense = tense or phrases.TENSES.draw(rng)
    negated = not plain and rng.random() < 0.14
    if verb is None:
        verb = ACTIONS.draw(rng) if subject is None else verbs_for(*kind_of(subject)).draw(rng)
    if subject is None:
        subject = draw_subject(rng, verb.subjects, safe=negated)
        if not light and not plain and rng.random() < 0.08:
            subject = with_relative(rng, subject)
    modal = None
    movable = tense != "future" and not verb.lasting and kind_of(subject)[0] in ("person", "animal")
    if movable and not plain and rng.random() < 0.11:
        modal = MODAL_POOL.draw(rng)
        if negated and tense == "past" and modal.en == "must":
            modal = None
    if verb.lasting and tense == "future" and verb.en != "have":
        return None  # what will begin has another verb: kennenlernen
    if verb.en == verb.en_past and tense != "future" and (subject.many or subject.person < 3):
        tense, modal = "future", None  # English would not show which tense it is
    never = negated and tense == "present" and modal is None and rng.random() < 0.25

    thing = recipient = None
    if verb.objects and not ("optional" in verb.takes and rng.random() < 0.3):
        thing = phrases.draw_object(rng, verb, subject, negated)
        if thing is None:
            return None
        if "recipient!" in verb.takes or ("recipient" in verb.takes and rng.random() < 0.35):
            recipient = phrases.another(rng, subject) if rng.random() < 0.3 else phrases.companion(rng, subject)
            if recipient is None:
                return None
    spots = phrases.draw_spots(rng, verb, subject, 0.1 if recipient is not None else 0.2 if light else 0.45)
    manner = None
    if not negated and rng.random() < (0.1 if light else 0.25):
        excluded = {"" if subject.many else "together", "" if thing is None or thing.determiner == "the" else "well"}
        fitting = [name for name in phrases.MANNERS if name in verb.takes and name not in excluded]
        manner = phrases.MANNERS[rng.choice(fitting)] if fitting else None
    time = frequency = None
    steady = tense == "present" and (verb.lasting or never)
    if not light and not steady:
        if tense == "present" and modal is None and not negated and rng.random() < 0.1:
            frequency = phrases.FREQUENCIES.draw(rng)
        elif rng.random() < (0.35 if tense == "present" else 0.5):
            time = phrases.TIMES[tense].draw(rng)
    return Clause(
        verb, subject, tense, thing, recipient, spots=spots, manner=manner, time=time, frequency=frequency,
        time_first=time is not None and subject.relative is None and rng.random() < 0.45,
        modal=modal, negated=negated and not never, never=never,
    )  # fmt: skip


def with_relative(rng: Random, subject: Phrase) -> Phrase:
    """The subject, if it can have one, with a relative clause that says which one is meant."""
    if subject.determiner != "the" or not isinstance(subject.head, Noun) or subject.head.kind == "nature":
        return subject
    bare = replace(subject, adjective=None)
    clause = draw_clause(rng, tense=PRESENT_OR_PAST.draw(rng), subject=bare, light=True, plain=True)
    if clause is None or clause.tense == "future":
        return subject
    return replace(bare, relative=clause)


def draw_predicate(rng: Random, tense: Tense, subject: Phrase | None = None) -> Clause:
    """A clause with *be*: something is somehow."""
    if subject is None:
        subject = replace(draw_subject(rng, frozenset({DESCRIBED.draw(rng)}), safe=True), adjective=None)
    adjective = adjectives_for(kind_of(subject)[1]).draw(rng)
    return Clause(BE, subject, tense, predicate=adjective, negated=rng.random() < 0.15)


def is_mood(clause: Clause) -> bool:
    """Whether it is about a passing state: tired, happy, ill."""
    passing = ("tired", "ill", "sad", "happy", "hungry", "thirsty", "angry")
    return clause.predicate is not None and clause.predicate.en in passing


def draw_reason(rng: Random, tense: Tense, subject: Phrase) -> Clause | None:
    """Something else that the subject of the main clause is, or does."""
    again = Phrase(stands_for(subject))
    if rng.random() < 0.35:
        return draw_clause(rng, tense=tense, subject=again, light=True)
    if kind_of(subject)[0] == "person":
        return Clause(BE, again, tense, predicate=MOOD_ADJECTIVES.draw(rng), negated=rng.random() < 0.12)
    return draw_predicate(rng, tense, again)


def draw_comparison(rng: Random) -> Meaning | None:
    """A comparison of two things."""
    clause = draw_predicate(rng, PRESENT_OR_PAST.draw(rng))
    subject, adjective = clause.subject, clause.predicate
    if subject is None or adjective is None or adjective.en in INCOMPARABLE:
        return None
    other = replace(draw_subject(rng, frozenset({kind_of(subject)[0]}), safe=True), adjective=None)
    if other.head == subject.head or isinstance(other.head, Pronoun) or other.also is not None:
        return None
    if adjective not in adjectives_for(kind_of(other)[1]).items:
        return None
    return Meaning(replace(clause, compared=other))


def draw_exists(rng: Random) -> Meaning | None:
    """There is something somewhere."""
    negated = rng.random() < 0.2
    noun = nouns_of(EXISTING if rng.random() < 0.8 else EDIBLE).draw(rng)
    thing = phrases.determined(rng, noun, phrases.INDEFINITE if negated else COUNTED)
    if noun.family or (thing.determiner in ("the", "bare") and not negated):
        return None
    place = draw_place(rng, frozenset())
    if noun.kind in EDIBLE:
        place = Spot("at", Phrase(PANTRIES.draw(rng)))
    if isinstance(place, Spot) and place.phrase.head == noun:
        return None
    asked: Asked = "yes or no" if thing.determiner == "a" and not negated and rng.random() < 0.2 else ""
    thing = phrases.describe(rng, thing, 0.3)
    tense = PRESENT_OR_PAST.draw(rng)
    return Meaning(Clause(BE, None, tense, thing, spots=(place,), negated=negated, exists=True), asked)


def draw_weather(rng: Random, tense: Tense, *, light: bool = False) -> Clause:
    """It rains, it snows, perhaps with a place or time; `light` may leave both out."""
    verb = rng.choice(WEATHER)
    time = phrases.TIMES[tense].draw(rng) if not light else None
    negated = rng.random() < 0.2
    spots = (Spot("at", Phrase(rng.choice(RAINY))),) if not negated and rng.random() < 0.5 else ()
    first = time is not None and rng.random() < 0.5
    return Clause(verb, IT, tense, time=time, spots=spots, negated=negated, time_first=first)


def draw_question(rng: Random, asked: Asked) -> Meaning | None:
    """A question about a whole sentence, or about one part of it."""
    tense = phrases.TENSES.draw(rng)
    if asked == "yes or no":
        clause = draw_predicate(rng, tense) if rng.random() < 0.25 else draw_clause(rng, tense=tense, plain=True)
        return Meaning(replace(clause, time_first=False, negated=False), asked) if clause is not None else None
    if asked == "who":
        anybody = Phrase(NAMES[0])
        clause = draw_clause(rng, tense=tense, subject=anybody, plain=True)
        if clause is None or "own" in {phrase.determiner for phrase in around(clause)}:
            return None
        return Meaning(replace(clause, subject=None, time_first=False), asked)
    subject = draw_subject(rng, PERSON, safe=True)
    if isinstance(subject.head, Pronoun) and subject.person == 3 and not subject.many:
        subject = Phrase(phrases.NAME_POOL.draw(rng))  # Italian says no lui or lei behind the verb
    verb = verbs_for(*kind_of(subject), asked).draw(rng)
    clause = draw_clause(rng, tense=tense, subject=subject, verb=verb, light=True, plain=asked != "why")
    if clause is None:
        return None
    clause = replace(clause, manner=None, time=phrases.TIMES[clause.tense].draw(rng) if rng.random() < 0.15 else None)
    thing = clause.object
    match asked:
        case "what":
            return Meaning(replace(clause, object=None), asked) if thing is not None else None
        case "how many":
            if thing is None or not isinstance(thing.head, Noun) or thing.head.mass:
                return None
            return Meaning(replace(clause, object=Phrase(thing.head, True, "bare", adjective=thing.adjective)), asked)
        case "where":
            return Meaning(replace(clause, spots=()), asked, toward="goal!" in verb.takes)
        case "when":
            return Meaning(replace(clause, time=None), asked)
    return Meaning(clause, asked)


def around(clause: Clause) -> list[Phrase]:
    """The phrases of a clause besides its subject."""
    said = [clause.object, clause.recipient, *(spot.phrase for spot in clause.spots if isinstance(spot, Spot))]
    return [phrase for phrase in said if phrase is not None]


def draw_that(rng: Random) -> Meaning | None:
    """Somebody says, knows, sees that something is so."""
    tense = PRESENT_OR_PAST.draw(rng)
    subject = draw_subject(rng, PERSON)
    inner_tense = "past" if tense == "past" else phrases.TENSES.draw(rng)
    inner = draw_predicate(rng, inner_tense) if rng.random() < 0.3 else draw_clause(rng, tense=inner_tense)
    if inner is None or inner.subject is None or inner.subject.relative is not None or inner.tense != inner_tense:
        return None
    if inner.subject.head == subject.head:
        inner = replace(inner, subject=Phrase(stands_for(subject)))
    return Meaning(Clause(SAYING.draw(rng), subject, tense, that=replace(inner, time_first=False)))


def draw_because(rng: Random) -> Meaning | None:
    """Something is so because something else is."""
    clause = draw_clause(rng, light=rng.random() < 0.6)
    if clause is None or clause.subject is None or clause.subject.determiner in ("every", "many", "number"):
        return None
    luck = rng.random()
    if luck < 0.65 and kind_of(clause.subject)[0] in ("person", "animal"):
        reason = draw_reason(rng, clause.tense, clause.subject)
    elif luck < 0.8:
        reason = draw_weather(rng, clause.tense, light=True)
    else:
        reason = draw_clause(rng, tense=clause.tense, light=True)
    if reason is None or reason.verb == clause.verb:
        return None
    return Meaning(clause, link="because", other=reason)


def draw_condition(rng: Random, link: Link) -> Meaning | None:
    """When or if something is so, something else is; *if* refers to the future."""
    tense: Tense = PRESENT_OR_PAST.draw(rng) if link == "when" else "present"
    main_tense: Tense = "future" if link == "if" else tense
    clause = draw_clause(rng, tense=main_tense, light=True)
    if clause is None or clause.subject is None or clause.never or clause.tense != main_tense:
        return None
    luck = rng.random()
    other: Clause | None
    if luck < 0.3:
        other = draw_weather(rng, tense, light=True)
    elif luck < 0.65 and isinstance(clause.subject.head, Pronoun):
        other = draw_reason(rng, tense, clause.subject)
    else:
        other = draw_clause(rng, tense=tense, light=True, plain=True)
    if other is None or other.tense != tense or other.verb == clause.verb:
        return None
    return Meaning(clause, link=link, other=other, other_first=rng.random() < 0.6)


def draw_join(rng: Random) -> Meaning | None:
    """Two clauses joined by *and* or *but*, sometimes with a common subject."""
    link: Link = "and" if rng.random() < 0.65 else "but"
    first = draw_clause(rng, light=True, plain=link == "and")
    if first is None or first.subject is None:
        return None
    shared = link == "and" and first.object is not None and rng.random() < 0.65
    subject = first.subject if shared else None
    second = draw_clause(rng, tense=first.tense, subject=subject, light=True, plain=link == "and")
    if second is None or second.subject is None or second.verb == first.verb or second.tense != first.tense:
        return None
    if not shared and second.subject.head == first.subject.head:
        return None
    if link == "but" and (first.negated or first.never):
        second = replace(second, negated=False, never=False)
    return Meaning(first, link=link, other=second, shared=shared)
