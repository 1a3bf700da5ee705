"""English: fixed word order, *do* in questions and negations, particles behind the verb."""

from dragoman.lab.grammar.entries import Adverb, Noun
from dragoman.lab.grammar.meaning import Clause, Meaning, Phrase, Pronoun, Spot, gender
from dragoman.lab.grammar.words import NUMBERS

PRONOUNS = {  # subject, object, possessive
    "1": "I me my", "2": "you you your", "1p": "we us our", "3p": "they them their",
    "m": "he him his", "f": "she her her", "n": "it it its",
}  # fmt: skip
RELATIONS = {"with": "with", "under": "under", "behind": "behind", "in front of": "in front of", "next to": "next to"}
ASKED = {"who": "who", "what": "what", "where": "where", "when": "when", "why": "why"}


def slot(head: Pronoun) -> str:
    """The row of a pronoun in the table."""
    if head.plural or (head.antecedent is not None and head.antecedent.many):
        return f"{head.person}p"
    return str(head.person) if head.person < 3 else gender(head, "en")


def article(word: str) -> str:
    return "an" if word[0] in "aeiou" and not word.startswith("un") else "a"


def noun_phrase(phrase: Phrase, role: int = 0) -> str:
    """The phrase; role 0 is the subject's form of a pronoun, 1 the object's."""
    head = phrase.head
    if isinstance(head, Pronoun):
        text = PRONOUNS[slot(head)].split()[role]
    elif not isinstance(head, Noun):
        text = head.text
    else:
        words = [phrase.adjective.en] if phrase.adjective is not None else []
        words.append(head.en_plural if phrase.plural else head.en)
        match phrase.determiner:
            case "the":
                words.insert(0, "the")
            case "this":
                words.insert(0, "these" if phrase.plural else "this")
            case "every":
                words.insert(0, "every")
            case "a" if not phrase.plural:
                words.insert(0, article(words[0]))
            case "own" if phrase.owner is not None:
                words.insert(0, PRONOUNS[slot(phrase.owner)].split()[2])
            case "number":
                words.insert(0, NUMBERS[phrase.number][0])
            case "many":
                words.insert(0, "many")
        text = " ".join(words)
    if phrase.also is not None:
        text = f"{text} and {noun_phrase(phrase.also, role)}"
    if phrase.relative is not None:
        who = "who" if isinstance(head, Noun) and head.kind == "person" else "that"
        text = f"{text} {who} {clause_text(phrase.relative, subject='', shape=phrase)}"
    return text


def spot_text(spot: Spot | Adverb) -> str:
    if isinstance(spot, Adverb):
        return spot.en
    head = spot.phrase.head
    if spot.relation == "by" and isinstance(head, Noun):
        return f"by {head.en}"
    if spot.relation == "at" and isinstance(head, Noun) and head.at is not None:
        return f"{head.at[0]} {noun_phrase(spot.phrase, 1)}"
    if spot.relation == "to":
        return f"to {noun_phrase(spot.phrase, 1)}"
    return f"{RELATIONS[spot.relation]} {noun_phrase(spot.phrase, 1)}"


def be(person: int, many: bool, tense: str) -> str:
    if tense == "past":
        return "were" if many or person == 2 else "was"
    return "are" if many or person == 2 else "am" if person == 1 else "is"


def verb_words(clause: Clause, person: int, many: bool, question: bool) -> tuple[str, str]:
    """The auxiliary (empty if none is needed) and the main verb. A negation goes between them."""
    verb, tense, modal = clause.verb, clause.tense, clause.modal
    third = person == 3 and not many
    helped = question or clause.negated
    if modal is not None and not (modal.en == "want" or (modal.en == "must" and tense == "past")):
        return modal.en_past if tense == "past" else modal.en, verb.en
    if tense == "future":
        return "will", verb.en
    if modal is None and verb.en == "be":
        return be(person, many, tense), ""
    if modal is None:
        base, past, now, rest = verb.en, verb.en_past, verb.en_third if third else verb.en, ""
    elif modal.en == "want":
        base, past, now, rest = "want", "wanted", "wants" if third else "want", f" to {verb.en}"
    else:
        base, past, now, rest = "have", "had", "has" if third else "have", f" to {verb.en}"
    if helped:
        return ("did" if tense == "past" else "does" if third else "do"), base + rest
    return "", (past if tense == "past" else now) + rest


def clause_text(
    clause: Clause, *, subject: str | None = None, shape: Phrase | None = None, inverted: bool = False, front: str = ""
) -> str:
    """One clause. `inverted` puts the auxiliary before the subject, behind `front`."""
    asking = front.startswith(("what", "how"))  # what they look *for*: the object stands in front
    agreeing = shape if shape is not None else clause.object if clause.exists else clause.subject
    person, many = (agreeing.person, agreeing.many) if agreeing is not None else (3, False)
    if subject is None:
        subject = "there" if clause.exists else noun_phrase(clause.subject) if clause.subject is not None else ""
    helper, main = verb_words(clause, person, many, inverted)
    start = [clause.time.en] if clause.time is not None and clause.time_first else []
    words = [*start, front, *((helper, subject) if inverted else (subject, helper))]
    bare_negation = clause.exists and clause.object is not None and clause.object.determiner in ("a", "bare")
    if clause.negated and not bare_negation:
        words = [*words[:-1], words[-1] + "not"] if words[-1] == "can" else [*words, "not"]
    if clause.never:
        words.append("never")
    if clause.frequency is not None:
        words.append(clause.frequency.en)
    preposition = bool(clause.verb.objects) and clause.object is None and not asking
    words += [main, "" if preposition else clause.verb.en_particle]
    if clause.object is not None:
        text = noun_phrase(clause.object, 1)
        if clause.exists and clause.negated:
            text = "no " + text.removeprefix("an ").removeprefix("a ")
        words.append(text)
    if clause.predicate is not None and clause.compared is None:
        words.append(clause.predicate.en)
    elif clause.predicate is not None and clause.compared is not None:
        words.append(f"{clause.predicate.en_more} than {noun_phrase(clause.compared, 1)}")
    if clause.recipient is not None:
        words.append(f"to {noun_phrase(clause.recipient, 1)}")
    if clause.manner is not None:
        words.append(clause.manner.en)
    words += [spot_text(spot) for spot in clause.spots]
    if clause.time is not None and not clause.time_first:
        words.append(clause.time.en)
    if clause.that is not None:
        words.append(f"that {clause_text(clause.that)}")
    return " ".join(word for word in words if word)


def question(meaning: Meaning) -> str:
    clause = meaning.clause
    if meaning.asked == "yes or no":
        return clause_text(clause, inverted=True)
    if meaning.asked == "who":
        return clause_text(clause, subject="who")
    if meaning.asked == "how many" and clause.object is not None:
        front = f"how many {noun_phrase(clause.object)}"
        bare = Clause(clause.verb, clause.subject, clause.tense, recipient=clause.recipient, spots=clause.spots,
                      time=clause.time)  # fmt: skip
        return clause_text(bare, inverted=True, front=front)
    return clause_text(clause, inverted=True, front=ASKED[meaning.asked])


def sentence(meaning: Meaning) -> str:
    """The sentence in English without capital and final punctuation."""
    clause, other = meaning.clause, meaning.other
    if meaning.asked:
        return question(meaning)
    if other is None:
        return clause_text(clause)
    if meaning.link in ("and", "but"):
        comma = "," if meaning.link == "but" else ""
        second = clause_text(other, subject="" if meaning.shared else None)
        return f"{clause_text(clause)}{comma} {meaning.link} {second}"
    subordinate = f"{meaning.link} {clause_text(other)}"
    if meaning.other_first:
        return f"{subordinate}, {clause_text(clause)}"
    return f"{clause_text(clause)} {subordinate}"
