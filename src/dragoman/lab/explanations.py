"""Explanations that the lab's assistant gives after a translation: words, grammar, wording, facts, meaning, style.

Instruct models continue like this of their own accord (RaDis, Table 4 and appendix E); the lab's backbone is taught
to. Everything said is true of the sentence, since it is made from its meaning.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from dragoman.corpora.records import Dialogue, Turn
from dragoman.lab import world
from dragoman.lab.families.grammar import phrase_text
from dragoman.lab.families.knowledge import SUBJECTS
from dragoman.lab.families.vocabulary import LANGUAGES, Foreign, Term, term
from dragoman.lab.grammar import german
from dragoman.lab.grammar.entries import Adjective, Adverb, Language, Noun, Verb
from dragoman.lab.grammar.meaning import Meaning, Pronoun
from dragoman.lab.grammar.words import NUMBERS
from dragoman.prompts.translation import INSTRUCTIONS

Word = Noun | Verb | Adjective | Adverb

# The five of the paper, and other ways in which people ask.
WAYS_TO_ASK = (
    *INSTRUCTIONS,
    "Translate into {target}: {text}",
    "How do you say this in {target}?\n{text}",
    "Please translate the {source} sentence into {target}.\n{text}",
    "What does this mean in {target}?\n{text}",
    "{text}\nWhat is this in {target}?",
    "I need this in {target}: {text}",
    "Give me the {target} translation of this {source} sentence.\n{text}",
    "{source}: {text}\n{target}:",
    "Write this {source} sentence in {target}:\n{text}",
)

SHORTEST, LONGEST = 12, 45  # words

SYNONYMS: dict[Language, dict[str, str]] = {
    "en": {
        "big": "large", "small": "little", "ill": "sick", "clever": "smart", "quickly": "fast", "rarely": "seldom",
        "beautiful": "lovely", "begin": "start", "happy": "glad", "famous": "well known", "quiet": "silent",
        "tasty": "delicious", "angry": "furious", "gladly": "with pleasure", "difficult": "hard",
    },
    "de": {
        "schnell": "rasch", "oft": "häufig", "klug": "intelligent", "immer": "stets", "wütend": "zornig",
        "lecker": "köstlich", "beginnen": "anfangen", "Auto": "Wagen", "jetzt": "nun", "schwierig": "schwer",
        "schön": "hübsch", "gern": "mit Freude", "bald": "in Kürze", "Arzt": "Doktor",
    },
    "it": {
        "spesso": "di frequente", "bello": "carino", "veloce": "rapido", "adesso": "ora", "macchina": "automobile",
        "cominciare": "iniziare", "intelligente": "sveglio", "medico": "dottore", "velocemente": "in fretta",
        "difficile": "complicato", "volentieri": "con piacere", "gustoso": "saporito", "gatta": "micia",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _View:
    """A sentence as its explainer sees it: its meaning and the two languages; `foreign` is the one explained."""

    meaning: Meaning
    source: Language
    target: Language
    foreign: Foreign
    words: tuple[Word, ...]

    @property
    def terms(self) -> list[Term]:
        return [term(word, self.foreign) for word in self.words]

    @property
    def tongue(self) -> str:
        return LANGUAGES[self.foreign]


def translation_answer(meaning: Meaning, source_language: Language, target_language: Language, rng: Random) -> str:
    """What follows a translation: a blank line, then one to three remarks in English."""
    view = _View(
        meaning,
        source_language,
        target_language,
        target_language if target_language != "en" else source_language if source_language != "en" else "de",
        tuple(words_of(meaning)),
    )
    kinds = dict.fromkeys(rng.sample(_KINDS, len(_KINDS)))
    remarks = {kind: remark for kind in kinds if (remark := kind(view, rng))}
    chosen = list(remarks)[: rng.choice((1, 2, 2, 3))]
    while len(chosen) > 1 and sum(len(remarks[kind].split()) for kind in chosen) > LONGEST:
        chosen.pop()
    # A single short remark gets company, so that there is something to read.
    if sum(len(remarks[kind].split()) for kind in chosen) < SHORTEST and _style not in chosen:
        chosen.append(_style)
    # Another wording stands right after the translation that it replaces.
    chosen.sort(key=lambda kind: kind is not _wording)
    between = rng.choice(("\n\n", "\n", " "))
    if between == " " and any("\n" in remarks[kind] for kind in chosen):  # nothing may follow on a list's last line
        between = "\n\n"
    text = between.join(remarks[kind] for kind in chosen)
    return "\n\n" + text


def translation_dialogue(
    meaning: Meaning, source: Language, target: Language, rng: Random, explained: bool
) -> Dialogue:
    """A translation asked for and given, with or without remarks after it."""
    asked = rng.choice(WAYS_TO_ASK).format(
        source=LANGUAGES[source], target=LANGUAGES[target], text=world.say(meaning, source)
    )
    answer = world.say(meaning, target)
    if explained:
        answer += translation_answer(meaning, source, target, rng)
    return Dialogue((Turn("user", asked), Turn("assistant", answer)), "lab translation")


def words_of(meaning: Meaning) -> list[Word]:
    """The different nouns, verbs, adjectives and adverbs of the sentence; the verb *be* and names are left out."""
    parts = world.parts(meaning)
    nouns, verbs = [used.entry for used in parts.nouns], [used.entry for used in parts.verbs if used.entry.en != "be"]
    return list(dict.fromkeys((*nouns, *verbs, *parts.adjectives, *parts.adverbs)))


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _words(view: _View, rng: Random) -> str:
    """What two or three of its words mean."""
    terms = [found for found in view.terms if found.word.casefold() != found.english.casefold()]
    if not terms:
        return ""
    terms = rng.sample(terms, min(len(terms), rng.choice((1, 2, 2, 3))))
    means = _listed([f"“{found.word}” means “{found.english}”" for found in terms])
    style = rng.randrange(6)
    if style == 0 and len(terms) > 1:
        return "Explanation:\n" + "\n".join(f"- “{found.word}”: {found.english}" for found in terms)
    if style == 1:
        found = terms[0]
        article = "an" if found.kind.startswith("a") else "a"
        return f"Note: “{found.word}” is {article} {found.kind} and means “{found.english}”."
    if style == 2:
        return f"Here, {means}."
    if style == 3:
        return f"In {view.tongue}, {means}."
    if style == 4:
        return f"Some words: {', '.join(f'{found.word} = {found.english}' for found in terms)}."
    return f"Explanation: {means}."


def _gender(view: _View, rng: Random) -> str:
    """Gender, article and plural of a noun."""
    nouns = [found for found in view.terms if found.gender]
    if not nouns:
        return ""
    noun = rng.choice(nouns)
    said = [
        f"Grammar: “{noun.word}” is a {noun.gender} noun in {noun.tongue}.",
        f"The noun “{noun.word}” is {noun.gender}, so it takes the article “{noun.article}”.",
        f"The {noun.tongue} noun “{noun.with_article}” is {noun.gender}.",
    ]
    if noun.plural:
        said.append(f"The plural of “{noun.word}” is “{noun.plural}”.")
        said.append(f"“{noun.with_article}” is {noun.gender}; its plural is “{noun.plural}”.")
    return rng.choice(said)


def _grammar(view: _View, rng: Random) -> str:
    """Tense, word order, negation, number of clauses."""
    meaning, clause = view.meaning, view.meaning.clause
    whole = "main clause" if meaning.other is not None or clause.that is not None else "sentence"
    said = [f"The {whole} is in the {clause.tense} tense.", f"The tense of the {whole} is the {clause.tense}."]
    if clause.verb.en != "be":
        verb = term(clause.verb, view.foreign).word
        said.append(f"The infinitive of the verb is “{verb}”, and the tense is the {clause.tense}.")
    if clause.negated:
        said.append("The sentence is negative: it says that something is not so.")
    if meaning.asked:
        said.append("The sentence is a question, so it ends with a question mark.")
    if view.foreign == "de" and not meaning.asked:
        said.append("In German, the conjugated verb stands in the second position of a main clause.")
    if view.foreign == "de" and meaning.asked == "yes or no":
        said.append("In a German question of this kind, the conjugated verb comes first.")
    if view.foreign == "de" and meaning.link in german.LINKS and meaning.link not in ("and", "but"):
        said.append(f"After “{german.LINKS[meaning.link]}”, German puts the conjugated verb at the end of the clause.")
    if view.foreign == "de" and clause.verb.de_prefix:
        said.append(f"The verb “{clause.verb.de}” is separable: its prefix is “{clause.verb.de_prefix}”.")
    for word in view.words:
        if view.foreign == "it" and isinstance(word, Adjective):
            place = "before" if word.it_before else "after"
            said.append(f"The Italian adjective “{word.it}” usually stands {place} its noun.")
    return rng.choice(("", "Grammar: ", "Note: ")) + rng.choice(said)


def _wording(view: _View, rng: Random) -> str:
    """The same with the time in another place, or a word that means the same."""
    meaning, clause = view.meaning, view.meaning.clause
    said = []
    if clause.time is not None and not meaning.asked and meaning.other is None:
        moved = replace(meaning, clause=replace(clause, time_first=not clause.time_first))
        text = world.say(moved, view.target)
        if text != world.say(meaning, view.target):
            said += [f"or\n\n{text}", f"It could also be: “{text}”", f"Another way to say it: “{text}”"]
    known = SYNONYMS[view.target]
    for word in view.words:
        form = word.en if view.target == "en" else word.de if view.target == "de" else word.it
        if form in known:
            said.append(f"Instead of “{form}” one can also say “{known[form]}”.")
            said.append(f"Alternatively, use “{known[form]}” for “{form}”: the meaning stays the same.")
    return rng.choice(said) if said else ""


def _fact(view: _View, rng: Random) -> str:
    """Who acts, when, how many; or a fact about a noun."""
    clause = view.meaning.clause
    said = []
    subject = clause.subject
    if subject is not None and not isinstance(subject.head, Pronoun) and subject.relative is None:
        there = phrase_text(subject, view.foreign)
        here = phrase_text(subject, "en")
        said.append(f"The subject of the sentence is “{there}”, in English “{here}”.")
        said.append(f"The sentence is about {here}: “{there}”.")
        if subject.determiner == "number":
            said.append(f"The number “{NUMBERS[subject.number][0]}” tells how many there are: {subject.number}.")
    if clause.time is not None:
        when = clause.time.de if view.foreign == "de" else clause.time.it
        said.append(f"The words “{when}” tell us when: {clause.time.en}.")
    for word in view.words:
        said += [f"By the way: {fact}" for fact in _FACTS.get(word.en, ())] if isinstance(word, Noun) else []
    return rng.choice(said) if said else ""


def _overall(view: _View, rng: Random) -> str:
    """The whole sentence again, in English."""
    text = world.say(view.meaning, "en")
    if view.meaning.asked:
        return rng.choice((f"Overall, somebody asks: “{text}”", f"The question is, in English: “{text}”"))
    return rng.choice(
        (
            f"Overall, the sentence means: “{text}”",
            f"The meaning of the sentence is: “{text}”",
            f"In simple English: “{text}”",
            f"So the sentence tells us: “{text}”",
        )
    )


def _style(view: _View, rng: Random) -> str:
    """On style and use."""
    kind = "question" if view.meaning.asked else "sentence"
    return rng.choice(
        (
            f"The style of the {kind} is neutral, and you can use it in everyday speech.",
            f"This is a simple {kind} of everyday {LANGUAGES[view.target]}.",
            f"The {kind} is neither formal nor rude; it can be used with everybody.",
            f"The translation keeps the tone of the {LANGUAGES[view.source]} {kind}.",
            f"This {kind} sounds natural in {LANGUAGES[view.target]}, when people speak and when they write.",
        )
    )


_KINDS: tuple[Callable[[_View, Random], str], ...] = (
    _words, _words, _gender, _grammar, _grammar, _wording, _fact, _overall, _style,
)  # fmt: skip


def _facts() -> dict[str, list[str]]:
    facts: dict[str, list[str]] = {}
    for subject in SUBJECTS:
        if subject.name in ("young", "home", "sound", "legs"):
            for thing, values in subject.facts:
                told = subject.told.format(thing=thing, value=values.split("|")[0])
                facts.setdefault(thing, []).append(told[0].lower() + told[1:])
    return facts


_FACTS = _facts()
