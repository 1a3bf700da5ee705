"""Draws clauses and whole sentences out of the choices of `drawing`."""

from dataclasses import replace
from random import Random

from dragoman.lab import drawing
from dragoman.lab.drawing import Pool
from dragoman.lab.entries import Modal, Verb
from dragoman.lab.meaning import Asked, Clause, Link, Meaning, Phrase, Pronoun, Spot, Tense
from dragoman.lab.verbs import BE, MODALS

FRAMES = Pool(
    [
        ("statement", 0.44), ("predicate", 0.07), ("comparison", 0.04), ("exists", 0.05), ("weather", 0.02),
        ("question", 0.14), ("because", 0.07), ("when", 0.06), ("if", 0.03), ("join", 0.07), ("that", 0.06),
    ]
)  # fmt: skip
ASKED: Pool[Asked] = Pool(
    [
        ("yes or no", 0.3),
        ("who", 0.14),
        ("what", 0.16),
        ("how many", 0.08),
        ("where", 0.14),
        ("when", 0.09),
        ("why", 0.09),
    ]
)
MODAL_POOL: Pool[Modal] = Pool([(MODALS[0], 3), (MODALS[1], 3), (MODALS[2], 3)])
EXISTING = frozenset({"animal", "plant", "object", "furniture", "person", "vehicle"})
PERSON = frozenset({"person"})


def draw(rng: Random) -> Meaning:
    """The next sentence that this source of chance says."""
    while True:
        meaning = attempt(rng, FRAMES.draw(rng))
        if meaning is not None:
            return meaning


def attempt(rng: Random, frame: str) -> Meaning | None:
    """A sentence of that frame, or None where the words drawn do not go together."""
    match frame:
        case "statement":
            clause = draw_clause(rng)
            return Meaning(clause) if clause is not None else None
        case "predicate":
            return Meaning(draw_predicate(rng, drawing.TENSES.draw(rng)))
        case "comparison":
            return draw_comparison(rng)
        case "exists":
            return draw_exists(rng)
        case "weather":
            return Meaning(draw_weather(rng, drawing.TENSES.draw(rng)))
        case "question":
            return draw_question(rng, ASKED.draw(rng))
        case "that":
            return draw_that(rng)
        case "because":
            return draw_because(rng)
        case "join":
            return draw_join(rng)
    return draw_condition(rng, "when" if frame == "when" else "if")


def draw_verb(rng: Random) -> Verb:
    while True:
        verb = VERB_POOL.draw(rng)
        if "weather" not in verb.subjects and "that!" not in verb.takes:
            return verb


VERB_POOL = drawing.zipf(drawing.VERBS, 7)


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
    tense = tense or drawing.TENSES.draw(rng)
    negated = not plain and rng.random() < 0.14
    never = negated and tense == "present" and rng.random() < 0.25
    if verb is None:
        verb = draw_verb(rng) if subject is None else drawing.verbs_for(*drawing.kind_of(subject)).draw(rng)
    if subject is None:
        subject = drawing.draw_subject(rng, verb.subjects, safe=negated)
        if not light and not plain and rng.random() < 0.07:
            subject = draw_relative(rng, subject)
    kind, _ = drawing.kind_of(subject)
    modal = None
    if not plain and tense != "future" and not verb.lasting and kind in ("person", "animal") and rng.random() < 0.11:
        modal = MODAL_POOL.draw(rng)
        if negated and tense == "past" and modal.en == "must":
            modal = None
    thing = None
    if verb.objects and not ("optional" in verb.takes and rng.random() < 0.3):
        thing = drawing.draw_object(rng, verb, subject, negated)
        if thing is None:
            return None
    recipient = None
    if thing is not None and ("recipient!" in verb.takes or ("recipient" in verb.takes and rng.random() < 0.35)):
        recipient = draw_recipient(rng, subject)
        if recipient is None or isinstance(thing.head, Pronoun):
            return None
    spots = drawing.draw_spots(rng, verb, subject, 0.2 if light else 0.45)
    if recipient is not None and rng.random() < 0.7:
        spots = ()
    manner = None
    if not negated and rng.random() < (0.1 if light else 0.25):
        fitting = [name for name in drawing.MANNERS if name in verb.takes and (name != "together" or subject.many)]
        manner = drawing.MANNERS[rng.choice(fitting)] if fitting else None
    time, frequency = None, None
    if not light and not never:
        if tense == "present" and modal is None and not negated and not verb.lasting and rng.random() < 0.1:
            frequency = drawing.FREQUENCIES.draw(rng)
        elif rng.random() < (0.3 if tense == "present" else 0.45) and not (verb.lasting and tense == "present"):
            time = drawing.TIMES[tense].draw(rng)
    if verb.en == verb.en_past and tense != "future" and (subject.many or subject.person < 3) and modal is None:
        tense, time, frequency, never = "future", None, None, False  # English would not show which tense it is
    return Clause(
        verb, subject, tense, thing, recipient, spots=spots, manner=manner, time=time, frequency=frequency,
        time_first=time is not None and subject.relative is None and rng.random() < 0.45,
        modal=modal, negated=negated and not never, never=never,
    )  # fmt: skip


def draw_recipient(rng: Random, subject: Phrase) -> Phrase | None:
    """To whom."""
    if rng.random() < 0.3:
        return drawing.other_person(rng, subject)
    return drawing.companion_of(rng, subject)


def draw_relative(rng: Random, subject: Phrase) -> Phrase:
    """The subject with a relative clause that says which one."""
    if subject.determiner not in ("the", "own") or not hasattr(subject.head, "kind"):
        return subject
    bare = replace(subject, determiner="the", adjective=None, owner=None)
    clause = draw_clause(
        rng, tense=Pool[Tense]([("present", 2), ("past", 1)]).draw(rng), subject=bare, light=True, plain=True
    )
    if clause is None or (clause.object is not None and clause.object.also is not None):
        return subject
    return replace(bare, relative=clause)


def draw_predicate(rng: Random, tense: Tense, subject: Phrase | None = None) -> Clause:
    """Something is somehow."""
    negated = rng.random() < 0.15
    if subject is None:
        kinds = Pool([("person", 0.5), ("animal", 0.12), ("object", 0.08), ("building", 0.08), ("clothing", 0.06),
                      ("food", 0.08), ("vehicle", 0.08)]).draw(rng)  # fmt: skip
        subject = replace(drawing.draw_subject(rng, frozenset({kinds}), safe=True), adjective=None)
        if subject.determiner == "bare":
            subject = replace(subject, determiner="the")
    head = subject.head
    kind, name = drawing.kind_of(subject)
    pool = drawing.PERSON_ADJECTIVES if not name else drawing.adjectives_for(name)
    del head, kind
    adjective = (pool or drawing.PERSON_ADJECTIVES).draw(rng)
    return Clause(BE, subject, tense, predicate=adjective, negated=negated)


def draw_mood(rng: Random, tense: Tense, subject: Phrase) -> Clause:
    """The subject is tired, happy, ill …"""
    return Clause(BE, subject, tense, predicate=drawing.MOOD_ADJECTIVES.draw(rng), negated=rng.random() < 0.12)


def draw_comparison(rng: Random) -> Meaning | None:
    """One is more so than the other."""
    clause = draw_predicate(rng, Pool[Tense]([("present", 0.7), ("past", 0.3)]).draw(rng))
    subject, adjective = clause.subject, clause.predicate
    if subject is None or adjective is None or adjective.en in ("broken", "modern", "good", "empty", "full", "ripe"):
        return None
    kind, _ = drawing.kind_of(subject)
    other = replace(drawing.draw_subject(rng, frozenset({kind}), safe=True), adjective=None)
    if other.head == subject.head or isinstance(other.head, Pronoun) or other.also or other.determiner == "bare":
        return None
    _, name = drawing.kind_of(other)
    pool = drawing.adjectives_for(name) if name else drawing.PERSON_ADJECTIVES
    if pool is None or adjective not in pool.items:
        return None
    return Meaning(replace(clause, compared=other))


def draw_exists(rng: Random) -> Meaning | None:
    """There is something somewhere."""
    negated = rng.random() < 0.2
    pool = drawing.nouns_of(EXISTING if rng.random() < 0.8 else frozenset({"drink", "food"}))
    assert pool is not None
    noun = pool.draw(rng)
    if noun.mass and not negated:
        return None
    determiners = Pool([("a", 1.0)]) if negated else Pool([("a", 0.5), ("number", 0.35), ("many", 0.15)])
    thing = drawing.describe(rng, drawing.determined(rng, noun, determiners, None), 0.3)  # type: ignore[arg-type]
    if thing.determiner == "bare" and not negated:
        return None
    place = drawing.draw_place(rng, BE)
    if noun.kind in ("food", "drink") and isinstance(place, Spot):
        kitchen = Pool([("kitchen", 3.0), ("shop", 1.0), ("house", 1.0), ("restaurant", 1.0)]).draw(rng)
        place = Spot("at", Phrase(drawing.BY_NAME[kitchen]))
    if isinstance(place, Spot) and place.phrase.head == noun:
        return None
    tense = Pool[Tense]([("present", 0.7), ("past", 0.3)]).draw(rng)
    asked: Asked = "yes or no" if not negated and thing.determiner == "a" and rng.random() < 0.2 else ""
    return Meaning(Clause(BE, None, tense, thing, spots=(place,), negated=negated, exists=True), asked)


def draw_weather(rng: Random, tense: Tense, light: bool = False) -> Clause:
    """It rains, it snows."""
    time = drawing.TIMES[tense].draw(rng) if not light and rng.random() < 0.7 else None
    verb = rng.choice(drawing.WEATHER)
    place = None
    if rng.random() < 0.4:
        name = rng.choice(["mountain", "city", "village", "forest", "island", "garden", "beach"])
        place = Spot("at", Phrase(drawing.BY_NAME[name]))
    return Clause(
        verb, drawing.IT, tense, time=time, spots=(place,) if place else (), negated=rng.random() < 0.2,
        time_first=time is not None and rng.random() < 0.5,
    )  # fmt: skip


def draw_question(rng: Random, asked: Asked) -> Meaning | None:
    """A question that is asked for a whole sentence, or for one part of it."""
    if asked == "yes or no":
        clause = draw_predicate(rng, drawing.TENSES.draw(rng)) if rng.random() < 0.25 else draw_clause(rng, plain=True)
        return Meaning(replace(clause, time_first=False, negated=False), asked) if clause is not None else None
    tense = drawing.TENSES.draw(rng)
    if asked == "who":
        verb = drawing.verbs_for("person", "").draw(rng)
        clause = draw_clause(rng, tense=tense, subject=Phrase(drawing.NAMES[0]), verb=verb, plain=True)
        if clause is None or "own" in owned(clause) or any(phrase_is_me(p) for p in (clause.object, clause.recipient)):
            return None
        return Meaning(replace(clause, subject=None, time_first=False), asked)
    purpose = asked if asked in ("what", "how many", "where") else ""
    subject = drawing.draw_subject(rng, PERSON, safe=True)
    pool = drawing.verbs_for(*drawing.kind_of(subject), purpose)
    clause = draw_clause(rng, tense=tense, subject=subject, verb=pool.draw(rng), light=True, plain=asked != "why")
    if clause is None:
        return None
    clause = replace(clause, manner=None, time_first=False)
    if asked == "what":
        return Meaning(replace(clause, object=None, spots=clause.spots[:1]), asked) if clause.object else None
    if asked == "how many":
        thing = clause.object
        if thing is None or not hasattr(thing.head, "kind") or not thing.head.en_plural:  # type: ignore[union-attr]
            return None
        return Meaning(
            replace(clause, object=replace(Phrase(thing.head, True, "bare"), adjective=thing.adjective)), asked
        )
    if asked == "where":
        toward = "goal!" in clause.verb.takes
        return Meaning(replace(clause, spots=()), asked, toward=toward)
    return Meaning(clause, asked)


def owned(clause: Clause) -> set[str]:
    phrases = [clause.object, clause.recipient, *(spot.phrase for spot in clause.spots if isinstance(spot, Spot))]
    return {phrase.determiner for phrase in phrases if phrase is not None}


def phrase_is_me(phrase: Phrase | None) -> bool:
    return phrase is not None and isinstance(phrase.head, Pronoun)


def draw_that(rng: Random) -> Meaning | None:
    """Somebody says, knows, sees that something is so."""
    verb = SAYING.draw(rng)
    tense = Pool[Tense]([("present", 0.65), ("past", 0.35)]).draw(rng)
    subject = drawing.draw_subject(rng, PERSON)
    inner_tense = "past" if tense == "past" else drawing.TENSES.draw(rng)
    inner = draw_predicate(rng, inner_tense) if rng.random() < 0.3 else draw_clause(rng, tense=inner_tense)
    if inner is None or inner.subject is None or inner.subject.relative is not None:
        return None
    return Meaning(Clause(verb, subject, tense, that=replace(inner, time_first=False)))


SAYING = Pool((verb, 1.0) for verb in drawing.VERBS if drawing.serves(verb, "that"))


def takes_up(phrase: Phrase) -> Phrase:
    """The subject of the next clause: the same one again, as a pronoun."""
    return Phrase(drawing.stands_for(phrase))


def draw_because(rng: Random) -> Meaning | None:
    """Something is so because something else is."""
    clause = draw_clause(rng, light=rng.random() < 0.6)
    if clause is None or clause.subject is None or clause.subject.determiner in ("every", "many", "number"):
        return None
    kind, _ = drawing.kind_of(clause.subject)
    luck = rng.random()
    reason: Clause | None
    if luck < 0.45 and kind in ("person", "animal"):
        reason = draw_mood(rng, clause.tense, takes_up(clause.subject)) if kind == "person" else draw_predicate(
            rng, clause.tense, takes_up(clause.subject))  # fmt: skip
    elif luck < 0.65 and kind in ("person", "animal"):
        reason = draw_clause(rng, tense=clause.tense, subject=takes_up(clause.subject), light=True)
    elif luck < 0.8:
        reason = draw_weather(rng, clause.tense, light=True)
    else:
        reason = draw_clause(rng, tense=clause.tense, light=True)
    return Meaning(clause, link="because", other=reason) if reason is not None else None


def draw_condition(rng: Random, link: Link) -> Meaning | None:
    """When or if something is so, something else is."""
    tense: Tense = Pool[Tense]([("present", 0.6), ("past", 0.4)]).draw(rng) if link == "when" else "present"
    clause = draw_clause(rng, tense="future" if link == "if" else tense, light=True)
    if clause is None or clause.subject is None or clause.never:
        return None
    luck = rng.random()
    if luck < 0.3:
        other: Clause | None = draw_weather(rng, tense, light=True)
    elif luck < 0.65 and isinstance(clause.subject.head, Pronoun):
        other = draw_mood(rng, tense, clause.subject) if luck < 0.45 else draw_clause(
            rng, tense=tense, subject=clause.subject, light=True, plain=True)  # fmt: skip
    else:
        other = draw_clause(rng, tense=tense, light=True, plain=True)
    if other is None or other.subject is None or other.tense != tense or (clause.tense == "present" and link == "if"):
        return None
    return Meaning(clause, link=link, other=other, other_first=rng.random() < 0.6)


def draw_join(rng: Random) -> Meaning | None:
    """Two clauses with *and* or *but*, sometimes of one subject."""
    link: Link = "and" if rng.random() < 0.65 else "but"
    first = draw_clause(rng, light=True, plain=link == "and")
    if first is None or first.subject is None:
        return None
    if link == "and" and rng.random() < 0.6:
        second = draw_clause(rng, tense=first.tense, subject=first.subject, light=True, plain=True)
        if second is None or second.verb is first.verb or second.tense != first.tense or first.object is None:
            return None
        return Meaning(first, link=link, other=second, shared=True)
    second = draw_clause(rng, tense=first.tense, light=True, plain=link == "and")
    if second is None or second.subject is None or second.subject.head == first.subject.head:
        return None
    if link == "but" and first.negated == second.negated:
        second = replace(second, negated=False, never=False)
    return Meaning(first, link=link, other=second)
