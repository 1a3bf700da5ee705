"""Italian: articles by sound, agreement of adjectives and participles, subjects that may go unsaid."""

from dataclasses import replace

from dragoman.lab.grammar.entries import Adjective, Adverb, Noun, Verb
from dragoman.lab.grammar.meaning import Clause, Meaning, Phrase, Pronoun, Spot, gender, phrase_gender
from dragoman.lab.grammar.words import NUMBERS

FUTURE = ("ò", "ai", "à", "emo", "anno")  # io, tu, lui, noi, loro
IMPERFECT = ("vo", "vi", "va", "vamo", "vano")
HAVE = ("ho", "hai", "ha", "abbiamo", "hanno")
BE = ("sono", "sei", "è", "siamo", "sono")
WAS = ("ero", "eri", "era", "eravamo", "erano")
CLITICS = ("mi", "ti", "si", "ci", "si")
STRESSED = ("me", "te", "lui", "noi", "loro")
POSSESSIVES = {"1": "mio mia miei mie", "2": "tuo tua tuoi tue", "1p": "nostro nostra nostri nostre",
               "3": "suo sua suoi sue", "3p": "loro loro loro loro"}  # fmt: skip
PREPOSITIONS = {"a": "a", "di": "de", "da": "da", "in": "ne", "su": "su"}  # before an article: ne-l, de-l
RELATIONS = {"with": "con", "under": "sotto", "behind": "dietro", "in front of": "davanti a", "next to": "accanto a"}
LINKS = {"because": "perché", "when": "quando", "if": "se", "but": "ma"}
ASKED = {"who": "chi", "what": "che cosa", "where": "dove", "when": "quando", "why": "perché"}
VOWELS = "aeiouàèéìòù"


def join(words: list[str]) -> str:
    """Words with spaces between them, but none after an apostrophe."""
    return " ".join(word for word in words if word).replace("' ", "'")


def joined(first: str, second: str) -> str:
    """pane e latte, Anna ed Emma."""
    return f"{first} {'ed' if second[0] in 'eE' else 'e'} {second}"


def difficult(word: str) -> bool:
    """Whether a masculine word takes lo, gli, uno."""
    return word.startswith(("z", "gn", "ps", "x", "y")) or (word[0] == "s" and word[1] not in VOWELS)


def definite(word: str, shape: str, plural: bool) -> str:
    """il, lo, l', la, i, gli, le before that word; `shape` is m or f."""
    vowel = word[0] in VOWELS
    if plural:
        return "le" if shape == "f" else "gli" if vowel or difficult(word) else "i"
    if vowel:
        return "l'"
    return "la" if shape == "f" else "lo" if difficult(word) else "il"


def indefinite(word: str, shape: str) -> str:
    if shape == "f":
        return "un'" if word[0] in VOWELS else "una"
    return "uno" if difficult(word) else "un"


def adjective_form(adjective: Adjective, shape: str, plural: bool) -> str:
    """rosso, rossa, rossi, rosse; grande, grandi; stanco, stanche."""
    if not plural:
        return adjective.it[:-1] + "a" if shape == "f" and adjective.it.endswith("o") else adjective.it
    if shape == "m" or adjective.it.endswith("e"):
        return adjective.it_plural
    return participle(adjective.it, "f", True)


def participle(masculine: str, shape: str, plural: bool) -> str:
    """andato, andata, andati, andate; -co and -go keep their sound."""
    if not masculine.endswith("o"):
        return masculine
    stem = masculine[:-1]
    if shape == "f":
        return (stem + "he" if stem.endswith(("c", "g")) else stem + "e") if plural else stem + "a"
    return stem + "i" if plural else masculine


def index_of(phrase: Phrase | None) -> int:
    """Which of the forms io, tu, lui, noi, loro."""
    if phrase is None:
        return 2
    if phrase.many:
        return 3 if phrase.person == 1 else 4
    return phrase.person - 1


def owner_key(owner: Pronoun) -> str:
    plural = owner.plural or (owner.antecedent is not None and owner.antecedent.many)
    return f"{owner.person}{'p' if plural else ''}"


def parts(phrase: Phrase, bare: bool = False) -> tuple[str, list[str]]:
    """The definite article (empty if there is none) and the words after it. `bare` leaves the article out."""
    head = phrase.head
    if isinstance(head, Pronoun):
        feminine = head.person == 3 and not phrase.many and gender(head, "it") == "f"
        return "", ["lei" if feminine else STRESSED[index_of(phrase)]]
    if not isinstance(head, Noun):
        return "", [head.text]
    shape, plural = head.it_gender, phrase.plural
    words = [head.it_plural if plural else head.it]
    if phrase.adjective is not None:
        form = adjective_form(phrase.adjective, shape, plural)
        words = [form, *words] if phrase.adjective.it_before else [*words, form]
    match phrase.determiner:
        case "the" if not bare:
            return definite(words[0], shape, plural), words
        case "own" if phrase.owner is not None:
            key = owner_key(phrase.owner)
            form = POSSESSIVES[key].split()[("m", "f").index(shape) + 2 * plural]
            article = (
                "" if head.family and not plural and len(words) == 1 and key != "3p" else definite(form, shape, plural)
            )
            return article, [form, *words]
        case "a" if not plural:
            return "", [indefinite(words[0], shape), *words]
        case "no":
            return "", ["ness" + indefinite(words[0], shape), *words]
        case "this":
            form = "quest'" if words[0][0] in VOWELS and not plural else participle("questo", shape, plural)
            return "", [form, *words]
        case "every":
            return "", ["ogni", *words]
        case "number":
            return "", [NUMBERS[phrase.number][2], *words]
        case "many":
            return "", ["molti" if shape == "m" else "molte", *words]
    return "", words


def noun_phrase(phrase: Phrase) -> str:
    """The phrase with article, adjectives and relative clause."""
    article, words = parts(phrase)
    text = join([article, *words])
    if phrase.also is not None:
        text = joined(text, noun_phrase(phrase.also))
    if phrase.relative is not None:
        text = f"{text} che {clause_text(phrase.relative, subject='', shape=phrase)}"
    return text


def contracted(preposition: str, phrase: Phrase) -> str:
    """nel giardino, all'amico, con il cane, davanti alla casa. An exclamation mark means no article: in cucina."""
    plain = phrase.determiner == "the" and not phrase.plural and phrase.adjective is None
    bare = preposition.endswith("!") and plain
    before, _, preposition = preposition.removesuffix("!").rpartition(" ")
    article, words = parts(phrase, bare)
    if article and preposition in PREPOSITIONS:
        ending = article if article == "i" else "gli" if article == "gli" else "l" if article == "il" else "l" + article
        article = PREPOSITIONS[preposition] + ending
        return join([before, article, *words])
    if preposition == "a" and not article and words[0][0] in "aA":
        preposition = "ad"  # ad Anna
    text = join([before, preposition, article, *words])
    if phrase.also is not None:
        text = joined(text, contracted(preposition, phrase.also))
    return text


def spot_text(spot: Spot | Adverb) -> str:
    if isinstance(spot, Adverb):
        return spot.it
    head = spot.phrase.head
    if spot.relation == "by" and isinstance(head, Noun):
        return f"in {head.it}"
    if spot.relation == "at" and isinstance(head, Noun) and head.at is not None:
        return contracted(head.at[2], spot.phrase)
    if spot.relation == "to" and isinstance(head, Noun) and head.to is not None:
        return contracted(head.to[2], spot.phrase)
    return contracted(RELATIONS[spot.relation], spot.phrase)


def imperfect(infinitive: str, index: int) -> str:
    return infinitive.removesuffix("re") + IMPERFECT[index]


def verb_words(clause: Clause, index: int, shape: str, plural: bool) -> tuple[list[str], str]:
    """Clitic and finite verb, and the infinitive or participle after it."""
    verb = clause.verb
    clitic = CLITICS[index] if verb.it_reflexive else ""
    for person in (clause.object, clause.recipient):
        if person is not None and isinstance(person.head, Pronoun):
            clitic = CLITICS[index_of(person)]
    if clause.exists:
        clitic = "ci"
    infinitive = verb.it[:-2] + "e" if verb.it_reflexive else verb.it
    rest = ""
    if clause.modal is not None:
        past = clause.tense == "past"
        finite = clause.modal.it_past + IMPERFECT[index] if past else clause.modal.it_present[index]
        rest = infinitive
        if verb.it_reflexive:  # può lavarsi, devo alzarmi
            clitic, rest = "", infinitive[:-1] + CLITICS[index]
    elif clause.tense == "future":
        finite = verb.it_future + FUTURE[index]
    elif clause.tense == "present":
        finite = verb.it_present[index]
    elif verb.it == "essere":
        finite = WAS[index]
    elif verb.lasting:
        finite = imperfect(infinitive, index)
    elif verb.it_is:
        finite, rest = BE[index], participle(verb.it_participle, shape, plural)
    else:
        finite, rest = HAVE[index], verb.it_participle
    if clitic == "ci" and finite[0] in "eè":
        clitic = "c'"
    return [clitic, finite], rest


def clause_text(
    clause: Clause, *, subject: str | None = None, shape: Phrase | None = None, front: str = "", behind: bool = False
) -> str:
    """One clause. `behind` puts the subject behind the verb, or behind the object."""
    agreeing = shape if shape is not None else clause.object if clause.exists else clause.subject
    index = index_of(agreeing)
    form = "f" if agreeing is not None and phrase_gender(agreeing, "it") == "f" else "m"
    finite, rest = verb_words(clause, index, form, index > 2)
    if subject is None:
        subject = subject_text(clause.subject)
    words = [clause.time.it] if clause.time is not None and clause.time_first else []
    words += [front, "" if behind else subject, "non" if clause.negated or clause.never else "", *finite]
    words.append("mai" if clause.never else "")
    words.append(clause.frequency.it if clause.frequency is not None else "")
    words.append(rest)
    manner = clause.manner.it if clause.manner is not None else ""
    words.append("" if " " in manner else manner)  # mangia velocemente la mela, taglia la mela con attenzione
    if clause.object is not None and not isinstance(clause.object.head, Pronoun):
        preposition, thing = clause.verb.it_object, clause.object
        if clause.exists and clause.negated and thing.determiner == "a":
            thing = replace(thing, determiner="no")
        words.append(contracted(preposition, thing) if preposition else noun_phrase(thing))
    words.append(manner if " " in manner else "")
    if clause.predicate is not None:
        text = adjective_form(clause.predicate, form, index > 2)
        words.append(f"più {text} {contracted('di', clause.compared)}" if clause.compared is not None else text)
    if clause.recipient is not None and not isinstance(clause.recipient.head, Pronoun):
        words.append(contracted("a", clause.recipient))
    words.append(subject if behind else "")
    words += [spot_text(spot) for spot in clause.spots]
    words.append(clause.time.it if clause.time is not None and not clause.time_first else "")
    if clause.that is not None:
        words += ["che", clause_text(clause.that)]
    return join(words)


def subject_text(subject: Phrase | None) -> str:
    """The subject; empty if the verb or the sentence before implies it: only *lui* and *lei* are said."""
    if subject is None:
        return ""
    if isinstance(subject.head, Pronoun) and (
        subject.head.antecedent is not None or subject.person < 3 or subject.many or subject.head.gender == "n"
    ):
        return ""
    return noun_phrase(subject)


def question(meaning: Meaning) -> str:
    clause = meaning.clause
    if meaning.asked == "yes or no":
        return clause_text(clause)
    if meaning.asked == "who":
        return clause_text(clause, front="chi")
    if meaning.asked == "how many" and clause.object is not None and isinstance(clause.object.head, Noun):
        front = f"{'quanti' if clause.object.head.it_gender == 'm' else 'quante'} {noun_phrase(clause.object)}"
        bare = Clause(clause.verb, clause.subject, clause.tense, recipient=clause.recipient, spots=clause.spots,
                      time=clause.time)  # fmt: skip
        return clause_text(bare, front=front, behind=True)
    before = meaning.asked == "why" or (meaning.asked == "when" and clause.object is not None)
    return clause_text(clause, front=ASKED[meaning.asked], behind=not before)


def sentence(meaning: Meaning) -> str:
    """The sentence in Italian without capital and final punctuation."""
    clause, other = meaning.clause, meaning.other
    if meaning.asked:
        return question(meaning)
    if other is None:
        return clause_text(clause)
    if meaning.link in ("and", "but"):
        second = clause_text(other, subject="" if meaning.shared else None)
        if meaning.link == "and":
            return joined(clause_text(clause), second)
        return f"{clause_text(clause)}, {LINKS['but']} {second}"
    subordinate = f"{LINKS[meaning.link]} {clause_text(other)}"
    if meaning.other_first:
        return f"{subordinate}, {clause_text(clause)}"
    return f"{clause_text(clause)} {subordinate}"


def dictionary_form(noun: Noun) -> str:
    return join([definite(noun.it, noun.it_gender, False), noun.it])


def verb_form(verb: Verb) -> str:
    return verb.it
