"""German: verb second and verb last, cases, gender, and the endings of articles and adjectives."""

from typing import Literal

from dragoman.lab.grammar.entries import Adverb, Gender, Noun, Verb
from dragoman.lab.grammar.meaning import Asked, Clause, Meaning, Phrase, Pronoun, Spot, gender, phrase_gender
from dragoman.lab.grammar.verbs import MAY_NOT
from dragoman.lab.grammar.words import NUMBERS

Case = Literal["nom", "acc", "dat"]
Order = Literal["second", "first", "last"]
Form = Literal["m", "f", "n", "p"]  # gender, or plural

# Rows: nominative, accusative, dative. Columns: masculine, feminine, neuter, plural.
DEFINITE = {"nom": "der die das die", "acc": "den die das die", "dat": "dem der dem den"}
STRONG = {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en"}
MIXED = {"nom": "- e - e", "acc": "en e - e", "dat": "em er em en"}  # ein, mein, kein
AFTER_DEFINITE = {"nom": "e e e en", "acc": "en e e en", "dat": "en en en en"}
AFTER_MIXED = {"nom": "er e es en", "acc": "en e es en", "dat": "en en en en"}
PRONOUNS = {  # nominative, accusative, dative
    "1": "ich mich mir", "2": "du dich dir", "1p": "wir uns uns", "3p": "sie sie ihnen",
    "m": "er ihn ihm", "f": "sie sie ihr", "n": "es es ihm",
}  # fmt: skip
POSSESSIVES = {"1": "mein", "2": "dein", "1p": "unser", "3p": "ihr", "m": "sein", "f": "ihr", "n": "sein"}
CASES: tuple[Case, ...] = ("nom", "acc", "dat")
CONTRACTIONS = {
    "in dem": "im", "in das": "ins", "an dem": "am", "an das": "ans", "zu dem": "zum", "zu der": "zur",
}  # fmt: skip
RELATIONS = {"with": "mit", "under": "unter", "behind": "hinter", "in front of": "vor", "next to": "neben", "by": "mit"}
LINKS = {"because": "weil", "when": "wenn", "if": "wenn", "and": "und", "but": "aber"}
ASKED = {"who": "wer", "what": "was", "when": "wann", "why": "warum"}


def column(table: dict[Case, str] | dict[str, str], case: Case, form: Form) -> str:
    return table[case].split()["mfnp".index(form)].strip("-")


def slot(head: Pronoun) -> str:
    """The row of a pronoun in the tables."""
    if head.plural or (head.antecedent is not None and head.antecedent.many):
        return f"{head.person}p"
    return str(head.person) if head.person < 3 else gender(head, "de")


def possessive(owner: Pronoun) -> str:
    return POSSESSIVES[slot(owner)]


def noun_form(noun: Noun, case: Case, plural: bool) -> str:
    """Hund, Hunde, Hunden; den Jungen."""
    if plural:
        return noun.de_plural + ("n" if case == "dat" and not noun.de_plural.endswith(("n", "s")) else "")
    return noun.de_plural if noun.de_weak and case != "nom" else noun.de


def noun_phrase(phrase: Phrase, case: Case) -> str:
    """The phrase in that case, with article, adjective and, between commas, relative clause."""
    text = single(phrase, case)
    if phrase.also is not None:
        text = f"{text} und {noun_phrase(phrase.also, case)}"
    if phrase.relative is not None:
        pronoun = column(DEFINITE, "nom", form(phrase))
        text = f"{text}, {pronoun} {clause_text(phrase.relative, 'last', subject='', shape=phrase)},"
    return text


def form(phrase: Phrase) -> Form:
    return "p" if phrase.many else phrase_gender(phrase, "de")


def single(phrase: Phrase, case: Case) -> str:
    head = phrase.head
    if isinstance(head, Pronoun):
        return PRONOUNS[slot(head)].split()[CASES.index(case)]
    if not isinstance(head, Noun):
        return head.text
    shape: Form = "p" if phrase.plural else head.de_gender
    determiner, endings = "", STRONG
    match phrase.determiner:
        case "the":
            determiner, endings = column(DEFINITE, case, shape), AFTER_DEFINITE
        case "this":
            determiner, endings = "dies" + column(STRONG, case, shape), AFTER_DEFINITE
        case "every":
            determiner, endings = "jed" + column(STRONG, case, shape), AFTER_DEFINITE
        case "a" if not phrase.plural:
            determiner, endings = "ein" + column(MIXED, case, shape), AFTER_MIXED
        case "no":
            determiner, endings = "kein" + column(MIXED, case, shape), AFTER_MIXED
        case "own" if phrase.owner is not None:
            stem, ending = possessive(phrase.owner), column(MIXED, case, shape)
            determiner, endings = stem + ending, AFTER_MIXED
        case "number":
            determiner = NUMBERS[phrase.number][1]
        case "many":
            determiner = "viele" if case != "dat" else "vielen"
    words = [determiner] if determiner else []
    if phrase.adjective is not None:
        words.append(phrase.adjective.de_stem + column(endings, case, shape))
    return " ".join([*words, noun_form(head, case, phrase.plural)])


def with_preposition(preposition: str, phrase: Phrase, case: Case) -> str:
    text = f"{preposition} {noun_phrase(phrase, case)}"
    first = " ".join(text.split(" ")[:2])
    if phrase.determiner == "the" and first in CONTRACTIONS:
        return CONTRACTIONS[first] + text[len(first) :]
    return text


def spot_text(spot: Spot | Adverb) -> str:
    if isinstance(spot, Adverb):
        return spot.de
    head = spot.phrase.head
    if spot.relation == "at" and isinstance(head, Noun) and head.at is not None:
        return with_preposition(head.at[1], spot.phrase, "dat")
    if spot.relation == "to" and isinstance(head, Noun) and head.to is not None:
        preposition, _, case = head.to[1].partition("+")
        return with_preposition(preposition, spot.phrase, "acc" if case == "acc" else "dat")
    return with_preposition(RELATIONS[spot.relation], spot.phrase, "dat")


def toward(spot: Spot | Adverb) -> bool:
    return spot.kind == "goal" if isinstance(spot, Adverb) else spot.relation == "to"


def place(person: int, many: bool) -> int:
    """Which of the forms ich, du, er, wir/sie."""
    return 3 if many else person - 1


def preterite(stem: str, index: int) -> str:
    return stem + ("", "st", "", "n" if stem.endswith("e") else "en")[index]


def verb_words(clause: Clause, index: int) -> tuple[str, list[str]]:
    """The finite verb, and what stands at the end of the clause, including the prefix of a separable verb."""
    verb = clause.verb
    if clause.modal is not None:
        modal = clause.modal
        present = MAY_NOT if clause.negated and modal.en == "must" else modal.de_present
        finite = preterite(modal.de_past, index) if clause.tense == "past" else present[index]
        return finite, [verb.de]
    if clause.tense == "future":
        return ("werde", "wirst", "wird", "werden")[index], ["geben" if clause.exists else verb.de]
    if clause.exists:
        return "gab" if clause.tense == "past" else "gibt", []
    if clause.tense == "past":
        if verb.de_past:
            return preterite(verb.de_past, index), []
        helper = ("bin", "bist", "ist", "sind") if verb.de_is else ("habe", "hast", "hat", "haben")
        return helper[index], [verb.de_participle]
    return verb.de_present[index], [verb.de_prefix] if verb.de_prefix else []


def object_text(clause: Clause) -> tuple[str, bool]:
    """The object, and whether it stands behind *nicht* and the places."""
    phrase = clause.object
    if phrase is None:
        return "", False
    no = clause.negated and phrase.determiner in ("a", "bare")
    if no:
        phrase = Phrase(phrase.head, phrase.plural, "no", adjective=phrase.adjective)
    preposition, _, case = clause.verb.de_object.rpartition("+")
    text = noun_phrase(phrase, "dat" if case == "dat" else "acc")
    if preposition:
        return f"{preposition} {text}", True
    return text, phrase.determiner in ("a", "bare", "no", "many", "number")


def middle(clause: Clause, index: int) -> list[str]:
    """What stands between the subject and the end of the clause: time, recipient, object, nicht, manner,
    place, goal.
    """
    words: list[str] = []
    late_object, late = object_text(clause)
    early_object = "" if late else late_object
    if clause.verb.de_reflexive:
        words.append(
            ("mich", "dich", "sich", "uns" if clause.subject and clause.subject.person == 1 else "sich")[index]
        )
    if clause.object is not None and isinstance(clause.object.head, Pronoun) and early_object:
        words.append(early_object)
        early_object = ""
    if clause.recipient is not None and isinstance(clause.recipient.head, Pronoun):
        words.append(noun_phrase(clause.recipient, "dat"))
    if clause.time is not None and not clause.time_first:
        words.append(clause.time.de)
    if clause.frequency is not None:
        words.append(clause.frequency.de)
    if clause.recipient is not None and not isinstance(clause.recipient.head, Pronoun):
        words.append(noun_phrase(clause.recipient, "dat"))
    words.append(early_object)
    if clause.never:
        words.append("nie")
    elif clause.negated and not (clause.object is not None and clause.object.determiner in ("a", "bare")):
        words.append("nicht")
    staying = [spot for spot in clause.spots if not toward(spot)]
    words += [spot.de for spot in staying if isinstance(spot, Adverb)]  # hier schnell, aber schnell im Garten
    if clause.manner is not None:
        words.append(clause.manner.de)
    words += [spot_text(spot) for spot in staying if isinstance(spot, Spot)]
    if late:
        words.append(late_object)
    if clause.predicate is not None:
        if clause.compared is not None:
            words.append(f"{clause.predicate.de_more} als {noun_phrase(clause.compared, 'nom')}")
        else:
            words.append(clause.predicate.de)
    words += [spot_text(spot) for spot in clause.spots if toward(spot)]
    return [word for word in words if word]


def clause_text(
    clause: Clause, order: Order, *, subject: str | None = None, shape: Phrase | None = None, front: str = ""
) -> str:
    """One clause. `subject`, if given, is said instead of the clause's own; `front` stands before the finite verb."""
    agreeing = shape if shape is not None else clause.subject
    index = place(agreeing.person, agreeing.many) if agreeing is not None else 2
    if clause.exists:
        index = 2
    finite, tail = verb_words(clause, index)
    if subject is None:
        subject = "es" if clause.exists else noun_phrase(clause.subject, "nom") if clause.subject is not None else ""
    rest = middle(clause, index)
    if order == "last":
        time = [clause.time.de] if clause.time is not None and clause.time_first else []
        if tail and tail[0] == clause.verb.de_prefix:
            tail, finite = [], tail[0] + finite
        words = [subject, *time, *rest, *tail, finite]
    elif order == "first":
        words = [front, finite, subject, *rest, *tail]
    elif clause.time is not None and clause.time_first:
        words = [clause.time.de, finite, subject, *rest, *tail]
    else:
        words = [subject, finite, *rest, *tail]
    text = " ".join(word for word in words if word)
    if clause.that is not None:
        text += f", dass {clause_text(clause.that, 'last')}"
    return text


def question(meaning: Meaning, asked: Asked) -> str:
    clause = meaning.clause
    if asked == "yes or no":
        return clause_text(clause, "first")
    if asked == "where":
        return clause_text(clause, "first", front="wohin" if meaning.toward else "wo")
    if asked == "how many" and clause.object is not None:
        counted = noun_phrase(clause.object, "acc")
        bare = Clause(clause.verb, clause.subject, clause.tense, recipient=clause.recipient, spots=clause.spots,
                      time=clause.time)  # fmt: skip
        return clause_text(bare, "first", front=f"wie viele {counted}")
    return clause_text(clause, "first", front=ASKED[asked])


def sentence(meaning: Meaning) -> str:
    """The sentence in German without capital and final punctuation."""
    clause, other = meaning.clause, meaning.other
    if meaning.asked:
        return question(meaning, meaning.asked)
    if other is None:
        return clause_text(clause, "second")
    if meaning.link in ("and", "but"):
        comma = "," if meaning.link == "but" else ""
        second = clause_text(other, "second", subject="" if meaning.shared else None)
        return f"{clause_text(clause, 'second')}{comma} {LINKS[meaning.link]} {second}"
    word = "als" if meaning.link == "when" and other.tense == "past" else LINKS[meaning.link]
    subordinate = f"{word} {clause_text(other, 'last')}"
    if meaning.other_first:
        return f"{subordinate}, {clause_text(clause, 'first')}"
    return f"{clause_text(clause, 'second')}, {subordinate}"


def dictionary_form(noun: Noun) -> str:
    article: dict[Gender, str] = {"m": "der", "f": "die", "n": "das"}
    return f"{article[noun.de_gender]} {noun.de}"


def verb_form(verb: Verb) -> str:
    return f"sich {verb.de}" if verb.de_reflexive else verb.de
